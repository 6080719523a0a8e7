"""Below and above a plot's charts: the axis they share, what is marked, what was found, where in the whole one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.text import one_line
from tui.widgets.lines import Line, fit, spread
from tui.widgets.plot_drawing import Drawing, chart_width, highest_hz
from tui.widgets.plot_look import SCALE_WORDS, Span, column_of
from tui.widgets.plots import LEFT, Mark, axis

if TYPE_CHECKING:
    from core.datasets.whole.marks import Stretches
    from tui.widgets.lines import Kind


def foot_lines(drawing: Drawing, width: int) -> list[Line]:
    """Below the charts: the axis they share, what is marked, what was found."""
    look, room, findings = drawing.look, chart_width(width), drawing.findings
    if look.mode == "spectrum":
        return [*axis((0.0, highest_hz(drawing)), room, "Hz", {}), *_told(drawing, width)]
    signs: dict[int, Mark] = {}
    for times, sign in ((findings.steps, "▴"), (findings.changes, "◆")) if findings is not None else ():
        for second in times:
            column = column_of(look.span, second, room)
            if column is not None:
                signs[column] = (sign, "mark")
    lines = axis(look.span, room, "s", signs)
    if drawing.stretches is not None:
        lines.append(stretch_line(drawing.stretches, drawing.pending, look.span, room))
    return [*lines, *_told(drawing, width)]


def _told(drawing: Drawing, width: int) -> list[Line]:
    findings = drawing.findings
    words = ["looking …"] if findings is None else list(findings.told)
    if findings is not None and findings.changes:
        words[0] = f"◆ {words[0]}"
    if findings is not None and findings.steps:
        words = [f"▴ {word}" if "peak" in word else word for word in words]
    if drawing.over is not None:
        words.insert(0, f"grey: {one_line(drawing.over[0], 40)}")
    if drawing.band is not None:
        people = f"{drawing.band.sessions} sessions"
        words.insert(0, f"┄ where 90 % of {one_line(drawing.band.label, 24)} lies ({people})")
    return [fit([(" · ".join(words) or "nothing was found here", "dim")], width)]


def stretch_line(stretches: Stretches, pending: Span | None, span: Span, room: int) -> Line:
    """What is marked, under its place: the label between the edges, `<` and `>` where it goes on outside."""
    cells: list[Mark] = [(" ", "text")] * room

    def put(start: float, end: float, label: str, kind: Kind) -> None:
        if end <= span[0] or start >= span[1]:
            return
        first = column_of(span, max(start, span[0]), room) or 0
        last = column_of(span, min(end, span[1]), room) or 0
        if first == last:
            cells[first] = ("┃", kind)
            return
        inner = last - first - 1
        text = one_line(label, max(1, inner)) if inner > 0 else ""
        row = ("├" if start >= span[0] else "<") + text.center(inner, "─") + ("┤" if end <= span[1] else ">")
        cells[first : last + 1] = [(char, kind) for char in row]

    for number, mark in enumerate(stretches):
        put(mark.start_sec, mark.end_sec, mark.label, "good" if number % 2 == 0 else "key")
    if pending is not None:
        put(min(pending), max(pending), "?", "warn")
    line: list[Mark] = [("marked".rjust(LEFT - 1) + " ", "dim")]
    for text, kind in cells:
        if line[-1][1] == kind:
            line[-1] = (line[-1][0] + text, kind)
        else:
            line.append((text, kind))
    return tuple(line)


def title_line(drawing: Drawing, width: int) -> Line:
    """Which sensor, which stretch of time, on which scale; and of what."""
    look, source = drawing.look, drawing.source
    name = f"{one_line(drawing.sensor.name, 40)} ({look.sensor + 1}/{len(drawing.sensors)})"
    stretch = f"{look.span[0]:.2f} to {look.span[1]:.2f} s"
    scale = SCALE_WORDS[look.scale] if look.scale != "own" and look.mode == "time" else ""
    left = "   ".join(part for part in (name, stretch, scale) if part)
    right = one_line(" · ".join(part for part in (source.name, source.about) if part), 60)
    return spread(((f" {left}", "label"),), ((f"{right} ", "dim"),), width)


def ruler_line(drawing: Drawing, width: int) -> Line:
    """The whole from end to end: what is shown in it, and the window of the call in brackets."""
    look = drawing.look
    start, end = f"{look.whole[0]:.1f} ", f" {look.whole[1]:.1f} s"
    room = max(4, width - len(start) - len(end))
    bar = ["┄"] * room
    first, last = (column_of(look.whole, edge, room) or 0 for edge in look.span)
    bar[first : last + 1] = "━" * (last + 1 - first)
    for edge, sign in zip(drawing.source.call or (), "[]", strict=False):
        bar[column_of(look.whole, edge, room) or 0] = sign
    bar[column_of(look.whole, look.cursor, room) or 0] = "┿"
    return ((start, "dim"), ("".join(bar), "bar"), (end, "dim"))
