"""A plot as an SVG picture: the same charts, with lines instead of dots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from core.errors import SensorloomError, UsageError, system_reason
from core.storage.atomic import write_atomic
from core.text import printable
from tui.widgets.plot_drawing import Drawing
from tui.widgets.plot_lines import scale_of
from tui.widgets.plot_scale import round_ticks, tick_texts

if TYPE_CHECKING:
    from tools.session import Samples

WIDTH, HEIGHT = 1200, 180
"""Of a chart, in the picture's units."""
LEFT, GAP, TOP = 70, 34, 40
COLUMNS = 1500
_COLOURS = ("#0072b2", "#d55e00", "#009e73")
"""Okabe & Ito's blue, vermilion and green, which nearly everybody tells apart."""


def save_svg(path: Path, drawing: Drawing) -> Path:
    """Save what a plot shows of the time series. Raises UsageError for another ending, SensorloomError."""
    if path.suffix.lower() != ".svg":
        raise UsageError(f"{path.name}: pictures are saved as SVG, so the name must end in .svg")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SensorloomError(f"cannot make the folder {path.parent}: {system_reason(error)}") from error
    write_atomic(path, svg_of(drawing).encode())
    return path


def svg_of(drawing: Drawing) -> str:
    """The picture, whole: the stretch that is shown, change points, what is marked."""
    look, names = drawing.look, drawing.source.window.names
    channels = [names.index(name) for name in drawing.sensor.names]
    groups = [channels] if look.together else [[channel] for channel in channels]
    parts: list[str] = []
    for number, group in enumerate(groups):
        parts += _chart(drawing, group, TOP + number * (HEIGHT + GAP))
    bottom = TOP + len(groups) * (HEIGHT + GAP) - GAP
    parts += _time_axis(drawing, bottom)
    title = f"{drawing.source.name} · {drawing.sensor.name}"
    size = f'width="{WIDTH + LEFT + 20}" height="{bottom + 70}"'
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        _text(LEFT, 18, title, size=15), *parts, "</svg>", "",
    ))  # fmt: skip


def _x(drawing: Drawing, second: float) -> float:
    start, end = drawing.look.span
    return LEFT + (second - start) / max(end - start, 1e-12) * WIDTH


def _chart(drawing: Drawing, group: list[int], top: int) -> list[str]:
    names = drawing.source.window.names
    low, high = scale_of(drawing, group, COLUMNS // 2)
    ticks = round_ticks(low, high, 6)

    def y(value: float) -> float:
        return top + (high - value) / max(high - low, 1e-300) * HEIGHT

    parts = [f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>']
    for tick, text in zip(ticks, tick_texts(ticks), strict=True):
        parts.append(f'<path d="M{LEFT} {y(tick):.1f}h{WIDTH}" stroke="#e5e5e5"/>')
        parts.append(_text(LEFT - 6, y(tick) + 4, text, anchor="end"))
    for second in drawing.findings.changes if drawing.findings is not None else ():
        parts.append(f'<path d="M{_x(drawing, second):.1f} {top}v{HEIGHT}" stroke="#888" stroke-dasharray="3 3"/>')
    for number, channel in enumerate(group):
        colour = _COLOURS[number % len(_COLOURS)]
        least, most = drawing.pyramid.extents(channel, drawing.look.span, COLUMNS)
        parts.append(f'<path d="{_path(least, most, y)}" fill="none" stroke="{colour}" stroke-linejoin="round"/>')
        unit = f" ({drawing.sensor.unit})" if drawing.sensor.unit else ""
        parts.append(_text(LEFT + 90 * number, top - 6, f"{names[channel]}{unit}", colour=colour))
    return parts


def _path(low: Samples, high: Samples, y: object) -> str:
    """Up and down through the least and greatest value of each column; broken where there is none."""
    steps: list[str] = []
    pen = "M"
    for column, (least, most) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        if np.isnan(least):
            pen = "M"
            continue
        x = LEFT + (column + 0.5) / COLUMNS * WIDTH
        steps.append(f"{pen}{x:.1f} {y(least):.1f}")  # pyright: ignore[reportCallIssue]
        if most > least:
            steps.append(f"L{x:.1f} {y(most):.1f}")  # pyright: ignore[reportCallIssue]
        pen = "L"
    return "".join(steps)


def _time_axis(drawing: Drawing, bottom: int) -> list[str]:
    span = drawing.look.span
    ticks = round_ticks(*span, 12)
    parts = [
        _text(_x(drawing, tick), bottom + 16, text, anchor="middle")
        for tick, text in zip(ticks, tick_texts(ticks), strict=True)
    ]
    parts.append(_text(LEFT + WIDTH + 12, bottom + 16, "s"))
    for mark in drawing.stretches or ():
        start, end = max(mark.start_sec, span[0]), min(mark.end_sec, span[1])
        if end > start:
            x, width = _x(drawing, start), _x(drawing, end) - _x(drawing, start)
            box = f'x="{x:.1f}" y="{bottom + 24}" width="{width:.1f}" height="20"'
            parts.append(f'<rect {box} fill="#e8f1e8" stroke="#7a7"/>')
            parts.append(_text(x + width / 2, bottom + 38, mark.label, anchor="middle"))
    return parts


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "#222", size: int = 12) -> str:
    style = f'text-anchor="{anchor}" fill="{colour}" font-size="{size}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(printable(text))}</text>'
