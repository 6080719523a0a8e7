"""What rests on a whole table and is dear to make, kept in the process: made once, whoever asks at the same time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from tools.session import FeatureTable

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Value]):
    table: FeatureTable
    """What it rests on, held so that no other table gets its identity."""
    value: Value
    size: int


class MemoryCache(Generic[Value]):
    """Values of one sort, the last used of them, as many as fit in so many bytes. All methods may be called from any
    thread. One value is made at a time: making one of a large table takes several times its memory."""

    def __init__(self, most_bytes: int, size_of: Callable[[Value], int]) -> None:
        """Args: `size_of` tells the bytes of a value; the table that it rests on is not counted."""
        self._most = most_bytes
        self._size_of = size_of
        self._entries: OrderedDict[tuple[str, Hashable], _Entry[Value]] = OrderedDict()
        self._lock = Lock()
        self._making = Lock()

    def of(self, dataset: str, table: FeatureTable, about: Hashable, make: Callable[[], Value]) -> Value:
        """The value that rests on this table of the dataset and is told apart by `about`; what `make` gives where
        there is none yet. Those of the dataset's earlier tables are let go of. Raises what `make` raises."""
        key = (dataset, about)
        if (entry := self._used(key, table)) is not None:
            return entry.value
        with self._making:
            if (entry := self._used(key, table)) is None:
                value = make()
                entry = _Entry(table, value, self._size_of(value))
                self._keep(key, entry)
        return entry.value

    def _used(self, key: tuple[str, Hashable], table: FeatureTable) -> _Entry[Value] | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.table is not table:
                return None
            self._entries.move_to_end(key)
            return entry

    def _keep(self, key: tuple[str, Hashable], entry: _Entry[Value]) -> None:
        with self._lock:
            of_dataset = [other for other in self._entries if other[0] == key[0]]
            for other in of_dataset:
                if self._entries[other].table is not entry.table:
                    del self._entries[other]
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > 1 and sum(each.size for each in self._entries.values()) > self._most:
                self._entries.popitem(last=False)
