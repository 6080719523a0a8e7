"""A channel as one row of bars, and what falls into each column of a drawing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tools.results import BRIDGED_SEC, BRIDGED_STEPS
from tools.sensors import sensors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.session import Samples, Window

_BARS = "▁▂▃▄▅▆▇█"


def bars(
    time_sec: Samples,
    values: Samples,
    scale: tuple[float, float],
    width: int,
    span: tuple[float, float] | None = None,
) -> str:
    """Samples as a row of `width` bars, each at the middle of what falls into its stretch of time; blank in gaps.

    Args:
        time_sec: shape (n,), rising, seconds.
        values: shape (n,), NaN where a sample is missing.
        scale: the values of the lowest and the highest bar.
        width: cells.
        span: the times at the left and right edge; the samples' own unless told.
    """
    if not time_sec.size or width < 1 or not np.isfinite(time_sec[[0, -1]]).all():
        return " " * max(width, 0)
    span = span or (float(time_sec[0]), float(time_sec[-1]))
    low, high = extents(time_sec, values, span, width)
    without_gaps(low, span, gaps_in(time_sec))
    middle = (level_of(low, scale, len(_BARS)) + level_of(high, scale, len(_BARS))) // 2
    return "".join(_BARS[level] if drawn else " " for level, drawn in zip(middle, ~np.isnan(low), strict=True))


def level_of(values: Samples, scale: tuple[float, float], levels: int) -> NDArray[np.intp]:
    """Which of `levels` each value lies on, from 0; the middle one where the scale has no height."""
    bottom, top = scale
    heights = (values - bottom) * (levels - 1) / (top - bottom) if top > bottom else values * 0 + (levels - 1) / 2
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


def gaps_in(time_sec: Samples) -> tuple[Samples, Samples]:
    """Where times without rows begin and end: longer than what the tools bridge."""
    steps = np.diff(time_sec)
    if not steps.size:
        return steps, steps
    after = np.flatnonzero(steps > max(BRIDGED_SEC, BRIDGED_STEPS * float(np.median(steps))))
    return time_sec[after], time_sec[after + 1]


def without_gaps(low: Samples, span: tuple[float, float], gaps: tuple[Samples, Samples]) -> Samples:
    """The least values of the columns of `span`, in place, empty in those that lie inside a time without rows."""
    begins, ends = gaps
    width = (span[1] - span[0]) / low.size
    for number in np.flatnonzero((begins < span[1]) & (ends > span[0])) if width > 0 else ():
        first = max(0, math.ceil((begins[number] - span[0]) / width))
        low[first : max(first, math.floor((ends[number] - span[0]) / width))] = np.nan
    return low


def _both(first: Samples, other: Samples) -> Samples:
    """`first`, but NaN where `other` is."""
    return np.where(np.isnan(other), np.nan, first)


def main_signal(window: Window) -> Samples:
    """The one signal by which sessions are told apart at a glance, shape (n,): how large the first acceleration is, or
    the first sensor of three axes; else the first channel. Empty where there is none."""
    sensors = [sensor for sensor in sensors_of(window.channels) if sensor.is_triad]
    sensor = next((sensor for sensor in sensors if sensor.kind == "acceleration"), next(iter(sensors), None))
    if sensor is None:
        return window.values[0] if len(window.values) else np.empty(0)
    return np.sqrt(np.square(window.values[[window.names.index(name) for name in sensor.names]]).sum(axis=0))
