"""The charts of a plot as lines: one for each channel of a sensor, or one for all its axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.text import one_line
from tools.sensors import split_axis
from tui.widgets.lines import Line, spread
from tui.widgets.plot_drawing import Drawing, chart_width, highest_hz
from tui.widgets.plot_look import Span, column_of
from tui.widgets.plot_scale import LEAST_REACH, reach, widened
from tui.widgets.plots import LEFT, RIGHT, Curve, Joined, Mark, chart, shaded

if TYPE_CHECKING:
    from tools.session import Samples
    from tui.widgets.lines import Kind

LEAST_ROWS = 4
"""Of a chart, with its heading."""
_KINDS: tuple[Kind, ...] = ("lane", "number", "key")
"""Of the axes of a sensor, where they share a chart; their letters stand at their ends too."""
DIGITS = 4


def chart_lines(drawing: Drawing, width: int, height: int, *, braille: bool) -> list[Line]:
    """The charts of the sensor that is shown, in about `height` rows."""
    channels = [drawing.source.window.names.index(name) for name in drawing.sensor.names]
    groups = [channels] if drawing.look.together and drawing.look.mode != "spectrogram" else [[c] for c in channels]
    rows, over = divmod(height, len(groups))
    lines: list[Line] = []
    for number, group in enumerate(groups):
        lines += _chart(drawing, group, width, max(LEAST_ROWS, rows + (number < over)), braille)
    return lines


def _chart(drawing: Drawing, group: Sequence[int], width: int, rows: int, braille: bool) -> list[Line]:
    look, room = drawing.look, chart_width(width)
    if look.mode == "time":
        scale = scale_of(drawing, group, room)
        curves = _curves(drawing, group, 2 * room)
        body = chart(
            curves, scale, room, rows - 1, braille=braille, uprights=_uprights(drawing, room),
            levels=_levels(drawing, group),
        )  # fmt: skip
    elif drawing.findings is None:
        body: list[Line] = [(("reading …", "dim"),)]
    elif look.mode == "spectrum":
        body = _spectrum(drawing, group, room, rows - 1, braille)
    else:
        body = _spectrogram(drawing, group[0], room, rows - 1)
    return [_heading(drawing, group, width), *body]


def _heading(drawing: Drawing, group: Sequence[int], width: int) -> Line:
    """The channels' names and unit, and the values at the cursor."""
    window, look = drawing.source.window, drawing.look
    unit = one_line(drawing.sensor.unit, 16)
    names: list[tuple[str, Kind]] = []
    for number, channel in enumerate(group):
        kind: Kind = _KINDS[number % 3] if len(group) > 1 else "label"
        names.append((f"{one_line(window.names[channel], 32)} ", kind))
        names.append((f"{value_at(drawing, channel)}  ", "number"))
    if look.mode == "spectrum":
        at = f"at {look.pitch * highest_hz(drawing):.2f} Hz"
        unit = f"{unit}/√Hz"
    elif look.mode == "spectrogram":
        at, unit = "Hz over seconds, the denser the more", ""
    else:
        low, high = seen(drawing, group, chart_width(width))
        reached = f"{low:.3g} to {high:.3g} in sight · " if low <= high else "nothing in sight · "
        at = f"{reached}at {_nearest_time(drawing):.3f} s"
    return spread((*names, (unit, "dim")), ((at, "dim"),), width)


def value_at(drawing: Drawing, channel: int) -> str:
    """The exact value at the cursor: of the sample, or of the spectrum; a dash where there is none."""
    look, window = drawing.look, drawing.source.window
    if look.mode == "time":
        value = float(window.values[channel, _nearest(window.time_sec, look.cursor)])
    elif look.mode == "spectrum" and drawing.findings is not None:
        hertz, density = drawing.findings.density.get(window.names[channel], (np.zeros(0), np.zeros(0)))
        if not hertz.size:
            return "–"
        value = float(density[_nearest(hertz, look.pitch * highest_hz(drawing))])
    else:
        return ""
    return f"{value:.{DIGITS}g}" if math.isfinite(value) else "–"


def _nearest(rising: Samples, wanted: float) -> int:
    after = min(int(np.searchsorted(rising, wanted)), rising.size - 1)
    before = max(after - 1, 0)
    return before if abs(rising[before] - wanted) <= abs(rising[after] - wanted) else after


def _nearest_time(drawing: Drawing) -> float:
    time_sec = drawing.source.window.time_sec
    return float(time_sec[_nearest(time_sec, drawing.look.cursor)]) if time_sec.size else 0.0


def scale_of(drawing: Drawing, group: Sequence[int], room: int) -> Span:
    """The values at the bottom and the top of a chart, by the scale that was chosen."""
    look, window, pyramid = drawing.look, drawing.source.window, drawing.pyramid
    unit = drawing.sensor.unit
    if look.scale == "unit":
        alike = [row for row, channel in enumerate(window.channels) if channel.unit == unit]
        return reach((pyramid.range_of(row) for row in alike), LEAST_REACH.get(unit, 0.0))
    own = reach([seen(drawing, group, room)])
    if look.scale == "sensor":
        every = [reach([seen(drawing, [window.names.index(name)], room)]) for name in drawing.sensor.names]
        return widened(own, max(high - low for low, high in every))
    return own


def seen(drawing: Drawing, group: Sequence[int], room: int) -> Span:
    """The least and the greatest value in sight; infinities the wrong way round where there is none."""
    extents = [drawing.pyramid.extents(channel, drawing.look.span, 2 * room) for channel in group]
    lows = np.concatenate([low[~np.isnan(low)] for low, _ in extents])
    highs = np.concatenate([high[~np.isnan(low)] for low, high in extents])
    return (float(lows.min()), float(highs.max())) if lows.size else (math.inf, -math.inf)


def _curves(drawing: Drawing, group: Sequence[int], columns: int) -> list[Curve]:
    look, names = drawing.look, drawing.source.window.names
    curves: list[Curve] = []
    if drawing.over is not None:
        other = drawing.over[1]
        for channel in group:
            if names[channel] in other.window.names:
                row = other.window.names.index(names[channel])
                curves.append(Curve(*other.extents(row, look.span, columns), "dim", dashed=True))
    for number, channel in enumerate(group):
        letter = split_axis(names[channel])[1] if len(group) > 1 else ""
        kind = _KINDS[number % 3] if len(group) > 1 else "lane"
        curves.append(Curve(*drawing.pyramid.extents(channel, look.span, columns), kind, letter))
    return curves


def _uprights(drawing: Drawing, room: int) -> dict[int, Mark]:
    """Lines from top to bottom by column: change points, the call's window, edges of what is marked, the cursor."""
    span = drawing.look.span
    lines: dict[int, Mark] = {}

    def put(second: float, sign: str, kind: Kind) -> None:
        column = column_of(span, second, room)
        if column is not None:
            lines[column] = (sign, kind)

    for second in drawing.findings.changes if drawing.findings is not None else ():
        put(second, "┊", "mark")
    for mark in drawing.stretches or ():
        put(mark.start_sec, "╎", "good")
        put(mark.end_sec, "╎", "good")
    if drawing.source.call is not None:
        put(drawing.source.call[0], "[", "user")
        put(drawing.source.call[1], "]", "user")
    if drawing.pending is not None:
        put(drawing.pending[0], "┃", "warn")
        put(drawing.pending[1], "┃", "warn")
    put(drawing.look.cursor, "│", "bar")
    return lines


def _levels(drawing: Drawing, group: Sequence[int]) -> dict[float, Mark]:
    if drawing.band is None:
        return {}
    edges = [drawing.band.reach.get(drawing.source.window.names[channel], ()) for channel in group]
    return {value: ("┄", "user") for pair in edges for value in pair}


def _spectrum(drawing: Drawing, group: Sequence[int], room: int, rows: int, braille: bool) -> list[Line]:
    assert drawing.findings is not None
    names, span = drawing.source.window.names, (0.0, drawing.findings.highest_hz)
    curves: list[Joined] = []
    tops: list[Span] = []
    for number, channel in enumerate(group):
        hertz, density = drawing.findings.density.get(names[channel], (np.zeros(0), np.zeros(0)))
        if not hertz.size:
            return [(("too few samples for a spectrum, or too many missing: zoom out", "dim"),)]
        tops.append((0.0, float(np.nanmax(density))))
        letter = split_axis(names[channel])[1] if len(group) > 1 else ""
        curves.append(Joined(hertz, density, span, _KINDS[number % 3] if len(group) > 1 else "lane", letter))
    uprights: dict[int, Mark] = {}
    for hertz in drawing.findings.dominant:
        column = column_of(span, hertz, room)
        if column is not None:
            uprights[column] = ("┊", "mark")
    uprights[column_of(span, drawing.look.pitch * span[1], room) or 0] = ("│", "bar")
    lines = chart(curves, reach(tops), room, rows, braille=braille, uprights=uprights)
    return [_named_peaks(drawing.findings.dominant, span, room), *lines[1:]] if rows > 3 else lines


def _named_peaks(peaks: Sequence[float], span: Span, room: int) -> Line:
    """The row above a spectrum: each dominant frequency over its place, the strongest where two would overlap."""
    row = [" "] * (LEFT + room + RIGHT)
    for hertz in peaks:
        column, text = column_of(span, hertz, room), f"{hertz:g} Hz"
        if column is None:
            continue
        first = min(LEFT + column, len(row) - len(text) - 1)
        if not "".join(row[max(0, first - 1) : first + len(text) + 1]).strip():
            row[first : first + len(text)] = text
    return (("".join(row), "mark"),)


def _spectrogram(drawing: Drawing, channel: int, room: int, rows: int) -> list[Line]:
    assert drawing.findings is not None
    power = drawing.findings.power.get(drawing.source.window.names[channel])
    if power is None or power.shape[1] != room or not np.isfinite(power).any():
        return [(("too few samples for a spectrogram: zoom out", "dim"),)]
    edges = np.linspace(0, power.shape[0], rows + 1).astype(np.intp)
    drawn = np.array([power[a : max(b, a + 1)].max(axis=0) for a, b in pairwise(edges.tolist())])
    return shaded(drawn, (0.0, drawing.findings.highest_hz), uprights=_uprights(drawing, room))
