"""How a window's sensors are held and how their channels and stretches go together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from tools.features import filled
from tools.registry import SESSION, ToolContext, ToolError, tool
from tools.results import (
    MOTION,
    chosen_channels,
    current,
    fitting,
    looked_at,
    measured_rate,
    rounded,
    rounded_all,
    rows_of,
    seconds,
    sensors_at,
)
from tools.sensors import AXES, Sensor, sensors_of
from tools.session import Samples, Window

GRAVITY = {"m/s²": 9.80665, "g": 1.0, "mg": 1000.0, "mm/s²": 9806.65}
"""Standard gravity (CGPM 1901) in the units that accelerometers are recorded in."""
_FRAME_SEC = 0.5
CHANGE_ERROR_SEC = 0.2
"""How far a change between two activities lies from where it is told, as a rule; `make reference-tools` prints it."""
_MAX_CHANGES = 4
_LEAST_NOISE = 0.1
"""In standard deviations for a level and in decades for a spread: smaller shifts are no change of activity."""


@tool
def estimate_orientation(
    context: ToolContext, artifact_id: str = SESSION, position: str | None = None
) -> dict[str, Any]:
    """Estimate how the sensor is held from gravity: the angle of each axis to the vertical, and how the tilt changes.

    0 degrees: the axis points up; 90: it lies level; 180: it points down. It needs an accelerometer that still
    contains gravity.

    Args:
        artifact_id: the window to look at; "session" is the whole session.
        position: the sensor position to look at, where there are several, such as "hand".
    """
    window = current(context, artifact_id)
    measured_rate(window, 8, "an orientation")
    sensors, choice = sensors_at(window, position)
    candidates = [sensor for sensor in sensors if sensor.kind == "acceleration" and sensor.is_triad]
    measured = [(sensor, filled(rows_of(window, sensor))) for sensor in candidates]
    upright = [(sensor, rows) for sensor, rows in measured if _holds_gravity(sensor, rows)]
    if not upright:
        seen = [sensor.name for sensor in candidates[:6]]
        raise ToolError(
            "no accelerometer here contains gravity (three axes with a mean of about 9.8 m/s² or 1 g)",
            accelerometers=seen,
            **choice,
        )
    head = looked_at(artifact_id, window) | choice | {"angle_unit": "degrees from vertical"}
    return fitting({**head, "sensors": dict(_held(sensor, rows) for sensor, rows in upright[:n])} for n in (6, 3, 1))


@tool
def correlate_channels(
    context: ToolContext,
    artifact_id: str = SESSION,
    channel_names: list[str] | None = None,
    position: str | None = None,
) -> dict[str, Any]:
    """Correlate the axes of each sensor with each other, and the sensors' magnitudes, by Pearson's r.

    Args:
        artifact_id: the window to look at; "session" is the whole session.
        channel_names: correlate just these channels, pair by pair.
        position: the sensor position to look at, where there are several, such as "hand".
    """
    window = current(context, artifact_id)
    measured_rate(window, 8, "a correlation")
    if channel_names is not None:
        window = chosen_channels(window, channel_names)
        if len(window.names) < 2:
            raise ToolError("a correlation needs at least two channels")
        pairs = [
            (f"{window.names[first]} ~ {window.names[second]}", window.values[first], window.values[second])
            for first, second in combinations(range(len(window.names)), 2)
        ]
        choice: dict[str, Any] = {}
    else:
        sensors, choice = sensors_at(window, position)
        pairs = list(_sensor_pairs(window, [sensor for sensor in sensors if sensor.kind in MOTION]))
    coefficients = {name: _pearson(first, second) for name, first, second in pairs}
    ranked = sorted(coefficients, key=lambda name: -abs(coefficients[name]) if np.isfinite(coefficients[name]) else 1.0)
    head = looked_at(artifact_id, window) | choice
    if not ranked:
        raise ToolError("there are no two motion channels here; name channels with channel_names", **choice)
    return fitting(
        {**head, "r": {name[:80]: rounded(coefficients[name], 2) for name in ranked[:shown]}}
        | ({"weaker_pairs_not_shown": len(ranked) - shown} if shown < len(ranked) else {})
        for shown in (len(ranked), 20, 12, 6, 3)
    )


@tool
def segment_session(context: ToolContext, artifact_id: str = SESSION, position: str | None = None) -> dict[str, Any]:
    """Compare the start, middle and end of a window, and find the times at which its level or its activity changes.

    Args:
        artifact_id: the window to look at; "session" is the whole session.
        position: the sensor position to look at, where there are several, such as "hand".
    """
    window = current(context, artifact_id)
    rate = measured_rate(window, 24, "a segmentation")
    sensors, choice = sensors_at(window, position)
    moving = [sensor for sensor in sensors if sensor.kind in MOTION and sensor.is_triad] or list(sensors)
    head = looked_at(artifact_id, window) | choice
    parts = np.array_split(np.arange(window.time_sec.size), 3)
    thirds = {
        name: [seconds(float(window.time_sec[part[0]])), seconds(float(window.time_sec[part[-1]]))]
        for name, part in zip(("start", "middle", "end"), parts, strict=True)
    }
    head |= {"parts_sec": thirds, "columns": ["start", "middle", "end"]}
    signals = {sensor.name: _magnitude(window, sensor) for sensor in moving}
    changes = _changes(list(signals.values()), rate)
    head["changes_sec"] = [seconds(window.start_sec + at) for at in changes]
    if changes:
        head["changes_within_sec"] = CHANGE_ERROR_SEC
    elif window.end_sec - window.start_sec < 6 * _FRAME_SEC:
        head["changes_note"] = f"cannot be told: a change needs {6 * _FRAME_SEC:g} s"
    return fitting(
        {
            **head,
            "magnitude": {
                name: {
                    "unit": sensor.unit,
                    "mean": rounded_all(_mean(signals[name][part]) for part in parts),
                    "std": rounded_all(_std(signals[name][part]) for part in parts),
                }
                for name, sensor in [(shown_sensor.name, shown_sensor) for shown_sensor in moving[:shown]]
            },
        }
        | ({"sensors_not_shown": len(moving) - shown} if shown < len(moving) else {})
        for shown in (len(moving), 4, 2, 1)
    )


def gravity_of(window: Window, sensor: Sensor) -> Samples | None:
    """The direction of the vertical in an accelerometer's axes, shape (3,); None where nothing there shows gravity.

    Where gravity was taken out of the sensor, another accelerometer at its position that still has it is asked.
    """
    others = [
        other
        for other in sensors_of(window.channels)
        if other.kind == "acceleration" and other.is_triad and other.position == sensor.position and other != sensor
    ]
    for candidate in (sensor, *others):
        rows = rows_of(window, candidate)
        rows = rows[:, np.isfinite(rows).all(axis=0)]
        if rows.shape[1] and _holds_gravity(candidate, rows):
            level = rows.mean(axis=1)
            return level / np.linalg.norm(level)
    return None


def _holds_gravity(sensor: Sensor, rows: Samples) -> bool:
    size = float(np.sqrt((rows.mean(axis=1) ** 2).sum()))
    unit = GRAVITY.get(sensor.unit.replace("^2", "²").replace("m/s2", "m/s²"))
    levels = GRAVITY.values() if unit is None else (unit,)
    return any(0.6 * level < size < 1.4 * level for level in levels)


def _held(sensor: Sensor, rows: Samples) -> tuple[str, dict[str, Any]]:
    """A sensor's angles to the vertical, and the angle between gravity in its first and in its last third."""
    level = rows.mean(axis=1)
    parts = [part.mean(axis=1) for part in np.array_split(rows, 3, axis=1)]
    angles = {f"axis_{axis}": rounded(_angle(level, unit)) for axis, unit in zip(AXES, np.eye(3), strict=True)}
    return sensor.name, {
        **angles,
        "gravity": rounded_all(level),
        "unit": sensor.unit,
        "tilt_change": rounded(_angle(parts[0], parts[2])),
    }


def _angle(first: Samples, second: Samples) -> float:
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.degrees(np.arccos(np.clip(first @ second / size, -1, 1)))) if size > 0 else float("nan")


def _sensor_pairs(window: Window, sensors: list[Sensor]) -> Iterator[tuple[str, Samples, Samples]]:
    for sensor in sensors:
        if sensor.is_triad:
            rows = rows_of(window, sensor)
            for row, other_row in ((0, 1), (0, 2), (1, 2)):
                yield f"{sensor.name} {AXES[row]}~{AXES[other_row]}", rows[row], rows[other_row]
    for first, second in combinations(sensors, 2):
        yield f"|{first.name}| ~ |{second.name}|", _magnitude(window, first), _magnitude(window, second)


def _magnitude(window: Window, sensor: Sensor) -> Samples:
    rows = rows_of(window, sensor)
    return np.sqrt((rows**2).sum(axis=0)) if sensor.is_triad else rows[0]


def _pearson(first: Samples, second: Samples) -> float:
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 8 or first[both].std() < 1e-12 or second[both].std() < 1e-12:
        return float("nan")
    return float(np.corrcoef(first[both], second[both])[0, 1])


def _mean(samples: Samples) -> float:
    known = samples[np.isfinite(samples)]
    return float(known.mean()) if known.size else float("nan")


def _std(samples: Samples) -> float:
    known = samples[np.isfinite(samples)]
    return float(known.std()) if known.size else float("nan")


def _changes(signals: list[Samples], rate: float) -> list[float]:
    """Times in seconds at which level or spread shifts, by binary segmentation of half-second frames.

    Scott & Knott (1974); a split is kept when it lowers the squared error by more than the penalty of the Bayesian
    information criterion, the noise being estimated from the differences of neighbouring frames.
    """
    length = max(int(_FRAME_SEC * rate), 2)
    count = min((signal.size for signal in signals), default=0) // length
    if count < 6:
        return []
    rows: list[Samples] = []
    for signal in filled(np.array(signals)):
        frames = signal[: count * length].reshape(count, length)
        rows += [frames.mean(axis=1) / max(float(signal.std()), 1e-9), np.log10(frames.std(axis=1) + 1e-3)]
    values = np.array([row for row in rows if np.isfinite(row).all()])
    if not values.size:
        return []
    noise = np.median(np.abs(np.diff(values, axis=1)), axis=1) / 0.954
    values = values / np.maximum(noise, _LEAST_NOISE)[:, None]
    penalty = 3 * len(values) * np.log(count)
    splits: list[int] = []
    spans = [(0, count)]
    while spans and len(splits) < _MAX_CHANGES:
        start, end = spans.pop(0)
        gains = [(_gain(values, start, at, end), at) for at in range(start + 2, end - 1)]
        best, at = max(gains, default=(0.0, 0))
        if best > penalty:
            splits.append(at)
            spans += [(start, at), (at, end)]
    magnitudes = filled(np.array(signals))
    magnitudes = magnitudes[np.isfinite(magnitudes).all(axis=1)]
    return [_refined(magnitudes, at * length, 2 * length) / rate for at in sorted(splits)]


def _refined(signals: Samples, at: int, reach: int) -> int:
    """The sample near `at` where two normal distributions, of other mean and variance, fit best before and after it.

    The likelihood is that of Killick, Fearnhead & Eckley (2012), "Optimal detection of changepoints with a linear
    computational cost", JASA 107, for a change in mean and variance; `reach` samples on either side are looked at.
    """
    start, end = max(at - 2 * reach, 0), min(at + 2 * reach, signals.shape[1])
    least = max(reach // 4, 3)
    places = range(max(at - reach, start + least), min(at + reach, end - least))
    if not places or not len(signals):
        return at

    def misfit(split: int) -> float:
        return sum(
            (stop - begin) * float(np.log(signals[:, begin:stop].var(axis=1) + 1e-6 * overall).sum())
            for begin, stop in ((start, split), (split, end))
        )

    overall = signals.var(axis=1) + 1e-12
    return min(places, key=misfit)


def _gain(values: Samples, start: int, at: int, end: int) -> float:
    """How much a split lowers the squared error."""
    left, right = values[:, start:at].mean(axis=1), values[:, at:end].mean(axis=1)
    return float(((left - right) ** 2).sum() * (at - start) * (end - at) / (end - start))
