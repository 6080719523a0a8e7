"""What of a recording a plot shows, as a value: the stretch, the cursor, the sensor, the scale; keys give new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

Mode = Literal["time", "spectrum", "spectrogram"]
MODES: tuple[Mode, ...] = ("time", "spectrum", "spectrogram")
Scale = Literal["own", "sensor", "unit"]
SCALES: tuple[Scale, ...] = ("own", "sensor", "unit")
SCALE_WORDS = {
    "own": "each its own scale",
    "sensor": "one reach for the sensor",
    "unit": "one scale for all of a unit",
}
ZOOM = 1.5
"""By how much one key changes what the axis shows."""
PAN = 0.25
"""How much of what is shown one key moves by."""
FAR = 10
"""Columns that the cursor goes at once."""
MIN_SAMPLES = 8
"""The closest look."""
Span = tuple[float, float]
_Of = TypeVar("_Of")


@dataclass(frozen=True, slots=True)
class Look:
    """What is shown."""

    whole: Span
    """From where to where there is anything, s."""
    span: Span
    """From where to where it is shown, s."""
    cursor: float
    """A time in it, s."""
    spacing: float
    """Seconds between two samples."""
    call: Span
    """The window of the selected call, s."""
    sensors: int = 1
    """How many there are."""
    pitch: float = 0.25
    """The cursor of a spectrum, as a part of the highest frequency."""
    sensor: int = 0
    together: bool = False
    """Whether the axes of a sensor share a chart."""
    scale: Scale = "own"
    mode: Mode = "time"

    @property
    def length(self) -> float:
        """Seconds that are shown."""
        return self.span[1] - self.span[0]


def look_at(whole: Span, span: Span, spacing: float, sensors: int = 1) -> Look:
    """The first look, at `span`, with the cursor in its middle."""
    return Look(whole, span, (span[0] + span[1]) / 2, spacing, span, sensors)


def panned(look: Look, part: float) -> Look:
    """Moved by a part of what is shown; the cursor stays where it is on the screen."""
    step = max(look.whole[0] - look.span[0], min(look.whole[1] - look.span[1], look.length * part))
    return replace(look, span=(look.span[0] + step, look.span[1] + step), cursor=look.cursor + step)


def zoomed(look: Look, factor: float) -> Look:
    """`factor` times as much, the cursor staying where it is on the screen."""
    longest = look.whole[1] - look.whole[0]
    length = min(longest, max(MIN_SAMPLES * look.spacing, look.length * factor))
    part = (look.cursor - look.span[0]) / look.length if look.length > 0 else 0.5
    return _showing(look, look.cursor - part * length, length)


def spanning(look: Look, span: Span) -> Look:
    """Exactly this stretch, the cursor within it."""
    inside = span[0] <= look.cursor <= span[1]
    return replace(look, span=span, cursor=look.cursor if inside else (span[0] + span[1]) / 2)


def stepped(look: Look, columns: float, width: int) -> Look:
    """The cursor moved by columns of a chart `width` wide, by a sample at least; in a spectrum over its frequencies."""
    if look.mode == "spectrum":
        return replace(look, pitch=min(1.0, max(0.0, look.pitch + columns / max(1, width))))
    step = columns * look.length / max(1, width)
    if abs(step) < look.spacing:
        step = look.spacing if columns > 0 else -look.spacing
    return jumped(look, look.cursor + step)


def jumped(look: Look, second: float) -> Look:
    """The cursor at a moment; what is shown follows it where it would leave."""
    second = min(look.whole[1], max(look.whole[0], second))
    start, end = look.span
    if second < start or second > end:
        apart = start - second if second < start else second - end
        start = second - look.length / 2 if apart > look.length / 2 else min(start, second) + max(0.0, second - end)
    return replace(_showing(look, start, look.length), cursor=second)


def next_edge(look: Look, edges: Iterable[float], step: int) -> float | None:
    """The nearest edge after the cursor, or before it for -1; None where there is none."""
    apart = 1e-6 + look.spacing / 4
    if step > 0:
        return min((edge for edge in edges if edge > look.cursor + apart), default=None)
    return max((edge for edge in edges if edge < look.cursor - apart), default=None)


def column_of(span: Span, second: float, width: int) -> int | None:
    """The column of a chart `width` wide at which a moment lies; None outside."""
    if not span[1] > span[0] or not span[0] <= second <= span[1]:
        return None
    return min(width - 1, int((second - span[0]) / (span[1] - span[0]) * width))


def _showing(look: Look, start: float, length: float) -> Look:
    start = max(look.whole[0], min(look.whole[1] - length, start))
    return replace(look, span=(start, start + length))


def _after(every: tuple[_Of, ...], this: _Of) -> _Of:
    return every[(every.index(this) + 1) % len(every)]


CHANGES: Mapping[str, Callable[[Look, int], Look]] = {
    "cursor_earlier": lambda look, width: stepped(look, -1, width),
    "cursor_later": lambda look, width: stepped(look, 1, width),
    "far_earlier": lambda look, width: stepped(look, -FAR, width),
    "far_later": lambda look, width: stepped(look, FAR, width),
    "earlier": lambda look, _: panned(look, -PAN),
    "later": lambda look, _: panned(look, PAN),
    "closer": lambda look, _: zoomed(look, 1 / ZOOM),
    "wider": lambda look, _: zoomed(look, ZOOM),
    "whole": lambda look, _: spanning(look, look.whole),
    "call": lambda look, _: spanning(look, look.call),
    "next_sensor": lambda look, _: replace(look, sensor=(look.sensor + 1) % look.sensors),
    "previous_sensor": lambda look, _: replace(look, sensor=(look.sensor - 1) % look.sensors),
    "together": lambda look, _: replace(look, together=not look.together),
    "scale": lambda look, _: replace(look, scale=_after(SCALES, look.scale)),
    "switch": lambda look, _: replace(look, mode=_after(MODES, look.mode)),
}
"""What the keys of a plot change, by the names that `tui/local_keys.py` has for it; told how wide a chart is."""
