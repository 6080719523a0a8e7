"""The rows of an export between making and choosing: which of them stay, on which side, and which stands first is known
only at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path

from core.export.entry import Entry, Span
from core.export.staging import refusals_of

_CHUNK = 1 << 20
"""Bytes that are copied at a time."""


class RowBuffer:
    """A file with the rows of all threads that may leave; the training files are put together from it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        with refusals_of(path):
            self._file = path.open("w+b")

    def __enter__(self) -> RowBuffer:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, entries: Sequence[Entry], rows: bytes) -> None:
        """Take the rows of these threads, one after the other. Raises SensorloomError for a disk that is full."""
        for entry in entries:
            entry.start = self._size
            self._size += sum(entry.row_sizes)
        with refusals_of(self._path):
            self._file.write(rows)

    def write(self, path: Path, entries: Sequence[Entry]) -> tuple[int, str]:
        """Make a training file of these threads' rows in this order; its size in bytes and its SHA-256."""
        spans = _joined(chain.from_iterable(entry.spans() for entry in entries))
        sha256, size = hashlib.sha256(), 0
        with refusals_of(path), path.open("xb") as file:
            for start, end in spans:
                self._file.seek(start)
                while start < end:
                    if not (piece := self._file.read(min(end - start, _CHUNK))):
                        raise OSError("the rows ended early")
                    file.write(piece)
                    sha256.update(piece)
                    start += len(piece)
                    size += len(piece)
        return size, sha256.hexdigest()


def richest_first(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The entries of each side, which come one side after the other; the one whose rows have most keys first, since
    `load_dataset("json")` settles its columns on the first 10 MB."""
    by_side = {side: list(of_side) for side, of_side in groupby(entries, attrgetter("side"))}
    for of_side in by_side.values():
        of_side.insert(0, of_side.pop(max(range(len(of_side)), key=lambda number: of_side[number].richness)))
    return by_side


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans with neighbours joined."""
    joined: Span | None = None
    for start, end in spans:
        if joined is not None and start == joined[1]:
            joined = joined[0], end
            continue
        if joined is not None:
            yield joined
        joined = start, end
    if joined is not None:
        yield joined
