"""Charts of one channel as rows of text.

plotext keeps one figure per process, so this is called from the screen's loop only; a chart takes a few
milliseconds. No outside text is given to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tools.session import Samples

MARKER = "hd"
"""plotext's name for quarter blocks: four dots a cell, in characters that every font has."""


@lru_cache(maxsize=1)
def _plotext() -> Any:
    import plotext

    plotext.limitsize(False, False)
    return plotext


def chart(x: Samples, y: Samples, span: tuple[float, float], width: int, height: int) -> list[str]:
    """A line chart of `width` × `height` cells with its axes; a missing sample breaks the line.

    Args:
        x: shape (n,), rising.
        y: shape (n,), NaN where a sample is missing.
        span: what the horizontal axis shows.
        width: cells.
        height: cells.
    """
    plotext = _plotext()
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.xlim(*span)
    low, high = _reach(y)
    plotext.ylim(low, high)
    for part in pieces(y):
        plotext.plot(x[part].tolist(), y[part].tolist(), marker=MARKER)
    return plotext.uncolorize(plotext.build()).split("\n")[:height]


def _reach(y: Samples) -> tuple[float, float]:
    finite = y[np.isfinite(y)]
    if not finite.size:
        return -1.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if high > low else (low - 1, high + 1)


def pieces(y: Samples) -> Sequence[slice]:
    """The stretches without a missing sample."""
    there = np.isfinite(y).astype(np.int8)
    steps = np.diff(np.concatenate(([0], there, [0])))
    return [slice(a, b) for a, b in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True)]
