"""Samples as rows of braille dots: two across and four down in each cell."""

from __future__ import annotations

import numpy as np

from tools.session import Samples

_BLANK = 0x2800
_DOTS = np.array([[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]])
"""The bit of each dot by column and row within a cell (Unicode, block Braille Patterns)."""


def braille_rows(
    time_sec: Samples, values: Samples, span: tuple[float, float], scale: tuple[float, float], width: int, height: int
) -> tuple[str, ...]:
    """One channel as `height` rows of `width` cells, greatest values at the top.

    Each dot column covers every value that falls into its stretch of time and what a straight line between
    samples crosses there. Where samples are missing the row stays empty.

    Args:
        time_sec: shape (n,), rising.
        values: shape (n,), NaN where a sample is missing.
        span: the times at the left and right edge, seconds.
        scale: the values at the bottom and top edge.
        width: cells.
        height: cells.
    """
    low, high = _extents(time_sec, values, span, 2 * width)
    bottom, top = scale
    dots = 4 * height
    factor = (dots - 1) / (top - bottom) if top > bottom else 0.0
    middle = 0 if factor else (dots - 1) / 2
    cells = np.zeros((height, width), dtype=np.int64)
    for column in np.flatnonzero(~np.isnan(low)):
        first = int(np.clip(round((low[column] - bottom) * factor + middle), 0, dots - 1))
        last = int(np.clip(round((high[column] - bottom) * factor + middle), 0, dots - 1))
        for level in range(first, last + 1):
            row = dots - 1 - level
            cells[row // 4, column // 2] |= _DOTS[column % 2, row % 4]
    return tuple("".join(chr(_BLANK + cell) if cell else " " for cell in row) for row in cells)


def _extents(time_sec: Samples, values: Samples, span: tuple[float, float], columns: int) -> tuple[Samples, Samples]:
    """Least and greatest value in each of `columns` stretches of time; NaN where there is none."""
    start, end = span
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    if not time_sec.size:
        return low, high
    width = (end - start) / columns if end > start else 1.0
    place = np.clip(((time_sec - start) / width).astype(np.intp), 0, columns - 1)
    inside = (time_sec >= start) & (time_sec <= end) & np.isfinite(values)
    np.fmin.at(low, place[inside], values[inside])
    np.fmax.at(high, place[inside], values[inside])
    if time_sec.size > 1:
        # a missing sample makes the line to it missing, so gaps stay gaps
        edges = np.interp(start + width * np.arange(columns + 1), time_sec, values, left=np.nan, right=np.nan)
        low = np.fmin(low, np.fmin(_both(edges[:-1], edges[1:]), _both(edges[1:], edges[:-1])))
        high = np.fmax(high, np.fmax(_both(edges[:-1], edges[1:]), _both(edges[1:], edges[:-1])))
    return low, high


def _both(one: Samples, other: Samples) -> Samples:
    """`one`, but NaN where `other` is."""
    return np.where(np.isnan(other), np.nan, one)
