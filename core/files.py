"""Reading files of a folder that may be somebody else's, where a name can stand for a pipe or a device."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


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
