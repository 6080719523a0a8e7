"""Packing threads, many in one file, and putting them back as files; nothing of what they hold changes.

With a thread goes its history, into packs of its own. A file is removed only when the pack that holds it is on the
disk and gives the same bytes back, and when the file still is what was packed. Whatever moment the program is killed
at, each thread and each history is in its files, in a pack, or in both, of which the files count.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from core.curate.bulk import ABANDONED_SEC, Progress, for_each
from core.errors import SensorloomError, ThreadError, UsageError, system_reason
from core.files import SETTLED_NS
from core.storage import history_files, history_packing, pack_file, packed
from core.storage.atomic import clear_half_written, digest, sync_folder, write_atomic
from core.storage.locks import thread_locked
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
    histories: Packing | None = None
    """The same of the threads' histories."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is packed of threads: they themselves, or their histories."""

    folder: Path
    """In which `packs/` is."""
    file_of: Callable[[str], Path]
    """The file that counts while it is there."""
    read: Callable[[str], Packed | None]
    """What is put into a pack; None where nothing is there any more. Raises SensorloomError for what stays a file."""
    is_as_packed: Callable[[str, Packed, int], bool]
    """Whether the files still are what was packed since a time (ns)."""
    remove: Callable[[str], None]
    """Removes the files."""
    to_files: Callable[[str], bool]
    """Makes files of what is packed; False where they are there, or nothing is packed. Raises SensorloomError."""
    block_bytes: int


def _threads(folder: Path) -> _Kind:
    return _Kind(
        folder,
        partial(path_of, folder),
        partial(_read, folder),
        partial(_is_as_packed, folder),
        lambda stem: path_of(folder, stem).unlink(),
        partial(_to_file, folder),
        pack_file.BLOCK_BYTES,
    )


def _histories(workspace: Workspace) -> _Kind:
    return _Kind(
        history_files.folder(workspace),
        lambda stem: history_files.files_of(workspace, stem)[0],
        partial(history_packing.packed, workspace),
        partial(history_packing.is_as_packed, workspace),
        partial(history_packing.remove_files, workspace),
        partial(history_files.to_files, workspace),
        history_packing.BLOCK_BYTES,
    )


def pack(workspace: Workspace, stems: Iterable[str], *, progress: Progress | None = None) -> Packing:
    """Put threads into packs, at most `MOST` in each, in the order of their names, and the histories of those that are
    packed then. What is packed already stays.

    Raises:
        UsageError: these are the threads of an evaluation.
        SensorloomError: a pack cannot be written, or does not give back what was put in; no file was removed for it.
    """
    if holds_evaluations(workspace):
        raise UsageError("the threads of an evaluation stay files, one for each")
    folder = workspace.threads
    chosen = sorted(stem for stem in dict.fromkeys(stems) if is_thread_file(path_of(folder, stem).name))
    if not chosen:
        return Packing((), histories=Packing(()))
    with packed.packs_locked(folder):
        done = _into_packs(folder, _threads(folder), chosen, progress)
        without_file = [stem for stem in chosen if not path_of(folder, stem).exists() and find_packed(folder, stem)]
        for stem in without_file:
            history_packing.remove_left(workspace, stem)
        histories = _into_packs(folder, _histories(workspace), without_file, progress)
        return replace(done, histories=_with_lost(workspace, histories))


def unpack(workspace: Workspace, stems: Iterable[str], *, progress: Progress | None = None) -> Packing:
    """Put packed threads and their histories back as files, byte for byte and with the times they had. Packs of which
    nothing is left are removed. What is a file already stays, and is taken out of the packs.

    Raises:
        SensorloomError: the folder cannot be written.
    """
    chosen = list(dict.fromkeys(stems))
    histories = _histories(workspace)
    if not chosen or (packs_in(workspace.threads) is None and packs_in(histories.folder) is None):
        return Packing((), histories=Packing(()))
    with packed.packs_locked(workspace.threads):
        of_histories = _out_of_packs(workspace, histories, chosen, progress)  # first: threads are what is looked for
        done = _out_of_packs(workspace, _threads(workspace.threads), chosen, progress)
    return replace(done, histories=_with_lost(workspace, of_histories))


def packed_stems(workspace: Workspace) -> list[str]:
    """The stems of the threads that packs hold, or their histories, sorted, those included that have a file which
    counts. Raises ThreadError."""
    every = (packs_in(workspace.threads), packs_in(history_files.folder(workspace)))
    return sorted({stem for packs in every if packs is not None for stem in packs.stems()})


def _with_lost(workspace: Workspace, histories: Packing) -> Packing:
    """With what is said of packs of histories that cannot be read, of which no list of threads tells."""
    return replace(histories, problems=(*histories.problems, *history_files.problems(workspace)))


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


def _into_packs(threads: Path, kind: _Kind, stems: Iterable[str], progress: Progress | None) -> Packing:
    """Pack those that have a file. To be called under the lock of the packs."""
    chosen = [stem for stem in stems if kind.file_of(stem).exists()]
    done = Packing(())
    if not chosen:
        return done
    folder = kind.folder / PACKS
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SensorloomError(f"cannot make {folder}: {system_reason(error)}") from error
    clear_half_written(folder)
    clear_half_written(kind.folder, ABANDONED_SEC)
    for start in range(0, len(chosen), MOST):
        told = partial(_told, progress, start, len(chosen))
        done = _joined(done, _one_pack(threads, kind, chosen[start : start + MOST], told))
    packed.remove_empty(kind.folder)
    return done


def _out_of_packs(workspace: Workspace, kind: _Kind, stems: Sequence[str], progress: Progress | None) -> Packing:
    """Make files of what is packed. To be called under the lock of the packs."""
    clear_half_written(kind.folder, ABANDONED_SEC)
    if packs_in(kind.folder) is None:
        return Packing(())
    written: list[str] = []
    problems: list[str] = []

    def to_files(stem: str) -> bool:
        with thread_locked(workspace.threads, stem):
            return kind.to_files(stem)

    for stem, done in for_each(workspace, stems, to_files, progress):
        if isinstance(done, SensorloomError):
            problems.append(str(done))
        elif done:
            written.append(stem)
    sync_folder(kind.folder)
    packed.take_out(kind.folder, (stem for stem in stems if kind.file_of(stem).exists()))
    clear_half_written(kind.folder / PACKS)
    removed = packed.remove_empty(kind.folder)
    return Packing(tuple(written), removed, problems=tuple(problems))


def _one_pack(threads: Path, kind: _Kind, stems: Sequence[str], told: Callable[[int], None]) -> Packing:
    """Write a pack of these, read it back, give it its name, and remove the files."""
    started_ns = time.time_ns()
    members: dict[str, Packed] = {}
    problems: list[str] = []

    def every() -> Iterator[Packed]:
        for done, stem in enumerate(stems, 1):
            try:
                member = kind.read(stem)
            except SensorloomError as error:
                problems.append(str(error))
                member = None
            if member is not None:
                members[stem] = msgspec.structs.replace(member, line=b"")
                yield member
            if done % _A_BLOCK == 0 or done == len(stems):
                told(done)

    path = packed.next_path(kind.folder)
    unnamed = packed.unnamed(path)
    write_atomic(unnamed, pack_file.pieces(every(), kind.block_bytes))
    if not members:
        unnamed.unlink()
        return Packing((), problems=tuple(problems))
    _read_back(unnamed, path, members)
    packed.take_out(kind.folder, (stem for stem in members if not kind.file_of(stem).exists()), path.name)
    unnamed.rename(path)
    sync_folder(path.parent)
    removed = _remove_files(threads, kind, members, path.name, started_ns)
    size = sum(members[stem].size for stem in removed)
    return Packing(tuple(removed), 1, size, path.stat().st_size, tuple(problems))


def _read(folder: Path, stem: str) -> Packed | None:
    path = path_of(folder, stem)
    file = read_regular(str(path))
    if file is None or stamp_of(str(path)) is None:
        return None  # deleted meanwhile, or nothing that can be read
    thread = pack_file.packed(stem, file.data, file.mtime_ns)
    if thread is None:
        raise ThreadError(f"{path.name}: stays a file, since a pack could not give it back byte for byte")
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


def _remove_files(threads: Path, kind: _Kind, members: Mapping[str, Packed], pack: str, started_ns: int) -> list[str]:
    """Remove the files of what is packed that still are what was packed. What was deleted while the pack got its name
    must not come back with it."""
    removed: list[str] = []
    for stem, member in members.items():
        with thread_locked(threads, stem):
            if kind.is_as_packed(stem, member, started_ns):
                kind.remove(stem)
                removed.append(stem)
            elif not kind.file_of(stem).exists():
                packed.take_out(kind.folder, [stem], pack)
    sync_folder(kind.folder)
    return removed


def _is_as_packed(folder: Path, stem: str, thread: Packed, started_ns: int) -> bool:
    path = path_of(folder, stem)
    if stamp_of(str(path)) != (thread.size, thread.mtime_ns):
        return False
    if thread.mtime_ns < started_ns - SETTLED_NS:
        return True
    file = read_regular(str(path))  # changed again within one tick of its clock it would have the same time
    return file is not None and digest(file.data) == thread.digest.hex()


def _to_file(folder: Path, stem: str) -> bool:
    path = path_of(folder, stem)
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
