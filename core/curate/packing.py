"""Packing threads, many in one file, and putting them back as files; nothing of what they hold changes.

A file is removed only when the pack that holds it is on the disk and gives the same bytes back, and when the file still
is what was packed. Whatever moment the program is killed at, each thread is in its file, in a pack, or in both, of
which the file counts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from core.curate.bulk import Progress, for_each
from core.errors import SensorloomError, ThreadError, UsageError
from core.files import SETTLED_NS
from core.storage import pack_file, packed
from core.storage.atomic import clear_half_written, digest, sync_folder, write_atomic
from core.storage.locks import locked, thread_locked
from core.storage.pack_index import Packed
from core.storage.thread_files import find_packed, is_thread_file, packs_in, path_of, read_regular, stamp_of
from core.workspace import PACKS, Workspace, holds_evaluations

FILTER = "status:finished verdict:any"
"""What is packed unless told: threads on which the work is done."""
MOST = 50_000
"""Threads in one pack: what is done again when packing is broken off."""
_A_BLOCK = 500
"""Threads between two words to `progress`."""


@dataclass(frozen=True, slots=True)
class Packing:
    """What was packed, or unpacked."""

    threads: tuple[str, ...]
    """The stems of those that changed their place."""
    files: int = 0
    """Packs that were written, or removed since nothing stands in them any more."""
    bytes_before: int = 0
    bytes_after: int = 0
    problems: tuple[str, ...] = ()
    """One sentence for each thread that stays where it is."""


def pack(workspace: Workspace, stems: Iterable[str], *, progress: Progress | None = None) -> Packing:
    """Put threads into packs, at most `MOST` in each, in the order of their names. What is packed already stays.

    Raises:
        UsageError: these are the threads of an evaluation.
        SensorloomError: a pack cannot be written, or does not give back what was put in; no file was removed for it.
    """
    if holds_evaluations(workspace):
        raise UsageError("the threads of an evaluation stay files, one for each")
    folder = workspace.threads
    threads = (stem for stem in dict.fromkeys(stems) if is_thread_file(path_of(folder, stem).name))
    chosen = sorted(stem for stem in threads if path_of(folder, stem).exists())
    done = Packing(())
    if not chosen:
        return done
    with locked(folder / PACKS):
        clear_half_written(folder / PACKS)
        for start in range(0, len(chosen), MOST):
            told = partial(_told, progress, start, len(chosen))
            done = _joined(done, _one_pack(folder, chosen[start : start + MOST], told))
        packed.remove_empty(folder)
    return done


def unpack(workspace: Workspace, stems: Iterable[str], *, progress: Progress | None = None) -> Packing:
    """Put packed threads back as files, byte for byte and with the times they had. Packs of which nothing is left are
    removed. What is a file already stays, and is taken out of the packs.

    Raises:
        SensorloomError: the folder cannot be written.
    """
    folder = workspace.threads
    written: list[str] = []
    problems: list[str] = []
    chosen = list(dict.fromkeys(stems))
    if not chosen or packs_in(folder) is None:
        return Packing(())
    with locked(folder / PACKS):
        for stem, done in for_each(workspace, chosen, lambda stem: _to_file(folder, stem), progress):
            if isinstance(done, SensorloomError):
                problems.append(str(done))
            elif done:
                written.append(stem)
        sync_folder(folder)
        packed.take_out(folder, (stem for stem in chosen if path_of(folder, stem).exists()))
        removed = packed.remove_empty(folder)
    return Packing(tuple(written), removed, problems=tuple(problems))


def packed_stems(workspace: Workspace) -> list[str]:
    """The stems of the threads that packs hold, sorted, those included that have a file which counts. Raises
    ThreadError."""
    packs = packs_in(workspace.threads)
    return [] if packs is None else sorted(stem for stem, *_ in packs.listed())


def _told(progress: Progress | None, start: int, total: int, done: int) -> None:
    if progress is not None:
        progress(start + done, total)


def _joined(first: Packing, second: Packing) -> Packing:
    return Packing(
        first.threads + second.threads,
        first.files + second.files,
        first.bytes_before + second.bytes_before,
        first.bytes_after + second.bytes_after,
        first.problems + second.problems,
    )


def _one_pack(folder: Path, stems: Sequence[str], told: Callable[[int], None]) -> Packing:
    """Write a pack of these threads, read it back, give it its name, and remove the files."""
    started_ns = time.time_ns()
    members: dict[str, Packed] = {}
    problems: list[str] = []

    def threads() -> Iterator[Packed]:
        for done, stem in enumerate(stems, 1):
            thread = _read(folder, stem, problems)
            if thread is not None:
                members[stem] = msgspec.structs.replace(thread, line=b"")
                yield thread
            if done % _A_BLOCK == 0 or done == len(stems):
                told(done)

    path = packed.next_path(folder)
    unnamed = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")  # what a kill leaves is cleared by the next one
    write_atomic(unnamed, pack_file.pieces(threads()))
    if not members:
        unnamed.unlink()
        return Packing((), problems=tuple(problems))
    _read_back(unnamed, path, members)
    packed.take_out(folder, (stem for stem in members if not path_of(folder, stem).exists()), path.name)
    unnamed.rename(path)
    sync_folder(path.parent)
    removed = _remove_files(folder, members, path.name, started_ns)
    size = sum(members[stem].size for stem in removed)
    return Packing(tuple(removed), 1, size, path.stat().st_size, tuple(problems))


def _read(folder: Path, stem: str, problems: list[str]) -> Packed | None:
    path = path_of(folder, stem)
    file = read_regular(str(path))
    if file is None or stamp_of(str(path)) is None:
        return None  # deleted meanwhile, or nothing that can be read
    thread = pack_file.packed(stem, file.data, file.mtime_ns)
    if thread is None:
        problems.append(f"{path.name}: stays a file, since a pack could not give it back byte for byte")
    return thread


def _read_back(unnamed: Path, path: Path, members: Mapping[str, Packed]) -> None:
    """Raises SensorloomError where what was written is not what the disk gives back."""
    pack = pack_file.open_pack(unnamed)
    bad = [pack.stem(row) for row in range(len(pack)) if not pack.is_whole(row)]
    if bad or len(pack) != len(members):
        unnamed.unlink(missing_ok=True)
        raise SensorloomError(
            f"the disk does not give back what was written to {path}: {len(bad)} of {len(members)} threads differ; no "
            "file was removed. Look at the disk before you write anything to it"
        )


def _remove_files(folder: Path, members: Mapping[str, Packed], pack: str, started_ns: int) -> list[str]:
    """Remove the files of packed threads that still are what was packed. What was deleted while the pack got its name
    must not come back with it."""
    removed: list[str] = []
    for stem, thread in members.items():
        path = path_of(folder, stem)
        with thread_locked(folder, stem):
            if _is_as_packed(path, thread, started_ns):
                path.unlink()
                removed.append(stem)
            elif not path.exists():
                packed.take_out(folder, [stem], pack)
    sync_folder(folder)
    return removed


def _is_as_packed(path: Path, thread: Packed, started_ns: int) -> bool:
    if stamp_of(str(path)) != (thread.size, thread.mtime_ns):
        return False
    if thread.mtime_ns < started_ns - SETTLED_NS:
        return True
    file = read_regular(str(path))  # changed again within one tick of its clock it would have the same time
    return file is not None and digest(file.data) == thread.digest.hex()


def _to_file(folder: Path, stem: str) -> bool:
    """Write a packed thread's file; False where it has one already, or the thread went away."""
    path = path_of(folder, stem)
    with thread_locked(folder, stem):
        in_pack = None if path.exists() else find_packed(folder, stem)
        if in_pack is None:
            return False
        try:
            data = in_pack.file.data
        except FileNotFoundError as error:
            raise ThreadError(f"{stem}: its pack went away; try again") from error
        write_atomic(path, data)
        os.utime(path, ns=(in_pack.stamp[1], in_pack.stamp[1]))
    return True
