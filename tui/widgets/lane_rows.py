"""Samples as rows of characters: bars, or dots of braille or quarter blocks."""

from __future__ import annotations

import numpy as np

from core.datasets.sparkline import bars, extents, gaps_in, level_of, without_gaps
from tools.session import Samples
from tui.widgets.dots import cell_codes, dots_a_cell


def lane_rows(
    time_sec: Samples,
    values: Samples,
    span: tuple[float, float],
    scale: tuple[float, float],
    width: int,
    height: int,
    *,
    braille: bool = False,
) -> tuple[str, ...]:
    """One channel as `height` rows of `width` cells, greatest values at the top.

    One row is drawn as bars, more as a line that covers in each column every value that falls into its stretch of
    time and what a straight line between samples crosses there. Where samples are missing a row stays empty, and over
    a time without any.

    Args:
        time_sec: shape (n,), rising.
        values: shape (n,), NaN where a sample is missing.
        span: the times at the left and right edge, seconds.
        scale: the values at the bottom and top edge.
        width: cells.
        height: cells.
        braille: whether the terminal has braille; else more than one row is drawn in quarter blocks.
    """
    if height == 1:
        return (bars(time_sec, values, scale, width, span),)
    tall, wide = dots_a_cell(braille)
    levels = tall * height
    low, high = extents(time_sec, values, span, wide * width)
    without_gaps(low, span, gaps_in(time_sec))
    level = np.arange(levels - 1, -1, -1)[:, None]
    dots = (level >= level_of(low, scale, levels)) & (level <= level_of(high, scale, levels)) & ~np.isnan(low)
    codes = cell_codes(dots, braille=braille)
    return tuple(row.astype("<u4").tobytes().decode("utf-32-le") for row in codes)
