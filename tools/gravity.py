"""Gravity and the body's own movement apart, and what the movement up and down tells: its size and its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.features import BANDS_HZ
from tools.motion import gravity_of
from tools.registry import SESSION, ToolContext, ToolError, tool
from tools.results import current, fitting, looked_at, measured_rate, rounded, sensors_at
from tools.sensors import AXES, Sensor, sensors_of
from tools.session import Samples, Window
from tools.stretch import Stretch, of_movement, stretch_of

GRAVITY_BELOW_HZ = 0.3
"""What is slower than this is gravity: the corner of Anguita et al. (2013), "A public domain dataset for human activity
recognition using smartphones", ESANN, where 0.3 Hz loses no body movement."""
MIN_SAMPLES = 32
SLOW_STEPS_HZ = BANDS_HZ[1]
"""The band of slow steps, and of the strides of quick ones."""
MIN_STEP_SEC = 0.25
"""The shortest time between two steps: 240 a minute, as `detect_periodicity` has it."""
STEP_PROMINENCE = 0.5
"""How far a step's peak stands out, in standard deviations of the movement up and down."""


@dataclass(frozen=True, slots=True, eq=False)
class BodyMovement:
    """An accelerometer's samples without gravity."""

    stretch: Stretch
    body: Samples
    """Shape (3, n), in the sensor's unit."""
    vertical: Samples
    """The part of it along the vertical, up positive, shape (n,)."""


@tool
def separate_gravity(context: ToolContext, artifact_id: str = SESSION, position: str | None = None) -> dict[str, Any]:
    """Take gravity and body movement apart: how much moves, how much of it up and down, and about which axis it turns.

    For an accelerometer: body_rms and body_p95 (95th percentile) of the movement's size, vertical_rms and
    horizontal_rms of its parts, vertical_slow_rms between 0.8 and 1.6 Hz, asymmetry of up against down (skewness), and
    step_peak, the median height of the upward peaks. For a gyroscope: the share of its power about each axis and about
    the vertical.

    Args:
        artifact_id: the window to look at; "session" is the whole session.
        position: the sensor position to look at, where there are several, such as "hand".
    """
    window = current(context, artifact_id)
    measured_rate(window, MIN_SAMPLES, "to take gravity and movement apart")
    sensors, choice = sensors_at(window, position)
    parts: dict[str, dict[str, Any]] = {}
    for sensor in sensors:
        if sensor.is_triad and sensor.kind == "acceleration":
            parts[sensor.name] = _accelerated(window, sensor)
        elif sensor.is_triad and sensor.kind == "gyroscope":
            parts[sensor.name] = _turned(window, sensor)
    if not parts:
        raise ToolError("no accelerometer or gyroscope with three axes is here", **choice)
    head = looked_at(artifact_id, window) | choice
    names = list(parts)
    return fitting(
        {**head, "sensors": {name: parts[name] for name in names[:shown]}} for shown in (len(names), 4, 2, 1)
    )


@tool
def count_steps(context: ToolContext, artifact_id: str = SESSION, position: str | None = None) -> dict[str, Any]:
    """Count the peaks of the movement up and down, which are steps where somebody walks or runs.

    It counts and does not judge: a shaken hand has peaks as well. Regularity is 1 for peaks that come evenly and near 0
    for ones that come anyhow; below 0.5 they are hardly steps.

    Args:
        artifact_id: the window to look at; "session" is the whole session.
        position: the sensor position to look at, where there are several, such as "hand".
    """
    window = current(context, artifact_id)
    measured_rate(window, MIN_SAMPLES, "a count of steps")
    sensors, choice = sensors_at(window, position)
    counted: dict[str, dict[str, Any]] = {}
    for sensor in sensors:
        movement = _movement_of(window, sensor)
        if movement is not None:
            counted[sensor.name] = _count(movement) | {"unit": sensor.unit} | movement.stretch.told()
    if not counted:
        raise ToolError("steps need an accelerometer with three axes and gravity at its position", **choice)
    return fitting(
        looked_at(artifact_id, window) | choice | {"sensors": dict(list(counted.items())[:n])} for n in (4, 2, 1)
    )


def steps_of(window: Window, sensor: Sensor) -> tuple[Samples, dict[str, Any]]:
    """The times (s) of the peaks that `count_steps` counts in one sensor, and what it says of them; nothing
    where it could not count."""
    movement = _movement_of(window, sensor)
    if movement is None:
        return np.zeros(0), {}
    return movement.stretch.start_sec + _peaks(movement) / movement.stretch.rate_hz, _count(movement)


def _accelerated(window: Window, sensor: Sensor) -> dict[str, Any]:
    movement = _movement_of(window, sensor)
    if movement is None:
        return {"note": "cannot be told: no stretch without gaps, or no gravity at this position"}
    vertical, rate = movement.vertical, movement.stretch.rate_hz
    size = np.sqrt((movement.body**2).sum(axis=0))
    peaks = _peaks(movement)
    return {
        "body_rms": rounded(_rms(size)),
        "body_p95": rounded(float(np.percentile(size, 95))),
        "vertical_rms": rounded(_rms(vertical)),
        "horizontal_rms": rounded(float(np.sqrt(max(_rms(size) ** 2 - _rms(vertical) ** 2, 0.0)))),
        "vertical_slow_rms": rounded(_band_rms(vertical, rate, SLOW_STEPS_HZ)),
        "asymmetry": rounded(_skewness(vertical)),
        "step_peak": rounded(float(np.median(vertical[peaks])) if peaks.size else float("nan")),
        "unit": sensor.unit,
    } | movement.stretch.told()


def _turned(window: Window, sensor: Sensor) -> dict[str, Any]:
    """How a gyroscope's power divides among its axes, and how much of it is about the vertical."""
    stretch = stretch_of(window, sensor.names)
    if stretch is None or stretch.values.shape[1] < MIN_SAMPLES:
        return {"note": f"cannot be told: no stretch of {MIN_SAMPLES} samples without a gap"}
    turning = stretch.values - stretch.values.mean(axis=1, keepdims=True)
    power = (turning**2).mean(axis=1)
    total = float(power.sum())
    shares: dict[str, Any] = {"body_rms": rounded(float(np.sqrt(total))), "unit": sensor.unit}
    if total <= 0:
        return shares | {"note": "no movement"}
    shares |= {f"share_{axis}": rounded(float(part / total)) for axis, part in zip(AXES, power, strict=True)}
    up = _up(window, sensor)
    if up is not None:
        shares["share_vertical"] = rounded(float(((up @ turning) ** 2).mean() / total))
    return shares | stretch.told()


def _movement_of(window: Window, sensor: Sensor) -> BodyMovement | None:
    """An accelerometer's movement without gravity; None where a gap or the lack of gravity forbids it."""
    up = _up(window, sensor) if sensor.is_triad and sensor.kind == "acceleration" else None
    stretch = stretch_of(window, sensor.names) if up is not None else None
    if up is None or stretch is None or stretch.values.shape[1] < MIN_SAMPLES:
        return None
    values = of_movement(stretch.values, stretch.rate_hz)
    body = values - _slow(values, stretch.rate_hz)
    return BodyMovement(stretch, body, up @ body)


def _up(window: Window, sensor: Sensor) -> Samples | None:
    """The vertical in the sensor's axes, by an accelerometer at its position."""
    sensors = sensors_of(window.channels)
    apart = len({other.position for other in sensors if other.position}) > 1  # else all sit where one is said to
    near = [
        other
        for other in (sensor, *sensors)
        if other.kind == "acceleration" and other.is_triad and (other.position == sensor.position or not apart)
    ]
    return next((up for other in near if (up := gravity_of(window, other)) is not None), None)


def _slow(values: Samples, rate: float) -> Samples:
    """The part slower than `GRAVITY_BELOW_HZ`; the mean of a stretch that is too short to hold one period of it."""
    from scipy.signal import butter, sosfiltfilt

    if values.shape[1] < rate / GRAVITY_BELOW_HZ:
        return values.mean(axis=1, keepdims=True)
    sections = butter(3, GRAVITY_BELOW_HZ, "lowpass", fs=rate, output="sos")
    return np.asarray(sosfiltfilt(sections, values, axis=1), dtype=float)


def _peaks(movement: BodyMovement) -> NDArray[np.intp]:
    """Where the upward peaks of the movement lie, as indices."""
    from scipy.signal import find_peaks

    spread = float(movement.vertical.std())
    if spread < 1e-9:
        return np.zeros(0, dtype=np.intp)
    apart = max(round(MIN_STEP_SEC * movement.stretch.rate_hz), 1)
    peaks, _ = find_peaks(movement.vertical, distance=apart, prominence=STEP_PROMINENCE * spread, height=0)
    return np.asarray(peaks, dtype=np.intp)


def _count(movement: BodyMovement) -> dict[str, Any]:
    peaks = _peaks(movement)
    seconds = movement.stretch.length_sec
    between = np.diff(peaks) / movement.stretch.rate_hz
    regular = float(1 - between.std() / between.mean()) if between.size > 1 else float("nan")
    return {
        "peaks": int(peaks.size),
        "per_minute": rounded(60 / float(np.median(between))) if between.size else None,
        "regularity": rounded(max(regular, 0.0), 2) if np.isfinite(regular) else None,
        "peak_height": rounded(float(np.median(movement.vertical[peaks]))) if peaks.size else None,
        "counted_sec": rounded(seconds),
    }


def _rms(samples: Samples) -> float:
    return float(np.sqrt((samples**2).mean()))


def _skewness(samples: Samples) -> float:
    spread = float(samples.std())
    return float((((samples - samples.mean()) / spread) ** 3).mean()) if spread > 1e-9 else float("nan")


def _band_rms(samples: Samples, rate: float, band: tuple[float, float]) -> float:
    """The amplitude (RMS) of a signal between two frequencies, by its Hann-tapered spectrum (Parseval)."""
    taper = np.hanning(samples.size)
    power = np.abs(np.fft.rfft((samples - samples.mean()) * taper)) ** 2 * 2 / (samples.size * (taper**2).sum())
    hertz = np.fft.rfftfreq(samples.size, 1 / rate)
    return float(np.sqrt(power[(hertz >= band[0]) & (hertz < band[1])].sum()))
