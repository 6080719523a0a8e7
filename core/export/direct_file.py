"""Writing a large file past the system's cache.

Hundreds of megabytes that nobody reads soon would push out of it what is read again, threads and models; new memory for
them can take longer than filling it; and in the end one would wait for the disk all the same.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from mmap import mmap

BLOCK_BYTES = 2 << 20
"""Written at once. Past the cache go only whole pages, from memory that begins where one does."""
_MANY_BYTES = 32 << 20
_DIRECT: int = getattr(os, "O_DIRECT", 0)


class DirectFile:
    """A file written from its beginning to its end; through the cache where there is no other way."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._block = mmap(-1, BLOCK_BYTES)
        self._filled = 0
        self._written = 0
        self._handed_over = 0
        self._direct = bool(_DIRECT) and self._switched(_DIRECT)

    def write(self, data: bytes | memoryview) -> None:
        """Add some; they may wait until there are more. Raises OSError."""
        rest = memoryview(data)
        while rest:
            some = rest[: BLOCK_BYTES - self._filled]
            self._block[self._filled : self._filled + len(some)] = some
            self._filled += len(some)
            rest = rest[len(some) :]
            if self._filled == BLOCK_BYTES:
                self._put()

    def flush(self) -> None:
        """Write what waits, after which the file can be read as any other. Raises OSError."""
        self._through_cache()
        self._put()

    def _put(self) -> None:
        with memoryview(self._block) as block:
            place, end = 0, self._filled
            while place < end:
                try:
                    place += os.write(self._handle, block[place:end])
                except OSError:
                    if not self._direct:
                        raise
                    self._through_cache()  # a file system that said it could, or a disk that was nearly full
        self._written += self._filled
        self._filled = 0
        if not self._direct and self._written - self._handed_over > _MANY_BYTES:
            self._hand_over()

    def _through_cache(self) -> None:
        if self._direct:
            self._switched(0)
            self._direct = False

    def _switched(self, direct: int) -> bool:
        """Whether the file system knows the way."""
        flags = fcntl.fcntl(self._handle, fcntl.F_GETFL)
        try:
            fcntl.fcntl(self._handle, fcntl.F_SETFL, flags & ~_DIRECT | direct)
        except OSError:
            return False
        return True

    def _hand_over(self) -> None:
        """Let the disk begin with what is there, so that nobody need wait for all of it in the end."""
        if hasattr(os, "posix_fadvise"):
            start, length = self._handed_over, self._written - self._handed_over
            with suppress(OSError):  # it is only advice
                os.posix_fadvise(self._handle, start, length, os.POSIX_FADV_DONTNEED)
        self._handed_over = self._written
