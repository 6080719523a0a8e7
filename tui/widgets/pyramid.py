"""A window reduced once to the least and greatest values of ever longer blocks, so that any stretch of it is drawn at
once, however many samples it has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.sparkline import extents, gaps_in, without_gaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.session import Samples, Window

FACTOR = 16
"""How many blocks of one level are one of the next."""
FINE = 8
"""A column is drawn of at least so many blocks, so that its edges are right to an eighth of it."""

_Level = tuple["NDArray[np.floating]", "NDArray[np.floating]"]


class Pyramid:
    """The blocks of a window's channels, level by level; the samples themselves are level 0 and are not copied."""

    def __init__(self, window: Window) -> None:
        """Reduce a window; its times must rise."""
        self.window = window
        self._levels: list[_Level] = [(window.values, window.values)]
        while (count := self._levels[-1][0].shape[1]) > FACTOR * FACTOR * FINE:
            (low, high), starts = self._levels[-1], np.arange(0, count, FACTOR)
            self._levels.append((np.fmin.reduceat(low, starts, axis=1), np.fmax.reduceat(high, starts, axis=1)))
        self._gaps = gaps_in(window.time_sec)
        self._ends = [_end_of(self._levels[-1], row) for row in range(len(window.channels))]

    def range_of(self, channel: int) -> tuple[float, float]:
        """The least and greatest value of a channel; infinities the wrong way round where it has none."""
        return self._ends[channel]

    def extents(self, channel: int, span: tuple[float, float], columns: int) -> tuple[Samples, Samples]:
        """Least and greatest value of a channel in each of `columns` stretches of `span`, NaN where there is none; one
        column's line reaches the next one's.

        Args:
            channel: its place among the window's.
            span: the times (s) at the left and right edge.
            columns: how many.
        """
        time_sec, row = self.window.time_sec, self.window.values[channel]
        first = max(0, int(np.searchsorted(time_sec, span[0], "left")) - 1)
        last = min(time_sec.size, int(np.searchsorted(time_sec, span[1], "right")) + 1)
        if last - first <= FINE * columns:
            part = slice(first, last)
            low, high = extents(time_sec[part], row[part].astype(np.float64, copy=False), span, columns)
            return without_gaps(low, span, self._gaps), high
        edges = np.searchsorted(time_sec, np.linspace(span[0], span[1], columns + 1))
        per_column = (last - first) / columns
        level = min(len(self._levels) - 1, int(math.log(per_column / FINE, FACTOR)) if per_column > FINE else 0)
        low, high = (rows[channel] for rows in self._levels[level])
        return _joined(*_reduced(low, high, edges, FACTOR**level))


def _end_of(level: _Level, row: int) -> tuple[float, float]:
    low, high = level[0][row], level[1][row]
    finite = np.isfinite(low)
    if not finite.any():
        return math.inf, -math.inf
    return float(np.min(low, where=finite, initial=math.inf)), float(np.max(high, where=finite, initial=-math.inf))


def _reduced(
    low: NDArray[np.floating], high: NDArray[np.floating], edges: NDArray[np.intp], size: int
) -> tuple[Samples, Samples]:
    """Least and greatest of the blocks that each column between two edges (sample numbers) touches."""
    least, most = np.full(edges.size - 1, np.nan), np.full(edges.size - 1, np.nan)
    there = np.flatnonzero(edges[1:] > edges[:-1])
    if not there.size:
        return least, most
    starts, ends = edges[there] // size, -(-edges[there + 1] // size)
    # reduceat goes from each index to the next; every second stretch lies between columns and is left out. An index
    # past the end is none: the last stretch ends there by itself, one before it loses a block to its neighbour.
    pairs = np.stack((starts, np.minimum(ends, low.size - 1)), axis=1).ravel()
    if ends[-1] >= low.size:
        pairs = pairs[:-1]
    least[there] = np.fmin.reduceat(low, pairs)[0::2]
    most[there] = np.fmax.reduceat(high, pairs)[0::2]
    return least, most


def _joined(low: Samples, high: Samples) -> tuple[Samples, Samples]:
    """The same with each column reaching the one before it, so that a steep line has no holes."""
    low, high = low.copy(), high.copy()
    before_low, before_high = low[:-1].copy(), high[:-1].copy()
    gap_up, gap_down = low[1:] > before_high, high[1:] < before_low
    low[1:][gap_up] = before_high[gap_up]
    high[1:][gap_down] = before_low[gap_down]
    return low, high
