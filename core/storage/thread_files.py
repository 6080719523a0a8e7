"""The threads folder as a folder: which files it has, and their bytes.

A thread is addressed by its file's stem. A stem is only ever taken from a folder listing or made by
`core.storage.store.new_id`, so no text from a model or a file becomes a path.
"""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path

import msgspec

from core.errors import SensorloomError, ThreadError, system_reason
from core.thread.json_form import MAX_BYTES

SETTLED_NS = 2_000_000_000
"""A file changed this shortly before it was looked at may have changed again within one tick of its clock: its size and
time do not tell yet."""
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
    return stem if stem.endswith(ROWS) else f"{stem}.json"


def rows_problem(stem: str) -> str:
    """Why what is listed under a stem is no thread, where it is a file of rows; else empty."""
    if not stem.endswith(ROWS):
        return ""
    return f"{stem}: rows of training data, no thread; `sensorloom import-threads {stem}` makes threads of them"


def stems(folder: Path) -> list[str]:
    """The stems of all thread files, sorted. An absent folder holds none. Raises SensorloomError for one that cannot be
    listed."""
    try:
        return sorted([name[:-5] for name in os.listdir(folder) if is_thread_file(name)])  # noqa: PTH208 - half the time
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unlistable(folder, error) from error


def unlistable(folder: Path, error: OSError) -> SensorloomError:
    """One sentence about a folder that cannot be listed, and why."""
    return SensorloomError(f"cannot list {folder}: {system_reason(error)}")


def more_than(folder: Path, count: int) -> bool:
    """Whether a folder holds more files than that, without going through all of them."""
    try:
        with os.scandir(folder) as entries:
            return next(islice(entries, count, None), None) is not None
    except OSError:
        return False


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


def read_bytes(path: Path) -> bytes:
    """A thread file's bytes, only from a regular file of a size we accept. Raises ThreadError."""
    if problem := rows_problem(path.name):
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
        raise ThreadError(f"{path.name}: there is no such thread in {path.parent}") from error
    except OSError as error:
        raise ThreadError(f"{path.name}: {system_reason(error)}") from error


class RegularFile(msgspec.Struct, gc=False):
    """A file's bytes, with its size and time as they were when it was opened."""

    data: bytes
    size: int
    mtime_ns: int


def read_regular(path: str) -> RegularFile | None:
    """A thread file's bytes in four system calls; None for whatever needs a closer look, which `read_bytes` takes."""
    try:
        handle = os.open(path, _READ)
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


def stamp_of(path: str) -> tuple[int, int] | None:
    """A file's size and time, by which one knows whether it changed; None when it is not there."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path for each of many thousands takes as long again
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
