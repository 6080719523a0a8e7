"""The threads folder as a folder: which threads it has, and their bytes, whether each has a file or stands in a pack.

A thread is addressed by its file's stem; one without a file may stand in a pack (`core.storage.packed`), which only
this module and `core.curate.packing` know of. A stem is only ever taken from a folder listing or made by
`core.storage.store.new_id`, so no text from a model or a file becomes a path.
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.errors import SensorloomError, ThreadError, system_reason
from core.storage.atomic import digest, sync_folder
from core.thread.json_form import MAX_BYTES, one_line
from core.workspace import PACK, PACKS

if TYPE_CHECKING:
    from core.storage.pack_file import PackedFile
    from core.storage.packed import InPack, Packs

_LOOKS = 3
"""How often a folder is listed again at most while it changes from packs to files and back."""
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


ROWS = ".jsonl"
"""The ending of files of rows. One that lies among the threads is listed, under its whole name, and is no thread."""


def is_thread_file(name: str) -> bool:
    """Whether a file name in the folder is a thread's: `*.json`, not hidden."""
    return name.endswith(".json") and not name.startswith(".")


def listed_as(name: str) -> str:
    """The stem under which a file of the folder is listed; empty for one that is not."""
    if name.startswith("."):
        return ""
    return name[:-5] if name.endswith(".json") else name if name.endswith(ROWS) else ""


def file_name(stem: str) -> str:
    """The name of the file that is listed under a stem."""
    return stem if stem.endswith((ROWS, PACK)) else f"{stem}.json"


def no_thread_problem(folder: Path, stem: str) -> str:
    """Why what is listed under a stem is no thread, where it is a file of rows, or a pack that cannot be read; else
    empty."""
    if stem.endswith(PACK):
        packs = packs_in(folder)
        return packs.unreadable.get(stem, "") if packs else ""
    return rows_problem(stem)


def rows_problem(stem: str) -> str:
    """Why what is listed under a stem is no thread, where it is a file of rows; else empty."""
    if not stem.endswith(ROWS):
        return ""
    return f"{stem}: rows of training data, no thread; `sensorloom import-threads {stem}` makes threads of them"


def stems(folder: Path) -> list[str]:
    """The stems of all threads, sorted. An absent folder holds none. Raises SensorloomError for one that cannot be
    listed."""
    had_packs = packs_in(folder) is not None  # the last may be unpacked in between
    try:
        files = [name[:-5] for name in os.listdir(folder) if is_thread_file(name)]  # noqa: PTH208 - half the time
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unlistable(folder, error) from error
    packs = packs_in(folder)
    if packs is None and not had_packs:
        return sorted(files)
    unpacked = (stem for stem in _files(folder)[0] if not stem.endswith(ROWS))  # in between, they are in neither
    in_packs = () if packs is None else packs.listed()
    return sorted({*files, *(stem for stem, *_ in in_packs), *unpacked})


def listing(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Stem, size and time (ns) of every file, the newest first, then of every packed thread in the order in which they
    are read quickest; each stem once. An absent folder holds none. Raises SensorloomError for one that cannot be
    listed."""
    packs, files = packs_in(folder), _files(folder)
    for _ in range(_LOOKS):
        before, packs = packs, packs_in(folder)
        if packs is before:
            break
        files = _files(folder)  # something was packed or unpacked in between, and may be in neither list
    names, sizes, times = files
    for number in sorted(range(len(names)), key=times.__getitem__, reverse=True):
        yield names[number], sizes[number], times[number]
    if packs is None:
        return
    in_files = set(names)
    yield from (row for row in packs.listed() if row[0] not in in_files)
    for name in packs.unreadable:
        size, mtime_ns = stamp_of(f"{folder}/{PACKS}/{name}") or (0, 0)
        yield name, size, mtime_ns


def _files(folder: Path) -> tuple[list[str], array[int], array[int]]:
    """Stems, sizes and times of the files: columns, since of a million rows each would be three times as large."""
    names, sizes, times = list[str](), array("q"), array("q")
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if stem := listed_as(entry.name):
                    size, mtime_ns = 0, 0
                    with suppress(OSError):
                        stat = entry.stat()
                        size, mtime_ns = stat.st_size, stat.st_mtime_ns
                    names.append(stem)
                    sizes.append(size)
                    times.append(mtime_ns)
    except (FileNotFoundError, NotADirectoryError):
        return [], array("q"), array("q")
    except OSError as error:
        raise unlistable(folder, error) from error
    return names, sizes, times


def unlistable(folder: Path, error: OSError) -> SensorloomError:
    """One sentence about a folder that cannot be listed, and why."""
    return SensorloomError(f"cannot list {folder}: {system_reason(error)}")


def is_stem(text: str) -> bool:
    """Whether a text can be a thread's id: the name of a file inside the folder."""
    return text != "" and text[0] != "." and "/" not in text and "\\" not in text and "\0" not in text


def path_of(folder: Path, stem: str) -> Path:
    """Where a thread's file is. Raises ThreadError for a stem that would leave the folder."""
    if not is_stem(stem):
        raise ThreadError(
            f"{stem}.json: a name that cannot be a thread's id; name it without `/`, `\\` and a dot first"
        )
    return folder / file_name(stem)


def exists(folder: Path, stem: str) -> bool:
    """Whether a thread is there. Raises ThreadError for a stem that would leave the folder."""
    path = path_of(folder, stem)
    return path.exists() or find_packed(folder, stem) is not None or path.exists()  # unpacked in between


def read_bytes(path: Path) -> bytes:
    """A thread file's bytes, only from a regular file of a size we accept, or from a pack. Raises ThreadError."""
    if problem := no_thread_problem(path.parent, path.name):
        raise ThreadError(problem)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ThreadError(f"{path.name}: not a regular file")
        if status.st_size > MAX_BYTES:
            raise ThreadError(
                f"{path.name}: {status.st_size / 1e6:.0f} MB is over the limit of {MAX_BYTES / 1e6:.0f} MB for a thread"
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        if (packed := packed_bytes(path)) is not None:
            return packed
        with suppress(OSError):
            return path.read_bytes()  # it was unpacked in between
        raise ThreadError(f"{path.name}: there is no such thread in {path.parent}") from error
    except OSError as error:
        raise ThreadError(f"{path.name}: {system_reason(error)}") from error


def packs_in(folder: Path | str) -> Packs | None:
    """The packs of a threads folder; None where there are none. Raises ThreadError."""
    if not os.path.isdir(f"{folder}/{PACKS}"):  # noqa: PTH112 - all that a folder without packs pays
        return None
    from core.storage.packed import packs_of

    return packs_of(str(folder))


def find_packed(folder: Path | str, stem: str) -> InPack | None:
    """Where a thread that has no file stands in a pack; None where it does not. Raises ThreadError."""
    packs = packs_in(folder)
    return None if packs is None else packs.find(stem)


def packed_bytes(path: Path) -> bytes | None:
    """The bytes of the thread whose file would be at `path`, from a pack; None where it is in none. Raises
    ThreadError."""
    in_pack = find_packed(path.parent, path.stem) if is_thread_file(path.name) else None
    try:
        return in_pack and in_pack.file.data
    except FileNotFoundError:
        return None  # the pack went away just now, and the thread with it


def file_of(folder: Path, stem: str) -> Path:
    """The file a thread is in: its own, or its pack. Raises ThreadError."""
    path = path_of(folder, stem)
    in_pack = None if path.exists() else find_packed(folder, stem)
    return in_pack.pack.path if in_pack else path


def thread_stamp(folder: Path, stem: str) -> tuple[int, int]:
    """The size and time of a thread's file, or those it was packed with. Raises ThreadError where it is in neither."""
    path = path_of(folder, stem)
    for _ in range(2):  # it may be unpacked in between
        if stamp := stamp_of(str(path)):
            return stamp
        if in_pack := find_packed(folder, stem):
            return in_pack.stamp
    raise ThreadError(f"{path.name}: there is no such thread in {folder}")


def remove(folder: Path, stem: str) -> None:
    """Remove a thread, its file and what packs hold of it. To be called under the thread's lock.

    Raises:
        ThreadError: it cannot be removed.
    """
    path = path_of(folder, stem)
    try:
        if packs_in(folder) is not None:
            from core.storage.packed import take_out

            take_out(folder, [stem])  # first: what is packed must not show in the place of a file that went
            path.unlink(missing_ok=True)
        else:
            path.unlink()
    except OSError as error:
        raise ThreadError(f"cannot remove {path}: {system_reason(error)}") from error
    sync_folder(folder)


class RegularFile(msgspec.Struct, gc=False):
    """A file's bytes, with its size and time as they were when it was opened."""

    data: bytes
    size: int
    mtime_ns: int

    @property
    def line(self) -> bytes:
        """Its JSON on one line. Raises msgspec.DecodeError where it is none."""
        return one_line(self.data)

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes."""
        return digest(self.data)


def read_regular(path: str) -> RegularFile | PackedFile | None:
    """A thread's bytes in four system calls, or from a pack; None for whatever needs a closer look, which `read_bytes`
    takes."""
    try:
        handle = os.open(path, _READ)
    except FileNotFoundError:
        return _packed_file(path)
    except OSError:
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return None
        data = os.read(handle, status.st_size + 1)
        return RegularFile(data, status.st_size, status.st_mtime_ns) if len(data) == status.st_size else None
    except OSError:
        return None
    finally:
        os.close(handle)


def _packed_file(path: str) -> PackedFile | None:
    folder, _, name = path.rpartition("/")
    try:
        in_pack = find_packed(folder, name.removesuffix(".json"))
        return in_pack and in_pack.file
    except (OSError, ThreadError):
        return None


def stamp_of(path: str) -> tuple[int, int] | None:
    """A file's size and time, by which one knows whether it changed; None when it is not there, or in a pack."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path for each of many thousands takes as long again
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
