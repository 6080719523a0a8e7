"""A curve of few points, joined by lines, as dots: drawn by plotext.

plotext keeps one figure per process, so this is called from the screen's loop only; a curve takes some milliseconds.
Where each column stands for many samples, as in a recording, the plot draws their least and greatest itself: plotext
takes points one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tools.session import Samples

_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""The quarter blocks, each where its number has the bits of its quarters."""
_BITS = {**{ord(char): bits for bits, char in enumerate(_QUADRANTS)}, **{0x2800 + bits: bits for bits in range(256)}}


@lru_cache(maxsize=1)
def _plotext() -> Any:
    import plotext

    return plotext


def joined_dots(
    x: Samples,
    y: Samples,
    span: tuple[float, float],
    scale: tuple[float, float],
    width: int,
    height: int,
    *,
    braille: bool,
) -> np.ndarray:
    """The bits of a curve's dots in each cell, shape (height, width); a missing value breaks the curve.

    Args:
        x: shape (n,), rising.
        y: shape (n,), NaN where a value is missing.
        span: what the chart shows from left to right.
        scale: the values at the bottom and the top.
        width: cells.
        height: cells.
        braille: eight dots a cell; else four, as quarter blocks.
    """
    plotext = _plotext()
    plotext.clear_figure()
    plotext.limitsize(False, False)  # cleared with the figure; else nothing is drawn beyond the terminal it finds
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.frame(False)
    for bare in (plotext.xaxes, plotext.yaxes):
        bare(False, False)
    for bare in (plotext.xticks, plotext.yticks):
        bare([])
    plotext.xlim(*span)
    plotext.ylim(*scale)
    for part in pieces(y):
        plotext.plot(x[part].tolist(), y[part].tolist(), marker="braille" if braille else "hd")
    rows = plotext.uncolorize(plotext.build()).split("\n")[:height]
    dots = np.zeros((height, width), dtype=np.uint32)
    for number, row in enumerate(rows):
        dots[number, : len(row)] = [_BITS.get(ord(char), 0) for char in row[:width]]
    return dots


def pieces(y: Samples) -> Sequence[slice]:
    """The stretches without a missing value."""
    there = np.isfinite(y).astype(np.int8)
    steps = np.diff(np.concatenate(([0], there, [0])))
    return [slice(a, b) for a, b in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True)]
