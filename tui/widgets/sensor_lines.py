"""What the sensor pane looks like: a window of a session, laid out as lanes grouped by sensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.text import counted, one_line
from tools.sensors import Sensor, sensors_of, split_axis
from tui.widgets.lane_look import USUAL, LaneLook
from tui.widgets.lane_rows import lane_rows
from tui.widgets.lines import Line, Span, fit, spread
from tui.widgets.plot_scale import LEAST_REACH

if TYPE_CHECKING:
    from core.runs.session_view import SessionView
    from tools.session import Samples, Window

MAX_LANE_HEIGHT = 4
NUMBERS = 7
"""Columns for the numbers at the right of a lane."""
AXIS = 2
"""Columns for the axis letter at its left."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One channel, drawn."""

    label: str
    rows: tuple[str, ...]
    low: float
    high: float
    channel: int
    """Its place among the window's channels."""


@dataclass(frozen=True, slots=True)
class Group:
    """The lanes of one sensor, which share how much a row stands for."""

    title: str
    unit: str
    lanes: tuple[Lane, ...]
    reach: float = 0.0
    """How much a lane stands for from its bottom to its top, where it is more than its own sensor's values need."""


def groups_of(window: Window, width: int, height: int, look: LaneLook = USUAL) -> tuple[Group, ...]:
    """The window's lanes for a pane of `width` columns and about `height` rows; the expensive half of the layout."""
    sensors = sensors_of(window.channels)
    rows = max(1, min(MAX_LANE_HEIGHT, (height - len(sensors)) // max(1, len(window.channels))))
    reaches: dict[str, float] = {}
    for sensor in sensors if look.by_unit else ():
        own = max((high - low for low, high in _ranges(window, sensor) if high >= low), default=0.0)
        reaches[sensor.unit] = max(own, reaches.get(sensor.unit, LEAST_REACH.get(sensor.unit, 0.0)))
    room = max(4, width - NUMBERS - AXIS)
    return tuple(_group(window, sensor, room, rows, look, reaches.get(sensor.unit, 0.0)) for sensor in sensors)


def _group(window: Window, sensor: Sensor, width: int, height: int, look: LaneLook, of_unit: float) -> Group:
    """One sensor's lanes: each is centred on its own middle, all have the same reach, so amplitudes compare."""
    places = [window.names.index(name) for name in sensor.names]
    ranges = _ranges(window, sensor)
    reach = of_unit or max((high - low for low, high in ranges if high >= low), default=0.0)
    lanes: list[Lane] = []
    for number, (low, high) in zip(places, ranges, strict=True):
        middle = (low + high) / 2
        scale = (middle - reach / 2, middle + reach / 2) if reach else (middle, middle)
        span = (window.start_sec, window.end_sec)
        rows = lane_rows(window.time_sec, window.values[number], span, scale, width, height, braille=look.braille)
        label = split_axis(window.names[number])[1] if len(places) > 1 else ""
        lanes.append(Lane(label, rows, low, high, number))
    return Group(sensor.name, sensor.unit, tuple(lanes), of_unit)


def _ranges(window: Window, sensor: Sensor) -> list[tuple[float, float]]:
    return [_range(window.values[window.names.index(name)]) for name in sensor.names]


def _range(values: Samples) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (math.inf, -math.inf)


def head_lines(view: SessionView, truth: str, width: int, at: float | None) -> list[Line]:
    """What is shown: the session, its label when that is not hidden, the window in the session, the time."""
    label: Line = ((one_line(truth, 40), "good"),) if truth else ()
    what = (
        f"{view.call} · {view.artifact_id}" if view.call and view.artifact_id != "session" else view.call or "session"
    )
    length = view.window.end_sec - view.window.start_sec
    facts = [f"{view.samples} samples", *([f"{view.rate_hz:g} Hz"] if view.rate_hz else []), f"{length:.2f} s"]
    lacking: Line = ((f"{counted(view.missing, 'row')} missing", "warn"),) if view.missing else ()
    return [
        spread(((one_line(view.session, 80), "label"),), label, width),
        spread(((one_line(what, 80), "dim"),), lacking, width),
        fit([(" · ".join(facts), "dim")], width),
        ruler(view, width, at),
    ]


def ruler(view: SessionView, width: int, at: float | None) -> Line:
    """The session from end to end, the window bracketed in it, the playing time marked."""
    start, end = f"{view.session_start:.1f} ", f" {view.session_end:.2f} s"
    room = max(4, width - len(start) - len(end))
    length = view.session_end - view.session_start

    def column_of(time: float) -> int:
        part = (time - view.session_start) / length if length > 0 else 0.0
        return min(room - 1, max(0, round(part * (room - 1))))

    first, last = (
        column_of(view.window.start_sec),
        max(column_of(view.window.end_sec), column_of(view.window.start_sec) + 1),
    )
    bar = ["┄"] * room
    bar[first : last + 1] = ["━"] * (last + 1 - first)
    bar[first] = "┣"
    bar[min(last, room - 1)] = "┫"
    if at is not None:
        bar[column_of(at)] = "┿"
    return (start, "dim"), ("".join(bar[:room]), "bar"), (end, "dim")


def lane_lines(groups: Sequence[Group], window: Window, width: int, at: float | None) -> list[Line]:
    """All lanes as rows; `at` (seconds) puts the playing time into them, with the values there."""
    sample = None if at is None else int(np.clip(np.searchsorted(window.time_sec, at), 0, window.time_sec.size - 1))
    lines: list[Line] = []
    for group in groups:
        lines.append(_title(group, width, plays=at is not None))
        for lane in group.lanes:
            value = None if sample is None else float(window.values[lane.channel, sample])
            lines += _rows(lane, _column(window, at, len(lane.rows[0])), value)
    return lines


def _title(group: Group, width: int, *, plays: bool) -> Line:
    """The sensor, its unit, on request how much a lane's height stands for, and over the numbers which they are."""
    unit = f"  {one_line(group.unit, 12)}" if group.unit else ""
    reach = f", ↕ {number(group.reach)}" if group.reach else ""
    rows = len(group.lanes[0].rows) if group.lanes else 1
    numbers = "now" if plays else "max min" if rows > 1 else "max−min"
    return spread(((one_line(group.title, 60), "label"), (unit + reach, "dim")), ((numbers, "dim"),), width)


def _column(window: Window, at: float | None, width: int) -> int | None:
    length = window.end_sec - window.start_sec
    if at is None or length <= 0:
        return None
    return min(width - 1, max(0, int((at - window.start_sec) / length * width)))


def _rows(lane: Lane, column: int | None, value: float | None) -> list[Line]:
    numbers = [""] * len(lane.rows)
    if lane.high < lane.low:
        numbers[0] = "no data"
    elif value is not None:
        numbers[0] = number(value)
    elif len(numbers) == 1:
        numbers[0] = number(lane.high - lane.low)
    else:
        numbers[0], numbers[-1] = number(lane.high), number(lane.low)
    lines: list[Line] = []
    for index, row in enumerate(lane.rows):
        label: Span = (lane.label.ljust(AXIS) if index == 0 else " " * AXIS, "dim")
        shown: Span = (numbers[index].rjust(NUMBERS), "number" if value is not None else "dim")
        if column is None:
            lines.append((label, (row, "lane"), shown))
        else:
            cut = row[:column], row[column + 1 :]
            lines.append((label, (cut[0], "lane"), ("│", "bar"), (cut[1], "lane"), shown))
    return lines


def number(value: float) -> str:
    """A value in at most six characters, three digits of it."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if size >= 100_000 or 0 < size < 0.001:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return (
        f"{value:.0f}"
        if size >= 100
        else f"{value:.1f}"
        if size >= 10
        else f"{value:.2f}"
        if size >= 1
        else f"{value:.3f}"
    )
