"""Reading files of a folder that may be somebody else's, where a name can stand for a pipe or a device; and replacing a
small one of our own whole. What a person made is written by `core.storage.atomic`, which also waits for the disk."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from io import BufferedReader
from pathlib import Path

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

SETTLED_NS = 2_000_000_000
"""A file or a folder changed this shortly before it was looked at may have changed again within one tick of its clock:
its size and time do not tell yet."""


def open_regular_file(path: Path) -> BufferedReader:
    """Open a file for reading, only where it is a regular file: a pipe would be waited for, and `/dev/zero` never ends.

    Raises:
        OSError: it is missing, cannot be read, or is no regular file.
    """
    file = os.fdopen(os.open(path, _READ), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return file


def read_regular_file(path: Path) -> bytes:
    """A regular file's bytes. Raises as `open_regular_file`."""
    with open_regular_file(path) as file:
        return file.read()


def replace_file(path: Path, data: bytes) -> None:
    """Put a file of these bytes in the place of `path`, readable by its owner alone; a reader never sees half of it.

    Raises:
        OSError: it cannot be written; what was there stays as it was.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
