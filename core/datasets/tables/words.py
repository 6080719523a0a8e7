"""The cells of a column of words, such as labels and people: a number for each row, and what the numbers stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.datasets.tables.samples import BLOCK_ROWS, Growing

if TYPE_CHECKING:
    from numpy.typing import NDArray


NO_LABEL = {"", "nan", "none", "null", "n/a", "unlabelled", "unlabeled", "unknown", "undefined"}
"""What stands where no activity was noted."""


def told(text: object) -> str:
    """A cell as a label or subject: a whole number without its decimals, and no blanks around; empty for none."""
    if isinstance(text, float) and text.is_integer():
        text = int(text)
    plain = str(text).strip()
    return "" if plain.lower() in NO_LABEL else plain


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A column of words."""

    numbers: NDArray[np.int32]
    """Shape (n,), -1 where a row has none."""
    names: tuple[str, ...]
    """Sorted; what the numbers stand for."""

    def at(self, rows: NDArray[Any]) -> Words:
        """Those of some rows, with the same names."""
        return Words(self.numbers[rows], self.names)

    def called(self, names: Mapping[str, str]) -> Words:
        """The same with other names, where they are told; the empty one for none."""
        told_names = [names.get(name, name) for name in self.names]
        every = tuple(sorted({*told_names} - {""}))
        rank = {name: at for at, name in enumerate(every)} | {"": -1}
        number = np.array([*(rank[name] for name in told_names), -1], dtype=np.int32)
        return Words(number[self.numbers], every)


class WordsRead:
    """A column of words that is being read block by block."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {"": -1}
        self._numbers = Growing(np.int32)

    def add(self, column: Any) -> None:
        """Arrow's column of the next rows."""
        for chunk in column.chunks:
            distinct = chunk.dictionary_encode()
            number = [
                self._known.setdefault(told(word), len(self._known) - 1) for word in distinct.dictionary.to_pylist()
            ]
            own = np.asarray(distinct.indices.fill_null(len(number)).to_numpy(), dtype=np.int64)
            self._numbers.add(np.array([*number, -1], dtype=np.int32)[own])

    def words(self) -> Words:
        """All of it."""
        names = tuple(sorted(self._known.keys() - {""}))
        rank = {name: at for at, name in enumerate(names)} | {"": -1}
        order = np.full(len(self._known), -1, dtype=np.int32)
        for name, number in self._known.items():
            order[number] = rank[name]
        numbers = self._numbers.all()
        for at in range(0, len(numbers), BLOCK_ROWS):
            numbers[at : at + BLOCK_ROWS] = order[numbers[at : at + BLOCK_ROWS]]
        return Words(numbers, names)


def rows_each(numbers: NDArray[np.int32], names: Sequence[str]) -> dict[str, int]:
    """How many rows have each name, those without any under the empty one; names that no row has are left out."""
    counts = np.zeros(len(names) + 1, dtype=np.int64)
    for at in range(0, len(numbers), BLOCK_ROWS):
        counts += np.bincount(numbers[at : at + BLOCK_ROWS] + 1, minlength=len(counts))
    each: dict[str, int] = {}
    for name, count in zip(("", *names), counts.tolist(), strict=True):
        if count:
            each[name] = each.get(name, 0) + count
    return each
