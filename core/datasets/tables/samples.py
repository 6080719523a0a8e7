"""The samples of a recording beside the memory: put by on the disk as they are read, and read again in stretches."""

from __future__ import annotations

import weakref
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.session import Samples

IN_MEMORY_BYTES = 1 << 25
"""So many bytes of a recording stay in memory."""
BLOCK_ROWS = 1 << 16
"""So many rows are worked on at once."""
_CHUNK_ROWS, _CHUNKS = 1 << 15, 8
"""Numbers are looked at in whole chunks of rows, evenly spread: in all of them up to 262,144 rows."""


class SampleStore:
    """Rows of float64 numbers, in the order in which they are added."""

    def __init__(self, columns: int, scratch: Path | None) -> None:
        """`scratch` is a folder for the file, the system's own unless told."""
        self._columns = columns
        self._scratch = scratch
        self._parts: list[Samples] = []
        self._file: IO[bytes] | None = None
        self.rows = 0

    def add(self, block: Samples) -> None:
        """Put rows by, shape (n, columns)."""
        self.rows += len(block)
        if self._file is None and self.rows * self._columns * 8 > IN_MEMORY_BYTES:
            if self._scratch:
                self._scratch.mkdir(parents=True, exist_ok=True)
            self._file = TemporaryFile(dir=self._scratch)
            weakref.finalize(self, self._file.close)
            for part in self._parts:
                self._file.write(part.tobytes())
            self._parts = []
        if self._file is None:
            self._parts.append(np.ascontiguousarray(block, dtype=np.float64))
        else:
            self._file.write(np.ascontiguousarray(block, dtype=np.float64).tobytes())

    def read(self, first: int, last: int) -> Samples:
        """Rows `first` to before `last`, shape (n, columns)."""
        first, last = max(first, 0), min(last, self.rows)
        if self._file is None:
            if len(self._parts) != 1:
                self._parts = [np.concatenate(self._parts) if self._parts else np.zeros((0, self._columns))]
            return self._parts[0][first:last]
        self._file.seek(first * self._columns * 8)
        data = self._file.read(max(last - first, 0) * self._columns * 8)
        return np.frombuffer(data, dtype=np.float64).reshape(-1, self._columns)

    def at(self, rows: NDArray[np.integer]) -> Samples:
        """Some rows, shape (n, columns), in the order in which they are asked for."""
        if not len(rows):
            return np.zeros((0, self._columns))
        parts = [self._near(rows[at : at + BLOCK_ROWS]) for at in range(0, len(rows), BLOCK_ROWS)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _near(self, rows: NDArray[np.integer]) -> Samples:
        first, last = int(rows.min()), int(rows.max()) + 1
        if last - first > 16 * BLOCK_ROWS:
            return np.concatenate([self.read(row, row + 1) for row in rows.tolist()])
        return self.read(first, last)[rows - first]


class Growing:
    """One number of each row, in memory, without ever being there twice."""

    def __init__(self, kind: type[np.generic]) -> None:
        self._numbers = np.empty(0, dtype=kind)
        self._rows = 0

    def add(self, block: NDArray[Any]) -> None:
        """The numbers of the next rows."""
        rows = self._rows + len(block)
        if rows > len(self._numbers):
            self._numbers.resize(max(rows, len(self._numbers) * 5 // 4), refcheck=False)
        self._numbers[self._rows : rows] = block
        self._rows = rows

    def all(self) -> NDArray[Any]:
        """All of them; nothing can be added afterwards."""
        self._numbers.resize(self._rows, refcheck=False)
        return self._numbers


class Spread:
    """Chunks of rows from all over a recording: by them units and rates are told, in memory that has a bound. Which
    rows they are depends on nothing but how many there are."""

    def __init__(self) -> None:
        self._chunks: dict[int, list[Samples]] = {}
        self._stride = 1
        self._rows = 0

    def add(self, block: Samples) -> None:
        """The next rows, shape (n,) or (n, columns)."""
        at = 0
        while at < len(block):
            number, inside = divmod(self._rows, _CHUNK_ROWS)
            part = block[at : at + _CHUNK_ROWS - inside]
            if number % self._stride == 0:
                self._chunks.setdefault(number, []).append(np.array(part))
                if len(self._chunks) > _CHUNKS:
                    self._stride *= 2
                    self._chunks = {at: rows for at, rows in self._chunks.items() if at % self._stride == 0}
            at += len(part)
            self._rows += len(part)

    def rows(self) -> Samples:
        """The rows that were chosen, in their order."""
        return np.concatenate([part for parts in self._chunks.values() for part in parts])


def usual_step(time_ns: NDArray[np.int64]) -> float:
    """The middle step from one row to the next later one, in nanoseconds; 0 where there is none. Of long recordings
    the steps inside of evenly spread chunks."""
    chunks = -(-len(time_ns) // _CHUNK_ROWS)
    every = max(chunks // _CHUNKS, 1)
    if every == 1:
        steps = np.diff(time_ns)
    else:
        starts = range(0, len(time_ns), every * _CHUNK_ROWS)
        steps = np.concatenate([np.diff(time_ns[start : start + _CHUNK_ROWS]) for start in starts])
    rising = steps[steps > 0]
    return float(np.median(rising)) if len(rising) else 0.0
