"""Where a thread's history is: in two files of `.sensorloom/history/`, or in a pack of the `packs/` in it.

`<stem>.log` holds the steps, `<stem>.pack` the states that they led to. While there is a log, the files count; else the
newest pack that holds the history, kept there as threads are (`core.storage.packed`): a line of JSON with the log as
text and the states in Base64. Packs never change; before a step is added, the history is put back as files.
"""

from __future__ import annotations

import heapq
import os
from array import array
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from core.errors import SensorloomError
from core.files import open_regular_file, read_regular_file
from core.storage.atomic import write_atomic
from core.storage.thread_files import exists, packs_in, path_of
from core.workspace import PACKS, Workspace, names_for_threads

if TYPE_CHECKING:
    from core.storage.pack_file import Pack
    from core.storage.packed import InPack, Packs

_LOG, _STATES = ".log", ".pack"
_LOOKS = 3
"""How often is looked again at most while histories go from files to packs and back."""


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """A packed history without its states, which are not decoded where nobody asks for them."""

    id: str
    log: str


class Line(LogLine, frozen=True, gc=False, omit_defaults=True):
    """A packed history: what stands on a line of a pack."""

    states: bytes | None = None
    """None where there is no such file."""


_LOG_LINES, LINES = msgspec.json.Decoder(LogLine), msgspec.json.Decoder(Line)


def folder(workspace: Workspace) -> Path:
    """Where histories are kept: one folder for each threads folder that the workspace is used with."""
    return _folder(workspace.private, names_for_threads(workspace, "history"))


@lru_cache(maxsize=64)
def _folder(private: Path, names: tuple[str, ...]) -> Path:
    """The same path again and again, which a run asks for a dozen times a turn."""
    return private.joinpath(*names)


def files_of(workspace: Workspace, stem: str) -> tuple[Path, Path]:
    """A thread's two files, whether they are there or packed: its steps, and the states that they led to."""
    within = folder(workspace)
    return within / f"{stem}{_LOG}", within / f"{stem}{_STATES}"


def is_there(workspace: Workspace, stem: str) -> bool:
    """Whether a thread has a history. Raises SensorloomError."""
    log, _ = files_of(workspace, stem)
    return log.exists() or _find(workspace, stem) is not None or log.exists()  # unpacked in between


def read_log(workspace: Workspace, stem: str) -> bytes:
    """The lines of a thread's log; empty where it has none. Raises OSError, and SensorloomError where the pack that
    holds it is damaged."""
    log, _ = files_of(workspace, stem)
    for _ in range(_LOOKS):
        with suppress(FileNotFoundError):
            return read_regular_file(log)
        with suppress(FileNotFoundError):
            if (line := _line(workspace, stem)) is None and not log.exists():
                return b""
            if line is not None:
                return _LOG_LINES.decode(line).log.encode()
    return b""


def open_states(workspace: Workspace, stem: str) -> BinaryIO:
    """The states of a thread's file, to be read. Raises OSError where there are none, and SensorloomError where the
    pack that holds them is damaged."""
    log, states = files_of(workspace, stem)
    for _ in range(_LOOKS):
        with suppress(FileNotFoundError):
            if log.exists():
                return open_regular_file(states)
            if line := _line(workspace, stem):
                return BytesIO(LINES.decode(line).states or b"")
    return open_regular_file(states)


def to_files(workspace: Workspace, stem: str) -> bool:
    """Put a packed history back as files, byte for byte; False where it has files already, or is in no pack. To be
    called under the thread's lock.

    The log is written last: until then the pack counts.

    Raises:
        SensorloomError: the pack is damaged there, or the files cannot be written.
    """
    log, states = files_of(workspace, stem)
    if log.exists() or (in_pack := _find(workspace, stem)) is None:
        return False
    try:
        line = LINES.decode(in_pack.pack.line(in_pack.row))
    except FileNotFoundError as error:
        raise SensorloomError(f"the history of {stem}: its pack went away; try again") from error
    except SensorloomError as error:
        raise _unreadable(workspace, stem, str(error)) from error
    time_ns = in_pack.stamp[1]
    if line.states is not None:
        write_atomic(states, line.states)
        os.utime(states, ns=(time_ns, time_ns))
    write_atomic(log, line.log.encode())
    os.utime(log, ns=(time_ns, time_ns))
    return True


def forget(workspace: Workspace, stem: str) -> None:
    """Forget what was done to a thread that is as if it had never been. Raises SensorloomError."""
    if packs_in(folder(workspace)) is not None:
        from core.storage.packed import take_out

        take_out(folder(workspace), [stem])  # first: what is packed must not show in the place of files that went
    for path in files_of(workspace, stem):
        with suppress(OSError):
            path.unlink()


def reserved(workspace: Workspace) -> Iterator[str]:
    """The stems of all threads that have a history, those of deleted ones too: their ids are not given again. Some come
    twice."""
    files, packs = _files_and_packs(workspace)
    yield from (stem for stem, _ in files)
    if packs is not None:
        yield from packs.stems()


def by_time(workspace: Workspace) -> Iterator[tuple[str, float]]:
    """The stem and the time of the last change (seconds since 1970) of each history, the newest first."""
    files, packs = _files_and_packs(workspace)
    files.sort(key=lambda log: -log[1])
    if packs is None:
        yield from files
        return
    in_files = {stem for stem, _ in files}
    of_files = ((stem, seconds, None) for stem, seconds in files)
    for stem, seconds, pack in heapq.merge(of_files, *map(_rows_by_time, packs.packs), key=lambda row: -row[1]):
        if pack is None or (stem not in in_files and packs.counts(stem, pack)):
            yield stem, seconds


def problems(workspace: Workspace) -> list[str]:
    """One sentence for each pack of histories that cannot be read as a whole. Raises SensorloomError."""
    packs = packs_in(folder(workspace))
    return [_in_packs(workspace, problem) for problem in packs.unreadable.values()] if packs else []


def _rows_by_time(pack: Pack) -> Iterator[tuple[str, float, Pack | None]]:
    """The newest first. What is kept while it is gone through is four bytes a row."""
    order = array("I", sorted(range(len(pack)), key=pack.times.__getitem__, reverse=True))
    return ((pack.stem(row), pack.times[row] / 1e9, pack) for row in order)


def _files_and_packs(workspace: Workspace) -> tuple[list[tuple[str, float]], Packs | None]:
    """The stem and time of each log that is a file, and the packs: what is packed or unpacked meanwhile is in one of
    them at least."""
    within = folder(workspace)
    packs, files = packs_in(within), _logs(within)
    for _ in range(_LOOKS):
        before, packs = packs, packs_in(within)
        if packs is before:
            break
        files = _logs(within)
    return files, packs


def _logs(within: Path) -> list[tuple[str, float]]:
    try:
        with os.scandir(within) as entries:
            return [(entry.name[: -len(_LOG)], entry.stat().st_mtime) for entry in entries if entry.name.endswith(_LOG)]
    except FileNotFoundError:
        return []


def _find(workspace: Workspace, stem: str) -> InPack | None:
    """Where a history is packed. Raises SensorloomError where that may be a pack that cannot be read: to begin another
    one would hide it."""
    packs = packs_in(folder(workspace))
    if packs is None:
        return None
    if problem := packs.lost(stem):
        is_packed = not path_of(workspace.threads, stem).exists() and exists(workspace.threads, stem)
        if is_packed:  # only histories of packed threads are packed
            raise _unreadable(workspace, stem, problem)
    return packs.find(stem)


def _line(workspace: Workspace, stem: str) -> bytes | None:
    """A packed history; None where it is in no pack. Raises FileNotFoundError where its pack just went away, and
    SensorloomError where it is damaged."""
    in_pack = _find(workspace, stem)
    try:
        return in_pack and in_pack.pack.line(in_pack.row)
    except SensorloomError as error:
        raise _unreadable(workspace, stem, str(error)) from error


def _unreadable(workspace: Workspace, stem: str, problem: str) -> SensorloomError:
    return SensorloomError(f"the history of {stem} cannot be read: {_in_packs(workspace, problem)}")


def _in_packs(workspace: Workspace, problem: str) -> str:
    """What is wrong with a pack, which begins with its name, with the folder before it."""
    return f"{workspace.shown(folder(workspace) / PACKS)}/{problem}"
