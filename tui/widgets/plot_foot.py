"""Below and above a plot's charts: the axis they share, what is marked, what was found, where in the whole one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from core.text import one_line
from tui.widgets.lines import Line, fit, spread
from tui.widgets.plot_drawing import Drawing, chart_width, highest_hz
from tui.widgets.plot_look import SCALE_WORDS, Span, column_of
from tui.widgets.plots import LEFT, Mark, axis
from tui.widgets.short_labels import LEAST, shortened

if TYPE_CHECKING:
    from core.datasets.whole.marks import Stretches
    from tui.widgets.lines import Kind

LEAST_LABEL = 9
"""Columns of a label below which words beside it give way."""


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
    if findings is not None and drawing.look.mode == "spectrogram" and not words:
        words = ["each shade is 16 times the power of the one before"]
    if findings is not None and findings.changes:
        words[0] = f"◆ {words[0]}"
    if findings is not None and findings.steps:
        words = [f"▴ {word}" if "peak" in word else word for word in words]
    if drawing.over is not None:
        words.insert(0, f"dashed: {one_line(drawing.over[0], 40)}")
    if drawing.band is not None:
        words.insert(0, f"┄ 90 % of {one_line(drawing.band.label, 24)} ({drawing.band.sessions} sessions)")
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


def labels_line(labels: Sequence[str], begun: str, snap: str, width: int, *, begins: bool) -> Line:
    """The labels with their keys between what is begun and whether edges snap, each label shortened where all of them
    do not fit; where they still do not, the words around them give way.

    Args:
        labels: at most nine.
        begun: where a stretch begins.
        snap: whether edges snap.
        width: columns.
        begins: whether a stretch is begun.
    """
    texts = [one_line(label, 24) for label in labels]
    every = frozenset(texts)
    least = min(LEAST_LABEL, max(map(cell_len, texts), default=0))
    short = " begun · " if begins else " "
    left, right, fair = short, "", 0
    for left, right in ((f" {begun} · ", f"  · {snap}"), (f" {begun} · ", ""), (short, "")):
        room = width - cell_len(left) - cell_len(right) - 4 * len(texts)
        fair = _fair_width([cell_len(text) for text in texts], room)
        if fair >= least:
            break
    parts = [f"{number} {shortened(text, max(LEAST, fair), every)}" for number, text in enumerate(texts, 1)]
    return fit([(left, "warn" if begins else "dim"), ("  ".join(parts), "key"), (right, "dim")], width)


def _fair_width(lengths: Sequence[int], room: int) -> int:
    """The greatest width to which longer ones are cut so that all fit into `room`."""
    return next((width for width in range(max(lengths, default=0), 0, -1)
                 if sum(min(length, width) for length in lengths) <= room), 0)  # fmt: skip


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
