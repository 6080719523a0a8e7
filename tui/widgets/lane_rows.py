"""Samples as rows of block characters, which every terminal font has (braille is missing from many)."""

from __future__ import annotations

import numpy as np

from tools.session import Samples

_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""By the sum of the bits of the filled quarters: left top 1, right top 2, left bottom 4, right bottom 8."""
_BARS = "▁▂▃▄▅▆▇█"


def lane_rows(
    time_sec: Samples, values: Samples, span: tuple[float, float], scale: tuple[float, float], width: int, height: int
) -> tuple[str, ...]:
    """One channel as `height` rows of `width` cells, greatest values at the top.

    One row is drawn as bars, more as a line that covers in each column every value that falls into its stretch of
    time and what a straight line between samples crosses there. Where samples are missing a row stays empty.

    Args:
        time_sec: shape (n,), rising.
        values: shape (n,), NaN where a sample is missing.
        span: the times at the left and right edge, seconds.
        scale: the values at the bottom and top edge.
        width: cells.
        height: cells.
    """
    columns, levels = (width, len(_BARS)) if height == 1 else (2 * width, 2 * height)
    low, high = extents(time_sec, values, span, columns)
    bottom, top = scale
    part = (levels - 1) / (top - bottom) if top > bottom else 0.0
    offset = 0.0 if part else (levels - 1) / 2
    first = _level((low - bottom) * part + offset, levels)
    last = _level((high - bottom) * part + offset, levels)
    there = ~np.isnan(low)
    if height == 1:
        middle = (first + last) // 2
        return ("".join(_BARS[level] if drawn else " " for level, drawn in zip(middle, there, strict=True)),)
    level = np.arange(levels - 1, -1, -1)[:, None]
    dots = (level >= first) & (level <= last) & there
    cells = dots[0::2, 0::2] + 2 * dots[0::2, 1::2] + 4 * dots[1::2, 0::2] + 8 * dots[1::2, 1::2]
    return tuple("".join(_QUADRANTS[cell] for cell in row) for row in cells)


def _level(heights: Samples, levels: int) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    return np.clip(np.nan_to_num(heights).round(), 0, levels - 1).astype(np.intp)


def extents(time_sec: Samples, values: Samples, span: tuple[float, float], columns: int) -> tuple[Samples, Samples]:
    """Least and greatest value in each of `columns` stretches of time; NaN where there is none."""
    start, end = span
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    if not time_sec.size:
        return low, high
    width = (end - start) / columns if end > start else 1.0
    column = np.clip(((time_sec - start) / width).astype(np.intp), 0, columns - 1)
    inside = (time_sec >= start) & (time_sec <= end) & np.isfinite(values)
    np.fmin.at(low, column[inside], values[inside])
    np.fmax.at(high, column[inside], values[inside])
    if time_sec.size > 1:
        # a missing sample makes the line to it missing, so gaps stay gaps
        edges = np.interp(start + width * np.arange(columns + 1), time_sec, values, left=np.nan, right=np.nan)
        low = np.fmin(low, np.fmin(_both(edges[:-1], edges[1:]), _both(edges[1:], edges[:-1])))
        high = np.fmax(high, np.fmax(_both(edges[:-1], edges[1:]), _both(edges[1:], edges[:-1])))
    return low, high


def _both(first: Samples, other: Samples) -> Samples:
    """`one`, but NaN where `other` is."""
    return np.where(np.isnan(other), np.nan, first)
