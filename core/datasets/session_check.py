"""Looking at one session before anything rests on it: can it be read, and can its times and units be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.finding import Finding
from core.datasets.session_file import (
    TIME_COLUMN,
    layout_problems,
    opened,
    read_columns,
    wanted_columns,
    without_path,
)
from core.text import counted
from tools.features import MIN_SAMPLES
from tools.motion import GRAVITY
from tools.sensors import sensors_of

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

    from tools.session import Channel, Samples

Heard = Callable[[Mapping[str, "Samples"]], None]
RATE_TOLERANCE = 0.1
"""How far a session's rate may be from the manifest's, as a share of it."""
LONGEST_SEC = 3600.0
"""A session that lasts longer is a recording that nobody cut."""
MAX_REPEATED = 0.01
"""The share of rows that may repeat the time before them; they are left out. With more, the stamps are coarse."""
UNIT_FACTORS = {"ms": 1e3, "us": 1e6, "ns": 1e9}
"""Parts of a second that clocks count in."""
FASTEST_TURN_RAD = 60.0
"""rad/s; the widest range of a common gyroscope is 4000 degrees a second, 70 rad/s."""
MOST_G = 50.0
"""Nobody's motion stays above so many g; the widest range of a common accelerometer is 16 g."""
_THOUSANDTHS = {"m/s²": "mm/s²", "g": "mg"}
_UNIT_TOLERANCE = 0.12
"""How close to 1 g a mean acceleration must be to tell its unit."""


def session_findings(
    path: Path, location: str, described: Sequence[Channel], heard: Heard | None = None
) -> Iterator[Finding]:
    """What is wrong or odd in one session's file.

    Args:
        path: its `data.parquet`.
        location: the file as a person is told of it.
        described: the channels of the manifest.
        heard: told the samples of a session that can be read, by channel.
    """
    import pyarrow as pa

    if not path.is_file():
        yield Finding("error", "no data", location, "is missing" if not path.exists() else "is no regular file")
        return
    try:
        with opened(path) as file:
            yield from _of_file(file, location, described, heard)
    except (pa.ArrowException, OSError) as error:
        yield Finding("error", "damaged", location, f"is no whole Parquet file: {without_path(str(error), path)}")


def _of_file(file: ParquetFile, location: str, described: Sequence[Channel], heard: Heard | None) -> Iterator[Finding]:
    rows, names = file.metadata.num_rows, file.schema_arrow.names
    if not rows:
        yield Finding("error", "empty", location, "has no rows")
        return
    known = [channel.name for channel in described]
    channels = [name for name in wanted_columns(names, known) if name != TIME_COLUMN]
    if not channels:
        there = ", ".join(name for name in names if name != TIME_COLUMN)[:80]
        yield Finding("error", "columns", location, f"has none of the manifest's channels, only {there or 'times'}")
        return
    for name in dict.fromkeys(name for name in names if name not in (*channels, TIME_COLUMN)):
        message = f"column {name} is not in the manifest, so it is not read"
        yield Finding("warning", f"column {name}", location, message)
    problems = list(layout_problems(file, known))
    for kind, message, mend in problems:
        yield Finding("error", kind, location, message, mend)
    if problems:
        return
    if rows < MIN_SAMPLES:
        plural = "rows" if rows > 1 else "row"
        yield Finding("error", "short", location, f"has {rows} {plural}, too few to measure anything")
        return
    columns = read_columns(file, wanted_columns(names, known))
    times = columns.pop(TIME_COLUMN, None)
    if heard:
        heard(columns)
    yield from _of_flags(file, location, channels)
    yield from _of_values(location, columns)
    yield from _of_times(location, times, [channel.rate_hz for channel in described if channel.rate_hz])
    yield from _of_units(location, columns, described)


def _of_flags(file: ParquetFile, location: str, channels: Sequence[str]) -> Iterator[Finding]:
    import pyarrow as pa

    schema = file.schema_arrow
    for name in channels:
        if pa.types.is_boolean(schema.field(name).type):
            message = f"column {name} holds true and false, which are read as 1 and 0: it is no sensor's"
            yield Finding("warning", f"flag {name}", location, message, f"--drop {name}")


def _of_values(location: str, columns: Mapping[str, Samples]) -> Iterator[Finding]:
    missing = [name for name, values in columns.items() if not np.isfinite(values).any()]
    if len(missing) == len(columns):
        message = "holds no sample: every channel is missing throughout (NaN or infinite)"
        yield Finding("error", "missing", location, message)
        return
    for name in missing:
        yield Finding("warning", f"missing {name}", location, f"column {name} is missing throughout (NaN or infinite)")
    for name, values in columns.items():
        if np.isinf(values).any():
            yield Finding("warning", "infinite", location, f"column {name} holds infinite values")


def _of_times(location: str, times: Samples | None, rates: Sequence[float]) -> Iterator[Finding]:
    if times is None:
        message = "the manifest's rate is used" if rates else "nor is a rate known"
        message = f"it has no column {TIME_COLUMN}; {message}"
        yield Finding("warning" if rates else "error", "no times", location, message)
        return
    if not np.isfinite(times).all():
        what = "infinite" if np.isinf(times).any() else "missing"
        mend = "--times even" if rates else ""
        yield Finding("error", "times", location, f"column {TIME_COLUMN} has {what} times", mend)
        return
    steps = np.diff(times)
    if (steps < 0).any():
        yield from _of_jumps(location, times, steps)
        return
    repeated = int((steps == 0).sum())
    if repeated > MAX_REPEATED * len(times):
        message = f"{repeated / len(times):.0%} of the rows repeat the time of the row before, and would be dropped"
        yield Finding("error", "times", location, f"the times are coarse: {message}", "--times spread")
        return
    if repeated:
        message = f"{counted(repeated, 'row')} with the time of the row before: left out"
        yield Finding("warning", "repeated", location, message)
    fastest = max(rates, default=None)
    rate = len(steps) / float(times[-1] - times[0])
    unit = clock_unit(float(np.median(steps[steps > 0])), fastest)
    if unit:
        message = f"the times count in {unit}, not in seconds: it would last {times[-1] - times[0]:,.0f} s"
        yield Finding("error", "clock", location, message, f"--time-unit {unit}")
        return
    if fastest and abs(rate / fastest - 1) > RATE_TOLERANCE:
        yield Finding("warning", "rate", location, f"has {rate:.4g} rows a second, the manifest says {fastest:.4g}")
    if times[-1] - times[0] > LONGEST_SEC:
        message = f"lasts {(times[-1] - times[0]) / 3600:.3g} h: a session is a window of seconds, of one activity"
        yield Finding("warning", "long", location, message, "--cut 5")
    if abs(times[0]) > 1e-9:
        yield Finding("warning", "start", location, f"starts at {times[0]:g} s instead of 0; it is read as if from 0")


def _of_jumps(location: str, times: Samples, steps: Samples) -> Iterator[Finding]:
    """Times that go back: one stretch after another from the start again, or rows out of order."""
    row = int(np.flatnonzero(steps < 0)[0]) + 1
    jumps = int((steps < 0).sum())
    begins_again = jumps <= max(3, len(times) // 100) and times[row] - times[0] < 0.5 * (times.max() - times.min())
    message = f"time jumps back at row {row}, from {times[row - 1]:g} s to {times[row]:g} s"
    if begins_again:
        message += "; read by time, stretches that were recorded apart would be mixed"
    yield Finding("error", "times", location, message, "--times append" if begins_again else "--times sort")


def clock_unit(step: float, rate_hz: float | None) -> str:
    """The unit that a clock counts in when it cannot be seconds; empty when seconds are possible.

    Args:
        step: the usual difference between two times.
        rate_hz: rows a second by the manifest. Where it names none, motion is taken to be recorded at 5 to 500 Hz,
            and steps of a whole number of seconds to be a count of something smaller.
    """
    for unit, factor in UNIT_FACTORS.items():
        low, high = (0.3 / rate_hz, 3 / rate_hz) if rate_hz else (2e-3, 2e-1)
        if low * factor <= step <= high * factor and (rate_hz or (step >= 2 and step.is_integer())):
            return unit
    return ""


def _of_units(location: str, columns: Mapping[str, Samples], described: Sequence[Channel]) -> Iterator[Finding]:
    there = [channel for channel in described if channel.name in columns]
    for sensor in sensors_of(there):
        if not sensor.is_triad:
            continue
        rows = np.array([columns[name] for name in sensor.names])
        rows = rows[:, np.isfinite(rows).all(axis=0)]
        if not rows.shape[1]:
            continue
        unit = ""
        if sensor.kind == "acceleration":
            unit = gravity_unit(rows, sensor.unit) or thousandth_unit(rows, sensor.unit)
        elif (
            sensor.kind == "gyroscope" and sensor.unit == "rad/s" and np.percentile(np.abs(rows), 90) > FASTEST_TURN_RAD
        ):
            unit = "deg/s"
        if unit:
            size = float(np.sqrt((rows**2).sum(axis=0)).mean())
            message = f"{sensor.name} is declared in {sensor.unit}, but its mean size of {size:.3g} says {unit}"
            yield Finding("error", f"unit {sensor.name}", location, message, f"--unit {sensor.name}={unit}")


def gravity_unit(rows: Samples, declared: str) -> str:
    """The unit in which the mean acceleration is gravity, when that is another than the declared one; else empty.

    Gravity shows where both the mean vector and the mean size are about 1 g: a sensor without gravity has a mean
    vector near zero, one that turns about has a mean vector much shorter than its mean size.

    Args:
        rows: shape (3, n), finite.
        declared: the unit by the manifest.
    """
    declared = _plain_unit(declared)
    if declared not in GRAVITY:
        return ""
    sizes = float(np.linalg.norm(rows.mean(axis=1))), float(np.sqrt((rows**2).sum(axis=0)).mean())
    for unit, gravity in GRAVITY.items():
        if unit != declared and all(abs(size / gravity - 1) < _UNIT_TOLERANCE for size in sizes):
            return unit
    return ""


def thousandth_unit(rows: Samples, declared: str) -> str:
    """The unit a thousand times smaller than the declared one, when no person moves as hard as that says; else empty.

    It also tells of sensors without gravity, whose mean says nothing.

    Args:
        rows: shape (3, n), finite.
        declared: the unit by the manifest.
    """
    declared = _plain_unit(declared)
    hard = declared in _THOUSANDTHS and np.percentile(np.abs(rows), 90) > MOST_G * GRAVITY[declared]
    return _THOUSANDTHS[declared] if hard else ""


def _plain_unit(unit: str) -> str:
    return unit.replace("^2", "²").replace("m/s2", "m/s²")
