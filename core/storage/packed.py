"""The packs of a threads folder, `packs/` in it: which threads they hold, as though each were a file of the folder.

What is said of threads here holds of histories too, which are packed in their own folder by the same rules.

A thread stands in its file; where it has none, in the newest pack that holds it. Packs never change. That a thread is
in none any more, because it was deleted or unpacked, is a line of `gone.jsonl` beside them: it counts for all packs up
to the one it names, so that a thread that is packed again later is there again.

The door to all of this is `core.storage.thread_files`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import ThreadError, system_reason
from core.files import SETTLED_NS
from core.storage import gone_file
from core.storage.locks import thread_locked
from core.storage.pack_file import Pack, PackedFile, open_pack
from core.text import counted
from core.workspace import PACK, PACKS

_NUMBERED = re.compile(r"pack-(\d+)")
_LOOKS = 3
"""How often packs are read again at most while they change."""


@dataclass(frozen=True, slots=True)
class InPack:
    """Where a thread stands in a pack."""

    pack: Pack
    row: int

    @property
    def stamp(self) -> tuple[int, int]:
        """Size and time of the file as it was packed."""
        return self.pack.sizes[self.row], self.pack.times[self.row]

    @property
    def file(self) -> PackedFile:
        """The file as it was packed. Raises as `Pack.data`."""
        return self.pack.file(self.row)


@dataclass(frozen=True, slots=True)
class Packs:
    """The packs of a folder."""

    packs: tuple[Pack, ...]
    """The newest first."""
    gone: dict[str, str]
    """For each stem that is gone the last of the packs that it is gone from."""
    unreadable: Mapping[str, str]
    """Names of those that cannot be read as a whole, with why in one sentence."""

    def find(self, stem: str) -> InPack | None:
        """Where a thread stands; None where no pack has it any more."""
        for pack in self.packs:
            if (row := pack.row_of(stem)) is not None:
                return None if self.is_gone(stem, pack) else InPack(pack, row)
        return None

    def counts(self, stem: str, pack: Pack) -> bool:
        """Whether what one of the packs has of a thread is what counts."""
        for newer in self.packs:
            if newer is pack:
                return not self.is_gone(stem, pack)
            if newer.row_of(stem) is not None:
                break
        return False

    def newest_with(self, stem: str) -> str:
        """The name of the newest pack that has this thread, gone or not; empty where none has."""
        return next((pack.path.name for pack in self.packs if pack.row_of(stem) is not None), "")

    def stems(self) -> Iterator[str]:
        """The stems of all that stands in packs; what stands in several comes several times."""
        for pack in self.packs:
            yield from (stem for stem in pack.stems() if not self.is_gone(stem, pack))

    def lost(self, stem: str) -> str:
        """Which pack that cannot be read as a whole may have something newer of a thread than the others, in one
        sentence; empty where none may."""
        if not self.unreadable:
            return ""
        known = max(_age(self.newest_with(stem)), _age(self.gone.get(stem, "")))
        return next((problem for name, problem in self.unreadable.items() if _age(name) > known), "")

    def listed(self) -> Iterator[tuple[str, int, int]]:
        """Each thread once: stem, size and time of its file, those of a pack in the order of their names."""
        for pack, superseded in self._with_superseded():
            every = zip(pack.stems(), pack.sizes.tolist(), pack.times.tolist(), strict=True)
            if superseded or self.gone:
                yield from (row for row in every if row[0] not in superseded and not self.is_gone(row[0], pack))
            else:
                yield from every

    def used(self) -> set[Path]:
        """The packs in which at least one thread stands."""
        return {
            pack.path
            for pack, superseded in self._with_superseded()
            if any(stem not in superseded and not self.is_gone(stem, pack) for stem in pack.stems())
        }

    def _with_superseded(self) -> Iterator[tuple[Pack, set[str]]]:
        """Each pack with the stems of those that are newer."""
        seen: set[str] = set()
        for number, pack in enumerate(self.packs, 1):
            yield pack, seen
            if number < len(self.packs):
                seen.update(pack.stems())

    def is_gone(self, stem: str, pack: Pack) -> bool:
        """Whether a thread that this pack has is in none any more."""
        return stem in self.gone and _age(pack.path.name) <= _age(self.gone[stem])


@dataclass(frozen=True, slots=True)
class _Loaded:
    stamp: tuple[int, ...]
    names: tuple[str, ...]
    is_settled: bool
    packs: Packs


_loaded: dict[str, _Loaded] = {}


def packs_of(folder: str) -> Packs | None:
    """The packs of a threads folder as they are now; None where there are none."""
    packs = f"{folder}/{PACKS}"
    for _ in range(_LOOKS):  # what is gone from packs that went while they were read is forgotten with them
        try:
            status = os.stat(packs)  # noqa: PTH116 - for every thread that has no file
        except OSError:
            return None
        stamp = (status.st_ino, status.st_mtime_ns, *_stamp(f"{packs}/{gone_file.NAME}"))
        known = _loaded.get(folder)
        if known is not None and known.stamp == stamp and (known.is_settled or known.names == _names(packs)):
            return known.packs
        is_settled = time.time_ns() - status.st_mtime_ns > SETTLED_NS
        names = _names(packs)
        _loaded[folder] = _Loaded(stamp, names, is_settled, _read(Path(packs), names, known))
    return _loaded[folder].packs


@contextmanager
def packs_locked(folder: Path) -> Generator[None]:
    """One of ours at a time with the packs of a threads folder, and those of its histories. The lock is of the folder,
    so that the one of the packs can come and go. Raises as `thread_locked`."""
    with thread_locked(folder, f"{PACKS}/"):  # no thread's name
        yield


def next_path(folder: Path) -> Path:
    """A name for the next pack, newer than all packs that there are."""
    names = {*_names(f"{folder}/{PACKS}"), *_gone(folder / PACKS / gone_file.NAME).values()}
    number = max((_age(name)[0] for name in names), default=0)
    return folder / PACKS / f"pack-{number + 1:06d}-{os.urandom(3).hex()}{PACK}"


def take_out(folder: Path, stems: Iterable[str], last: str = "") -> None:
    """Note that threads are in no pack any more, on disk when this returns.

    Args:
        folder: the threads folder.
        stems: those that no pack holds are passed over.
        last: the name of the pack up to which that counts; unless told the newest that holds the thread, or one that
            is being written and may hold it: killed before it has looked what went meanwhile, nobody would.

    Raises:
        SensorloomError: that cannot be written.
    """
    written = last or _being_written(folder / PACKS)  # before the packs, of which it may be one by then
    packs = packs_of(str(folder))
    names = {stem: written or (packs and packs.newest_with(stem)) for stem in stems}
    gone_file.add(folder / PACKS / gone_file.NAME, {stem: name for stem, name in names.items() if name})


def unnamed(path: Path) -> Path:
    """Where a pack is written until it has its name. What a kill leaves there is cleared by the next one."""
    return path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")


def _being_written(packs: Path) -> str:
    """The name that a pack which is being written will have, newer than all that there are; empty for none."""
    try:
        names = [name for name in os.listdir(packs) if name.startswith(".") and PACK in name]  # noqa: PTH208
    except OSError:
        return ""
    return max((name.lstrip(".").partition(PACK)[0] + PACK for name in names), key=_age, default="")


def remove_empty(folder: Path) -> int:
    """Remove packs of which every thread is gone or stands in a newer one, not those that are damaged; how many. To be
    called under the lock of the packs. Where no pack is left, their folder goes too: nothing is written into it but
    under that lock, and to note what is gone from packs that there are."""
    packs = packs_of(str(folder))
    if packs is None:
        return 0
    used = packs.used()
    unused = [pack.path for pack in packs.packs if pack.path not in used and pack.path.name not in packs.unreadable]
    for path in unused:
        path.unlink(missing_ok=True)
    if not packs.unreadable and len(unused) == len(packs.packs):
        (folder / PACKS / gone_file.NAME).unlink(missing_ok=True)  # it was about packs that are no more
        with suppress(OSError):
            (folder / PACKS).rmdir()  # unless something of somebody else's is in it
    return len(unused)


def _names(packs: str) -> tuple[str, ...]:
    try:
        return tuple(sorted(name for name in os.listdir(packs) if name.endswith(PACK) and not name.startswith(".")))  # noqa: PTH208
    except FileNotFoundError:
        return ()
    except OSError as error:  # that there are none must not be believed: packs would be numbered and removed by it
        raise ThreadError(f"cannot list {packs}, where packs are: {system_reason(error)}") from error


def _age(name: str) -> tuple[int, str]:
    """By what packs are sorted, the oldest first. One that a person named otherwise is older than all of ours: it must
    not stand before what is packed here later."""
    match = _NUMBERED.match(name)
    return int(match[1]) if match else 0, name


def _stamp(path: Path | str) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 - for every thread that has no file
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _read(folder: Path, names: Iterable[str], known: _Loaded | None) -> Packs:
    earlier = {pack.path: pack for pack in known.packs.packs} if known else {}
    packs: list[Pack] = []
    unreadable: dict[str, str] = {}
    for name in sorted(names, key=_age, reverse=True):
        path = folder / name
        try:
            same = earlier.get(path)
            pack = same if same and same.stamp == _stamp(path) else open_pack(path)
            packs.append(pack)
            if not pack.has_end:
                unreadable[name] = (
                    f"{name}: the end of this pack is lost, {counted(len(pack), 'thread')} of it can be read; put a "
                    "whole copy of it in its place, or unpack these and remove it"
                )
        except FileNotFoundError:
            continue
        except OSError as error:
            unreadable[name] = f"{name}: a pack that cannot be read: {system_reason(error)}"
        except ThreadError as error:
            unreadable[name] = str(error)
    return Packs(tuple(packs), _gone(folder / gone_file.NAME), unreadable)


def _gone(path: Path) -> dict[str, str]:
    gone: dict[str, str] = {}
    for stem, pack in gone_file.lines(path):
        if (earlier := gone.get(stem)) is None or _age(earlier) < _age(pack):
            gone[stem] = pack
    return gone
