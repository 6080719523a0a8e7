"""A channel as one row of bars, drawn as the sensor pane draws a lane of one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.sensors import sensors_of

if TYPE_CHECKING:
    from tools.session import Samples, Window

_BARS = "▁▂▃▄▅▆▇█"


def bars(time_sec: Samples, values: Samples, scale: tuple[float, float], width: int) -> str:
    """Samples as a row of `width` bars, each at the middle of what falls into its stretch of time; blank in gaps.

    Args:
        time_sec: shape (n,), rising, seconds.
        values: shape (n,), NaN where a sample is missing.
        scale: the values of the lowest and the highest bar.
        width: cells.
    """
    if not time_sec.size or width < 1:
        return " " * max(width, 0)
    start, end = float(time_sec[0]), float(time_sec[-1])
    step = (end - start) / width if end > start else 1.0
    low, high = np.full(width, np.nan), np.full(width, np.nan)
    column = np.clip(((time_sec - start) / step).astype(np.intp), 0, width - 1)
    there = np.isfinite(values)
    np.fmin.at(low, column[there], values[there])
    np.fmax.at(high, column[there], values[there])
    if time_sec.size > 1:  # what a straight line between samples crosses; to a missing one there is none
        edges = np.interp(start + step * np.arange(width + 1), time_sec, values, left=np.nan, right=np.nan)
        crossed = np.where(np.isnan(edges[:-1] + edges[1:]), np.nan, np.stack((edges[:-1], edges[1:])))
        low, high = np.fmin(low, crossed.min(axis=0)), np.fmax(high, crossed.max(axis=0))
    levels = len(_BARS) - 1
    bottom, top = scale
    first, last = (
        np.clip(np.nan_to_num((edge - bottom) * levels / (top - bottom) if top > bottom else edge * 0 + levels / 2)
                .round(), 0, levels).astype(np.intp)
        for edge in (low, high)
    )  # fmt: skip
    middle = (first + last) // 2
    return "".join(_BARS[level] if drawn else " " for level, drawn in zip(middle, ~np.isnan(low), strict=True))


def main_signal(window: Window) -> Samples:
    """The one signal by which sessions are told apart at a glance, shape (n,): how large the first acceleration is, or
    the first sensor of three axes; else the first channel. Empty where there is none."""
    sensors = [sensor for sensor in sensors_of(window.channels) if sensor.is_triad]
    sensor = next((sensor for sensor in sensors if sensor.kind == "acceleration"), next(iter(sensors), None))
    if sensor is None:
        return window.values[0] if len(window.values) else np.empty(0)
    return np.sqrt(np.square(window.values[[window.names.index(name) for name in sensor.names]]).sum(axis=0))
