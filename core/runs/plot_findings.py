"""What a plot is of, and what the tools find in the stretch it shows: in their own numbers, for drawing.

Finding computes, so it belongs on a thread of its own.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from core.text import counted
from tools.gravity import steps_of
from tools.motion import segment_session
from tools.registry import SESSION, ToolContext, ToolError
from tools.session import Window
from tools.spectrum import amplitude_density, compute_spectrum

if TYPE_CHECKING:
    from core.runs.session_view import SessionView
    from tools.sensors import Sensor
    from tools.session import Dataset, Samples

Span = tuple[float, float]
LONGEST_SEC = 120.0
"""A longer stretch is neither counted through for steps nor segmented at once."""
LONGEST_CHANGES_SEC = 1200.0
"""In a longer stretch changes are not looked for: it would be a line in nearly every column."""
EVEN_STEPS = 0.5
"""Peaks that come less regularly are hardly steps, as `count_steps` says, and are not drawn."""
MOST_SAMPLES = 60_000
"""Of a longer stretch the middle is enough for a spectrum."""


@dataclass(frozen=True, slots=True, eq=False)
class PlotSource:
    """What a plot is of."""

    name: str
    about: str
    """What is shown of it, such as a call's name."""
    window: Window
    """All there is to be seen."""
    call: Span | None
    """The window of the selected call in it; None where it is all of it."""
    dataset: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What was found in a stretch of one sensor."""

    changes: tuple[float, ...] = ()
    """`segment_session`: s."""
    steps: tuple[float, ...] = ()
    """The peaks that `count_steps` counts: s."""
    dominant: tuple[float, ...] = ()
    """`compute_spectrum`: Hz, the strongest first."""
    told: tuple[str, ...] = ()
    """The same in a few words each."""
    density: dict[str, tuple[Samples, Samples]] = field(default_factory=dict[str, "tuple[Samples, Samples]"])
    """By channel the frequencies and the amplitude there, where a spectrum is shown."""
    power: dict[str, Samples] = field(default_factory=dict[str, "Samples"])
    """By channel a map of power from 0 to 1, shape (frequencies, columns), where a spectrogram is shown."""
    highest_hz: float = 1.0


def source_of(view: SessionView) -> PlotSource:
    """What is plotted of the sensor pane's window: the session around it where the window is a part of that."""
    about = " · ".join(part for part in (view.call, view.artifact_id) if part)
    whole, part = view.whole, view.full
    if whole is None or not _is_part(part, whole):
        return PlotSource(view.session, about, part, None, view.dataset)
    call = (part.start_sec, part.end_sec)
    within = part.time_sec.size < whole.time_sec.size
    return PlotSource(view.session, about, whole, call if within else None, view.dataset)


def part_of(window: Window, span: Span) -> Window:
    """The samples within a stretch of time as float64."""
    first = int(np.searchsorted(window.time_sec, span[0] - 1e-9, "left"))
    last = int(np.searchsorted(window.time_sec, span[1] + 1e-9, "right"))
    values = window.values[:, first:last].astype(np.float64, copy=False)
    return Window(window.channels, window.time_sec[first:last], values)


def spacing_of(window: Window) -> float:
    """Seconds between two samples, usually."""
    steps = np.diff(window.time_sec[:100_000])
    return float(np.median(steps)) if steps.size else 1.0


class Finder:
    """Looks for what there is to be found in stretches of a window; change points are remembered."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._known: dict[int, tuple[float, ...]] = {}
        self._turn = threading.Lock()

    def find(
        self, span: Span, sensor: Sensor, mode: str, columns: int, wanted: Callable[[], bool] = lambda: True
    ) -> Findings | None:
        """What the tools find of a sensor in a stretch; None where it is not wanted any more when its turn comes.

        Args:
            span: the stretch, s.
            sensor: whose steps, spectra and frequencies are wanted.
            mode: `time`, `spectrum` or `spectrogram`.
            columns: how many columns a spectrogram has.
            wanted: asked before the work begins, which is done for one stretch after the other.
        """
        with self._turn:
            if not wanted():
                return None
            part = part_of(self._window, span)
            if mode == "time":
                return self._in_time(part, span, sensor)
            rate = 1 / spacing_of(self._window)
            if mode == "spectrum":
                middle = _middle(part)
                dominant, hertz = _dominant(middle, sensor)
                rows = {name: middle.values[middle.names.index(name)] for name in sensor.names}
                density = {name: amplitude_density(row, rate) for name, row in rows.items()}
                return Findings((), (), dominant, (hertz,) if hertz else (), density, highest_hz=rate / 2)
            power = {name: power_map(part, part.names.index(name), span, columns) for name in sensor.names}
            return Findings(power=power, highest_hz=rate / 2)

    def changes(self, span: Span) -> tuple[float, ...]:
        """The change points of a stretch, as `segment_session` finds them: in the whole where that is short, else in
        pieces on a grid of their own, so that they stay where they are while one moves along."""
        if self._window.end_sec - self._window.start_sec <= LONGEST_SEC:
            return tuple(at for at in self._piece(0, self._window) if span[0] <= at <= span[1])
        step = LONGEST_SEC / 2
        changes: list[float] = []
        for number in range(math.floor(span[0] / step), math.floor(span[1] / step) + 1):
            begin = number * step
            piece = part_of(self._window, (begin - step / 2, begin + 1.5 * step))
            within = (at for at in self._piece(number, piece) if begin <= at < begin + step)
            changes += [at for at in within if span[0] <= at <= span[1]]
        return tuple(changes)

    def _piece(self, number: int, piece: Window) -> tuple[float, ...]:
        if number not in self._known:
            found_sec = _result(segment_session.run, piece).get("changes_sec", ())
            self._known[number] = tuple(float(at) for at in found_sec)
        return self._known[number]

    def _in_time(self, part: Window, span: Span, sensor: Sensor) -> Findings:
        length = span[1] - span[0]
        changes = self.changes(span) if length <= LONGEST_CHANGES_SEC else ()
        seconds = ", ".join(f"{at:.2f}" for at in changes[:6]) + (" …" if len(changes) > 6 else "")
        told = f"changes at {seconds} s" if changes else ""
        if length > LONGEST_CHANGES_SEC:
            told = f"closer than {LONGEST_CHANGES_SEC / 60:g} minutes change points are looked for"
        if length > LONGEST_SEC:
            return Findings(changes, told=tuple(filter(None, (told,))))
        (steps, counts), (dominant, hertz) = _steps(part, sensor), _dominant(part, sensor)
        return Findings(changes, steps, dominant, tuple(filter(None, (told, counts, hertz))))


def power_map(window: Window, channel: int, span: Span, columns: int) -> Samples:
    """A channel's power by frequency and time, from 0 for a thousandth of a million of the greatest to 1 for that.

    Each column is the Hann-tapered periodogram of the samples around its middle, so the work depends on the columns
    and not on the samples. Columns without enough samples are NaN.

    Returns:
        Shape (frequencies, columns), the frequencies evenly from 0 to half the rate.
    """
    samples, time_sec = window.values[channel], window.time_sec
    size = int(min(256, max(16, 2 ** math.floor(math.log2(max(samples.size / 4, 16))))))
    if samples.size < size:
        return np.full((size // 2 + 1, columns), np.nan)
    middles = span[0] + (np.arange(columns) + 0.5) * (span[1] - span[0]) / columns
    starts = np.clip(np.searchsorted(time_sec, middles) - size // 2, 0, samples.size - size)
    pieces = samples[starts[:, None] + np.arange(size)]
    pieces = pieces - np.nanmean(samples) if np.isfinite(samples).any() else pieces
    pieces = (pieces - pieces.mean(axis=1, keepdims=True)) * np.hanning(size)
    power = np.abs(np.fft.rfft(pieces, axis=1)).T ** 2
    greatest = float(np.nanmax(power)) if np.isfinite(power).any() else 0.0
    if greatest <= 0:
        return np.where(np.isnan(power), np.nan, 0.0)
    return np.clip(1 + np.log10(np.maximum(power / greatest, 1e-12)) / 6, 0, 1)


def _is_part(part: Window, whole: Window) -> bool:
    """Whether a window is a stretch of another one, sample for sample."""
    if not part.time_sec.size or not set(part.names) <= set(whole.names):
        return False
    first = int(np.searchsorted(whole.time_sec, part.time_sec[0]))
    rows = [whole.names.index(name) for name in part.names]
    there = slice(first, first + part.time_sec.size)
    return np.array_equal(whole.time_sec[there], part.time_sec) and np.array_equal(
        whole.values[rows, there], part.values, equal_nan=True
    )


def _middle(window: Window) -> Window:
    extra = window.time_sec.size - MOST_SAMPLES
    if extra <= 0:
        return window
    there = slice(extra // 2, extra // 2 + MOST_SAMPLES)
    return Window(window.channels, window.time_sec[there], window.values[:, there])


def _steps(window: Window, sensor: Sensor) -> tuple[tuple[float, ...], str]:
    times, counts = steps_of(window, sensor)
    regular = counts.get("regularity")
    if not counts.get("peaks") or regular is None:
        return (), ""
    told = f"{counted(counts['peaks'], 'peak')}, {counts['per_minute']} a minute, regularity {regular}"
    return (tuple(times.tolist()) if regular >= EVEN_STEPS else ()), told


def _dominant(window: Window, sensor: Sensor) -> tuple[tuple[float, ...], str]:
    spectra = _result(compute_spectrum.run, window, channel_names=list(sensor.names)).get("sensors", {})
    hertz = tuple(value for value in spectra.get(sensor.name, {}).get("dominant", ()) if value is not None)
    return hertz, f"dominant {', '.join(f'{value:g}' for value in hertz)} Hz" if hertz else ""


def _result(run: Any, window: Window, **arguments: Any) -> dict[str, Any]:
    """A tool's result for a window alone; empty where it could not tell."""
    context = ToolContext(cast("Dataset", None), SESSION, {SESSION: window})
    try:
        return run(context, artifact_id=SESSION, **arguments)
    except ToolError:
        return {}
