"""The rows of an export on their way to disk.

`load_dataset("json")` settles its columns on the first 10 MB, so the row that is richest in keys has to be the first.
That is only known at the end; but a row as rich as any is mostly among those first 10 MB. So they wait, the richest of
them goes before them, and what is in the spool then mostly is the file: everything is copied once more only when a
later row is richer, or when not all rows stay together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path

from core.export.entry import Entry
from core.export.output import HiddenFile

WAITING_BYTES = 10_000_000
"""Of rows that wait for a richer one."""
_RICHNESS = attrgetter("richness")


class Spool:
    """A hidden file with the rows of all threads that may leave, and those that are made of it."""

    def __init__(self, folder: Path, *, as_one_file: bool) -> None:
        self._stack = ExitStack()
        self._file = self._stack.enter_context(HiddenFile(folder, hashed=as_one_file))
        self._waiting: list[bytes] | None = []
        self._first: list[Entry] = []
        """Those whose rows wait, or waited."""
        self._most = 0
        """Keys of the first row."""
        self._count = 0
        self._size = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, entries: Sequence[Entry], rows: bytes | memoryview) -> None:
        """Take the rows of these threads, one after the other. Raises SensorloomError for a disk that is full."""
        for entry in entries:
            entry.start = self._size
            self._size += sum(entry.sizes)
        self._count += len(entries)
        if self._waiting is None:
            if entries and max(map(_RICHNESS, entries)) > self._most:
                self._file.forget_hash()
            self._file.write(rows)
            return
        self._waiting.append(bytes(rows))
        self._first += entries
        if self._size >= WAITING_BYTES:
            self._begin(self._waiting)

    def files(self, by_side: Mapping[str, Sequence[Entry]]) -> dict[str, HiddenFile]:
        """A hidden file for each side with the rows of its threads in this order."""
        if self._waiting is not None:
            self._begin(self._waiting)
        found: dict[str, HiddenFile] = {}
        for side, entries in by_side.items():
            if self._is_all(entries):
                found[side] = self._file
            else:
                spans = chain.from_iterable(entry.spans() for entry in entries)
                found[side] = self._stack.enter_context(self._file.copy(spans))
        return found

    def _begin(self, waiting: Sequence[bytes]) -> None:
        """Write the rows that wait, the richest of them first."""
        rows = memoryview(b"".join(waiting))
        self._waiting = None
        if not self._first:
            return
        richest = max(self._first, key=_RICHNESS)
        start, length = richest.start, sum(richest.sizes)
        for entry in self._first:
            if entry.start < start:
                entry.start += length
        richest.start = 0
        self._most = richest.richness
        for piece in (rows[start : start + length], rows[:start], rows[start + length :]):
            self._file.write(piece)

    def _is_all(self, entries: Sequence[Entry]) -> bool:
        """Whether these are the rows of the spool in its order."""
        starts = [entry.start for entry in entries]
        return len(entries) == self._count and starts == sorted(starts)


def richest_first(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The entries of each side, which come one side after the other; the one whose rows have most keys first."""
    sides = {side: list(some) for side, some in groupby(entries, attrgetter("side"))}
    for some in sides.values():
        richness = [one.richness for one in some]
        some.insert(0, some.pop(richness.index(max(richness))))
    return sides
