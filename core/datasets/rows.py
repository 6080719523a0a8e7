"""Rows of numbers from a raw text file, with what is broken in it counted and passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.archive import RawFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.session import Samples

_BLOCK = 4096
"""Rows that are Python numbers at a time; the rest of a file is a compact array."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The whole rows of a file."""

    places: NDArray[np.int64]
    """Shape (n,): the number of each row's line among those that are not blank."""
    exact: Samples
    """Shape (n, columns): times and labels, as float64."""
    values: NDArray[np.float32]
    """Shape (columns, n): sensor values, as they will be written."""


def read_rows(file: RawFile, width: int, exact: Sequence[int], columns: Sequence[int], dropped: Counter[str]) -> Rows:
    """Read a file of numbers separated by blanks or tabs; `NaN` is a missing number.

    Args:
        file: the raw file. CRLF and blank lines are no matter.
        width: how many numbers a whole line has.
        exact: the columns of times and labels.
        columns: the columns of sensor values.
        dropped: broken lines are counted here.
    """
    blocks: list[tuple[Samples, NDArray[np.float32]]] = []
    places: list[int] = []
    pending: list[list[float]] = []
    wanted = (*exact, *columns)

    def pack() -> None:
        block = np.array(pending).reshape(-1, len(wanted))
        blocks.append((block[:, : len(exact)], block[:, len(exact) :].T.astype(np.float32)))
        pending.clear()

    for line, fields in enumerate(filter(None, map(bytes.split, file.lines()))):
        try:
            if len(fields) != width:
                raise ValueError
            pending.append([float(fields[column]) for column in wanted])
        except ValueError:
            dropped[f"broken lines (other than {width} numbers)"] += 1
            continue
        places.append(line)
        if len(pending) == _BLOCK:
            pack()
    pack()
    return Rows(
        np.array(places, dtype=np.int64),
        np.concatenate([head for head, _ in blocks]),
        np.concatenate([values for _, values in blocks], axis=1),
    )
