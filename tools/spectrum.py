"""How fast a window's motion repeats: its spectrum, and its autocorrelation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tools.features import BANDS_HZ, MIN_SAMPLES, autocorrelation, filled
from tools.registry import SESSION, ToolContext, ToolError, tool
from tools.results import (
    MOTION,
    chosen_channels,
    current,
    fitting,
    looked_at,
    measured_rate,
    rounded,
    rows_of,
    sensors_at,
)
from tools.sensors import Sensor
from tools.session import Samples, Window

MIN_SPECTRUM_SAMPLES = 32
_PEAK = 0.03
"""A peak with less of the power than this is not worth a word."""
_LONGEST_SEGMENT = 1024
"""Samples of a segment of Welch's method at most, for drawing: finer than a screen shows."""
STEP_LAGS_SEC = (0.25, 2.0)
"""Lags between which a rhythm of the body is looked for: 240 to 30 cycles a minute."""


@tool
def compute_spectrum(
    context: ToolContext,
    artifact_id: str = SESSION,
    channel_names: list[str] | None = None,
    position: str | None = None,
) -> dict[str, Any]:
    """Give each sensor's spectrum: dominant frequencies, share of power per band, and spectral entropy.

    The axes of a sensor are taken together, with their means removed. Entropy is 0 for one pure tone and 1 for noise.

    Args:
        artifact_id: the window to look at; "session" is the whole session.
        channel_names: look at these channels only; a sensor's name stands for its three axes.
        position: the sensor position to look at, where there are several, such as "hand".
    """
    window, sensors, said = _looked_into(context, artifact_id, channel_names, position)
    rate = measured_rate(window, MIN_SPECTRUM_SAMPLES, "a spectrum")
    bands = [f"{low:g}-{high:g}" for low, high in BANDS_HZ if low < rate / 2] + [f">{BANDS_HZ[-1][1]:g}"]
    head = looked_at(artifact_id, window) | said | {"frequency_unit": "Hz", "bands_hz": bands}
    found = {sensor.name: _spectrum(rows_of(window, sensor), rate) | _unit(sensor) for sensor in sensors}
    return fitting(_shortened(head, found))


@tool
def detect_periodicity(
    context: ToolContext,
    artifact_id: str = SESSION,
    channel_names: list[str] | None = None,
    position: str | None = None,
) -> dict[str, Any]:
    """Find each sensor's rhythm by autocorrelation: the lag at which it repeats, how strongly, and the cadence.

    Strength is the autocorrelation at that lag: near 1 for a steady rhythm, near 0 for none.

    Args:
        artifact_id: the window to look at; "session" is the whole session.
        channel_names: look at these channels only; a sensor's name stands for its three axes.
        position: the sensor position to look at, where there are several, such as "hand".
    """
    window, sensors, said = _looked_into(context, artifact_id, channel_names, position)
    rate = measured_rate(window, MIN_SPECTRUM_SAMPLES, "a rhythm")
    head = looked_at(artifact_id, window) | said | {"lag_unit": "s", "cadence_unit": "cycles per minute"}
    found = {sensor.name: _rhythm(rows_of(window, sensor), rate) | _unit(sensor) for sensor in sensors}
    return fitting(_shortened(head, found))


def movement(samples: Samples) -> Samples | None:
    """A sensor's samples (axes, n) without gaps and means; None when too many are missing or nothing moves."""
    whole = filled(samples)
    if not np.isfinite(whole).all():
        return None
    centred = whole - whole.mean(axis=1, keepdims=True)
    return centred if centred.std() > 1e-12 else None


def amplitude_density(samples: Samples, rate_hz: float) -> tuple[Samples, Samples]:
    """Frequencies (Hz) of one channel and the root of its power density there (unit/√Hz), by Welch's method (1967).

    Missing samples are interpolated, the mean is taken off. Nothing where too few samples are there.

    Args:
        samples: shape (n,), NaN where a sample is missing.
        rate_hz: samples a second.
    """
    from scipy.signal import welch

    whole = filled(samples[None])[0]
    if whole.size < MIN_SAMPLES or not np.isfinite(whole).all():
        return np.zeros(0), np.zeros(0)
    hertz, density = welch(whole, fs=rate_hz, nperseg=min(whole.size, _LONGEST_SEGMENT), detrend="constant")
    return np.asarray(hertz, dtype=float), np.sqrt(np.asarray(density, dtype=float))


def _looked_into(
    context: ToolContext, artifact_id: str, channel_names: list[str] | None, position: str | None
) -> tuple[Window, tuple[Sensor, ...], dict[str, Any]]:
    """The window, its motion sensors there (all sensors where none measures motion), and what to say of the choice."""
    window = current(context, artifact_id)
    if channel_names is not None:
        window = chosen_channels(window, channel_names)
    sensors, said = sensors_at(window, position)
    moving = tuple(sensor for sensor in sensors if sensor.kind in MOTION)
    if not sensors:
        raise ToolError("these channels hold no samples in this window")
    return window, moving or sensors, said


def _unit(sensor: Sensor) -> dict[str, str]:
    return {"unit": sensor.unit} if sensor.unit else {}


def _shortened(head: dict[str, Any], found: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The result with as many sensors as there is room for."""
    names = list(found)
    for shown in (len(names), 6, 4, 2, 1):
        if shown <= len(names):
            left = {"sensors_not_shown": [name[:40] for name in names[shown : shown + 8]]} if shown < len(names) else {}
            yield {**head, "sensors": {name: found[name] for name in names[:shown]}, **left}


def _spectrum(samples: Samples, rate: float) -> dict[str, Any]:
    """Welch's spectrum (1967) of a sensor's axes added up."""
    from scipy.signal import find_peaks, welch

    moved = movement(samples)
    if moved is None:
        return {"note": "no movement, or more than half of the samples missing"}
    length = min(moved.shape[1], max(int(5 * rate), MIN_SPECTRUM_SAMPLES))
    hertz, density = welch(moved, fs=rate, nperseg=length, detrend="linear", axis=1)
    power = np.asarray(density.sum(axis=0), dtype=float)
    power[hertz < BANDS_HZ[0][0]] = 0
    total = float(power.sum())
    if total <= 0:
        return {"note": "no power above 0.2 Hz"}
    share = power / total
    peaks, _ = find_peaks(np.concatenate(([0.0], share, [0.0])))
    strongest = [place for place in sorted(peaks - 1, key=lambda place: -share[place])[:3] if share[place] >= _PEAK]
    shares = [share[(hertz >= low) & (hertz < high)].sum() for low, high in BANDS_HZ if low < rate / 2]
    shares.append(share[hertz >= BANDS_HZ[-1][1]].sum())
    entropy = -(share * np.log(share + 1e-12)).sum() / np.log(share.size)
    return {
        "dominant": [rounded(float(hertz[place])) for place in strongest],
        "dominant_share": [rounded(float(share[place]), 2) for place in strongest],
        "band_share": [rounded(float(one), 2) for one in shares],
        "entropy": rounded(float(entropy), 2),
        "rms": rounded(float(np.sqrt((moved**2).sum(axis=0).mean()))),
    }


def _rhythm(samples: Samples, rate: float) -> dict[str, Any]:
    """The first of the strong peaks of the autocorrelation, axes weighted by their power."""
    from scipy.signal import find_peaks

    moved = movement(samples)
    if moved is None:
        return {"note": "no movement, or more than half of the samples missing"}
    weight = moved.var(axis=1)
    found = (autocorrelation(moved) * weight[:, None]).sum(axis=0) / weight.sum()
    first = max(math.ceil(STEP_LAGS_SEC[0] * rate - 1e-6), 1)
    last = min(int(STEP_LAGS_SEC[1] * rate + 1e-6), moved.shape[1] // 2)
    peaks, _ = find_peaks(found[: last + 2])
    peaks = peaks[(peaks >= first) & (found[peaks] > 0.1)]
    if not peaks.size:
        slowest, fastest = rounded(60 * rate / max(last, 1)), rounded(60 * rate / first)
        return {"strength": 0.0, "note": f"no rhythm between {slowest} and {fastest} cycles per minute"}
    best = found[peaks].max()
    lag = int(peaks[found[peaks] >= 0.85 * best][0])
    return {
        "lag": rounded(lag / rate),
        "cadence": rounded(60 * rate / lag),
        "strength": rounded(float(found[lag]), 2),
        "rms": rounded(float(np.sqrt((moved**2).sum(axis=0).mean()))),
    }
