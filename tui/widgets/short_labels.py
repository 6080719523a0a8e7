"""Labels in fewer columns than they have, so that it can still be told which of all labels each one is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

GAP = "…"
LEAST = 4
"""Columns in which a label is still worth anything."""
_WORD = re.compile(r"(?<=[_\-. ])[^_\-. ]")


@lru_cache(maxsize=8192)
def shortened(label: str, width: int, labels: frozenset[str] = frozenset()) -> str:
    """The label in at most `width` columns, something in its middle left out: `walking_do…irs`.

    The first way that fits this label alone among `labels` is taken: more of its beginning, then more of its end, then
    a word from its middle. Where none does, the usual way.
    """
    if cell_len(label) <= width:
        return label
    ways = [pieces for pieces in _ways(label, width) if cell_len(GAP.join(pieces)) <= width]
    chosen = next((pieces for pieces in ways if not _fits_another(pieces, label, labels)), ways[0] if ways else None)
    return GAP.join(chosen) if chosen else set_cell_size(label, max(0, width - 1)) + GAP


def both(label: str, other: str, room: int, labels: frozenset[str]) -> tuple[str, str]:
    """Two labels in `room` columns together; one that is short leaves its room to the other."""
    half = room // 2
    mine = max(half, room - cell_len(other))
    first = shortened(label, mine, labels)
    return first, shortened(other, room - cell_len(first), labels)


def _ways(label: str, width: int) -> Iterator[tuple[str, ...]]:
    """Pieces of the label that take at most `width` columns with a gap between each two."""
    room = width - len(GAP)
    usual = max(1, room // 4)
    for end in (*range(usual, -1, -1), *range(usual + 1, room)):
        yield label[: room - end], label[len(label) - end :]
    for word in _WORD.finditer(label):
        middle = label[word.start() : word.start() + room - 2]
        if len(middle) > 1:
            yield label[:1], middle, ""


def _fits_another(pieces: tuple[str, ...], label: str, labels: frozenset[str]) -> bool:
    pattern = re.compile(".+".join(map(re.escape, pieces)), re.DOTALL)
    return any(other != label and pattern.fullmatch(other) for other in labels)
