"""Samples as rows of block characters, which every terminal font has (braille is missing from many)."""

from __future__ import annotations

import numpy as np

from core.datasets.sparkline import bars, extents, level_of
from tools.session import Samples

_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""By the sum of the bits of the filled quarters: left top 1, right top 2, left bottom 4, right bottom 8."""


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
    if height == 1:
        return (bars(time_sec, values, scale, width, span),)
    levels = 2 * height
    low, high = extents(time_sec, values, span, 2 * width)
    level = np.arange(levels - 1, -1, -1)[:, None]
    dots = (level >= level_of(low, scale, levels)) & (level <= level_of(high, scale, levels)) & ~np.isnan(low)
    cells = dots[0::2, 0::2] + 2 * dots[0::2, 1::2] + 4 * dots[1::2, 0::2] + 8 * dots[1::2, 1::2]
    return tuple("".join(_QUADRANTS[cell] for cell in row) for row in cells)
