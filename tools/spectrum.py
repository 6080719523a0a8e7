"""How fast a window's motion repeats: its spectrum, and its autocorrelation.

Each result says how finely it can tell, and on what. Where the window is too short, too slow or too full of gaps it
says "cannot be told" instead of giving a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tools.features import BANDS_HZ, MIN_SAMPLES, autocorrelation, filled
from tools.motion import gravity_of
from tools.registry import SESSION, ToolContext, ToolError, tool
from tools.results import (
    MOTION,
    chosen_channels,
    current,
    fitting,
    looked_at,
    measured_rate,
    rounded,
    sensors_at,
)
from tools.sensors import Sensor
from tools.session import Samples, Window
from tools.stretch import Stretch, of_movement, peak_between, stretch_of

MIN_SPECTRUM_SAMPLES = 32
_PEAK = 0.03
"""A peak with less of the power than this is not worth a word."""
_SEGMENT_SEC = 5.0
"""Segments of Welch's method: long enough for a fifth of a hertz, short enough for a rhythm that drifts."""
_LONGEST_SEGMENT = 1024
"""Samples of a segment of Welch's method at most, for drawing: finer than a screen shows."""
_PADDED = 4
"""How many times finer than its resolution a spectrum is sampled, so that a parabola fits a peak (Smith & Serra)."""
SLOWEST_SEC = 2.0
"""The longest lag at which a rhythm is looked for: 30 cycles a minute."""
FASTEST_SEC = 0.25
"""The shortest time between two steps: 240 a minute. A faster rhythm is told as one."""
HIGHEST_RHYTHM_HZ = 12.5
"""A rhythm has at least a few samples a cycle, and the body none that is faster."""
_NO_MOVEMENT = 1e-12


@tool
def compute_spectrum(
    context: ToolContext,
    artifact_id: str = SESSION,
    channel_names: list[str] | None = None,
    position: str | None = None,
) -> dict[str, Any]:
    """Give each sensor's spectrum: dominant frequencies, share of power per band, and spectral entropy.

    The axes of a sensor are taken together, with their means removed. Entropy is 0 for one pure tone and 1 for noise.
    Two frequencies closer together than resolution_hz are told as one.

    Args:
        artifact_id: the window to look at; "session" is the whole session.
        channel_names: look at these channels only; a sensor's name stands for its three axes.
        position: the sensor position to look at, where there are several, such as "hand".
    """
    window, sensors, choice = _looked_into(context, artifact_id, channel_names, position)
    rate = measured_rate(window, MIN_SPECTRUM_SAMPLES, "a spectrum")
    bands = _bands(rate)
    head = looked_at(artifact_id, window) | choice | {"frequency_unit": "Hz"}
    head["bands_hz"] = [f">{low:g}" if low >= BANDS_HZ[-1][1] else f"{low:g}-{high:.3g}" for low, high in bands]
    spectra = {sensor.name: _spectrum(stretch_of(window, sensor.names), bands) | _unit(sensor) for sensor in sensors}
    return fitting(_shortened(head, spectra))


@tool
def detect_periodicity(
    context: ToolContext,
    artifact_id: str = SESSION,
    channel_names: list[str] | None = None,
    position: str | None = None,
) -> dict[str, Any]:
    """Find each sensor's rhythm by autocorrelation: the lag at which it repeats, how strongly, and the cadence.

    Strength is the autocorrelation at that lag: near 1 for a steady rhythm, near 0 for none. For an accelerometer it
    is the up-and-down movement that counts, so that walking gives steps a minute, not strides; stride_lag is the time
    of two steps, where left and right differ.

    Args:
        artifact_id: the window to look at; "session" is the whole session.
        channel_names: look at these channels only; a sensor's name stands for its three axes.
        position: the sensor position to look at, where there are several, such as "hand".
    """
    window, sensors, choice = _looked_into(context, artifact_id, channel_names, position)
    rate = measured_rate(window, MIN_SPECTRUM_SAMPLES, "a rhythm")
    head = looked_at(artifact_id, window) | choice
    head |= {"lag_unit": "s", "lag_resolution": rounded(1 / rate), "cadence_unit": "cycles per minute"}
    rhythms = {sensor.name: _rhythm_of(window, sensor) | _unit(sensor) for sensor in sensors}
    return fitting(_shortened(head, rhythms))


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
    sensors, choice = sensors_at(window, position)
    moving = tuple(sensor for sensor in sensors if sensor.kind in MOTION)
    if not sensors:
        raise ToolError("these channels hold no samples in this window")
    return window, moving or sensors, choice


def _unit(sensor: Sensor) -> dict[str, str]:
    return {"unit": sensor.unit} if sensor.unit else {}


def _shortened(head: dict[str, Any], results: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The result with as many sensors as there is room for."""
    names = list(results)
    for count in (len(names), 6, 4, 2, 1):
        if count <= len(names):
            left = {"sensors_not_shown": [name[:40] for name in names[count : count + 8]]} if count < len(names) else {}
            yield {**head, "sensors": {name: results[name] for name in names[:count]}, **left}


def _is_stride(vertical: Samples, lag: int) -> bool:
    """Whether a movement up and down has twice the frequency of a lag: two steps lie in it."""
    turns = np.arange(vertical.size) / lag
    once, twice = (abs(np.exp(-2j * np.pi * times * turns) @ vertical) for times in (1, 2))
    return bool(twice > once)


def _bands(rate: float) -> list[tuple[float, float]]:
    """The bands that a window of this rate can hold power in: up to half the rate."""
    highest = rate / 2
    bands = [(low, min(high, highest)) for low, high in BANDS_HZ if low < highest]
    if highest > BANDS_HZ[-1][1]:
        bands.append((BANDS_HZ[-1][1], highest))
    return bands


def _short(stretch: Stretch | None, samples: int) -> dict[str, Any] | None:
    """Why nothing can be told of a stretch; None when it is long enough and moves."""
    if stretch is None or stretch.values.shape[1] < samples:
        told = stretch.told() if stretch else {}
        return {"note": f"cannot be told: no stretch of {samples} samples without a gap", **told}
    if float((stretch.values - stretch.values.mean(axis=1, keepdims=True)).std()) < _NO_MOVEMENT:
        return {"note": "no movement"}
    return None


def _spectrum(stretch: Stretch | None, bands: list[tuple[float, float]]) -> dict[str, Any]:
    """Welch's spectrum (1967) of a sensor's axes added up; peaks by the parabola through their logarithm."""
    from scipy.signal import find_peaks, welch

    if problem := _short(stretch, MIN_SPECTRUM_SAMPLES):
        return problem
    assert stretch is not None
    rate, values = stretch.rate_hz, stretch.values
    length = min(values.shape[1], max(int(_SEGMENT_SEC * rate), MIN_SPECTRUM_SAMPLES))
    hertz, density = welch(values, fs=rate, nperseg=length, nfft=_PADDED * length, detrend="linear", axis=1)
    power = np.asarray(density.sum(axis=0), dtype=float)
    resolution = rate / length
    lowest = min(max(resolution, BANDS_HZ[0][0]), rate / 4) if rate > 2 else resolution
    slow = float(power[hertz < lowest].sum() / max(power.sum(), 1e-300))
    peaks, _ = find_peaks(power)
    power[hertz < lowest] = 0
    total = float(power.sum())
    if total <= 0:
        return {"note": f"cannot be told: no power above {rounded(lowest)} Hz"}
    share = power / total
    peaks = peaks[hertz[peaks] >= lowest]
    # a bump narrower than the resolution is a side lobe of its greater neighbour
    apart = [peak for peak in peaks if share[peak] >= share[max(0, peak - _PADDED) : peak + _PADDED + 1].max()]
    strengths = {peak: float(share[max(0, peak - _PADDED) : peak + _PADDED + 1].sum()) for peak in apart}
    strongest = [peak for peak in sorted(apart, key=lambda peak: -share[peak])[:3] if strengths[peak] >= _PEAK]
    logarithm = np.log(power + 1e-12 * power.max())
    every_bin = share[::_PADDED]
    entropy = (
        -(every_bin * np.log(every_bin / every_bin.sum() + 1e-12)).sum() / every_bin.sum() / np.log(every_bin.size)
    )
    centred = values - values.mean(axis=1, keepdims=True)
    spectrum: dict[str, Any] = {
        "dominant": [rounded(peak_between(logarithm, peak)[0] * rate / (_PADDED * length)) for peak in strongest],
        "dominant_share": [rounded(min(strengths[peak], 1.0), 2) for peak in strongest],
        "resolution_hz": rounded(resolution),
        "band_share": [rounded(float(share[(hertz >= low) & (hertz < high)].sum()), 2) for low, high in bands],
        "entropy": rounded(float(entropy), 2),
        "rms": rounded(float(np.sqrt((centred**2).sum(axis=0).mean()))),
    }
    if slow > 0.5:
        spectrum["note"] = f"{rounded(slow, 2)} of the power is slower than {rounded(lowest)} Hz, too slow to tell here"
    return spectrum | stretch.told()


def _rhythm_of(window: Window, sensor: Sensor) -> dict[str, Any]:
    stretch = stretch_of(window, sensor.names)
    if problem := _short(stretch, MIN_SPECTRUM_SAMPLES):
        return problem
    assert stretch is not None
    steps = sensor.kind == "acceleration" and sensor.is_triad
    return _rhythm(stretch, steps, gravity_of(window, sensor) if steps else None) | stretch.told()


def _rhythm(stretch: Stretch, steps: bool, up: Samples | None) -> dict[str, Any]:
    """The fundamental period by the autocorrelation without bias of Moe-Nilssen & Helbostad (2004), "Estimation of gait
    cycle characteristics by trunk accelerometry", J. Biomech. 37: of the vertical acceleration, whose first peak is the
    step and whose second is the stride; of a sensor's axes weighted by their power where no vertical is known.

    Args:
        stretch: the sensor's samples.
        steps: whether left and right steps may differ in it, so that the stride repeats better than the step.
        up: the direction of the vertical in the sensor's axes, shape (3,), where it is known.
    """
    from scipy.signal import find_peaks

    rate = stretch.rate_hz
    centred = stretch.values - stretch.values.mean(axis=1, keepdims=True)
    rms = rounded(float(np.sqrt((centred**2).sum(axis=0).mean())))
    moved = of_movement(centred, rate)
    if up is not None:
        moved = (up @ moved)[None]
    weight = moved.var(axis=1)
    if weight.sum() < _NO_MOVEMENT:
        return {"note": "no movement"}
    curve = (autocorrelation(moved) * weight[:, None]).sum(axis=0) / weight.sum()
    last = min(int(SLOWEST_SEC * rate + 1e-6), moved.shape[1] // 2)
    least = max(0.1, 2 / np.sqrt(moved.shape[1]))  # 95 % of the peaks of noise are lower (Bartlett 1946)
    peaks, _ = find_peaks(curve[: last + 2], prominence=0.05)
    peaks = peaks[(curve[peaks] > least) & (peaks >= 2)]
    if not peaks.size:
        slowest = rounded(60 * rate / max(last, 1))
        note = (
            f"no rhythm between {slowest} and {rounded(min(60 * rate / 2, 60 * HIGHEST_RHYTHM_HZ))} cycles per minute"
        )
        return {"strength": 0.0, "note": note, "rms": rms}
    best = curve[peaks].max()
    first = int(peaks[curve[peaks] >= 0.85 * best][0])
    stride = 0
    half = [int(peak) for peak in peaks if abs(2 * peak - first) <= max(0.15 * first, 2)]
    if steps and half and curve[half[0]] > 0.4 * best:
        first, stride = half[0], first
    elif up is not None and first > 2 * FASTEST_SEC * rate and _is_stride(moved[0], first):
        first, stride = round(first / 2), first
    lag, strength = peak_between(curve, first)
    rhythm: dict[str, Any] = {
        "lag": rounded(lag / rate),
        "cadence": rounded(60 * rate / lag),
        "strength": rounded(min(strength, 1.0), 2),
        "cycles": rounded(stretch.length_sec * rate / lag, 2),
        "rms": rms,
    }
    if stride:
        rhythm["stride_lag"] = rounded(peak_between(curve, stride)[0] / rate)
    if lag / rate < FASTEST_SEC:
        rhythm["note"] = "faster than steps"
    return rhythm
