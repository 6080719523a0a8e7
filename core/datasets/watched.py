"""Raw files that say how far they were read, so that reading a long one can be followed, and stopped at once."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import IO, TYPE_CHECKING, cast

from core.datasets.archive import Raw, RawFile
from core.datasets.plan import Progress

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_BYTES = 1 << 20
"""So much is read between two looks."""

Watch = Callable[[str, int], None]
"""Told a file's name and the position up to which it was read. What it raises ends the reading."""


def watch(raw: Raw, watching: Watch) -> None:
    """Have every file of a raw dataset say how far it was read; not those that lie in a zip of it."""
    raw.files = [replace(file, open=partial(_opened, file, watching)) for file in raw.files]


class Following:
    """Progress that is told again with every chunk that is read of a raw file: a long one moves the bar, and what the
    progress raises ends it within a moment."""

    def __init__(self, raw: Raw, progress: Progress) -> None:
        self._progress = progress
        self._last = (0, sum(file.size for file in raw.files), f"looking at {raw.path.name}")
        self._read: dict[str, int] = {}
        self.in_bytes = True
        """Whether the work is counted in bytes that are read."""
        watch(raw, self._chunk)

    def told(self, done: int, total: int, what: str) -> None:
        """Begin with another part of the work."""
        self._last = (done, total, what)
        self._read.clear()
        self._progress(done, total, what)

    def _chunk(self, name: str, position: int) -> None:
        self._read[name] = max(position, self._read.get(name, 0))
        done, total, what = self._last
        inside = sum(self._read.values()) if self.in_bytes else 0
        self._progress(min(done + inside, total), total, what)


def _opened(file: RawFile, watching: Watch) -> IO[bytes]:
    return cast("IO[bytes]", io.BufferedReader(_Watched(file.open(), partial(watching, file.name)), CHUNK_BYTES))


class _Watched(io.RawIOBase):
    """A file that is read a chunk at a time, whatever is asked for."""

    def __init__(self, file: IO[bytes], watching: Callable[[int], None]) -> None:
        super().__init__()
        self._file = file
        self._watching = watching

    def readable(self) -> bool:
        """It is read, and never written."""
        return True

    def seekable(self) -> bool:
        """As the file is."""
        return self._file.seekable()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to another position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where it is."""
        return self._file.tell()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill a buffer, up to a chunk of it."""
        view = memoryview(buffer)
        data = self._file.read(min(len(view), CHUNK_BYTES))
        view[: len(data)] = data
        self._watching(self._file.tell())
        return len(data)

    def readall(self) -> bytes:
        """The rest of it."""
        parts: list[bytes] = []
        while data := self._file.read(CHUNK_BYTES):
            self._watching(self._file.tell())
            parts.append(data)
        return b"".join(parts)

    def close(self) -> None:
        """Close the file, too."""
        if not self.closed:
            self._file.close()
        super().close()
