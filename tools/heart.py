"""How fast the heart beats, where something measures it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tools.features import filled
from tools.registry import SESSION, ToolContext, ToolError, tool
from tools.results import current, fitting, looked_at, measured_rate, rounded, rounded_all
from tools.sensors import kind_of
from tools.session import Samples, Window

MIN_ECG_SEC = 3.0
"""Three beats at 60 a minute: fewer tell no rate."""
LIMITS_BPM = (30, 220)
LEAST_LIKENESS = 0.66
"""Orphanidou et al. (2015)."""
MAX_PAUSE_SEC = 3.0
MAX_INTERVAL_RATIO = 2.2


@tool
def estimate_heart_rate(context: ToolContext, artifact_id: str = SESSION) -> dict[str, Any]:
    """Estimate the heart rate in beats per minute, from a heart-rate channel or from an ECG.

    Args:
        artifact_id: the window to look at; "session" is the whole session.
    """
    window = current(context, artifact_id)
    head = looked_at(artifact_id, window) | {"unit": "beats per minute"}
    for kind, estimate in (("heart_rate", _from_channel), ("ecg", _from_ecg)):
        places = [row for row, channel in enumerate(window.channels) if kind_of(channel) == kind]
        if places:
            rates = {window.names[row]: estimate(window, window.values[row]) for row in places[:4]}
            return fitting([{**head, "source": kind, "channels": rates}])
    raise ToolError(
        "there is no heart-rate or ECG channel in this window",
        kinds=sorted({kind_of(channel) for channel in window.channels}),
    )


def _from_channel(window: Window, samples: Samples) -> dict[str, Any]:
    known = samples[np.isfinite(samples)]
    if not known.size:
        return {"note": "no reading in this window", "nan_share": 1.0}
    low, middle, high = rounded_all((known.min(), known.mean(), known.max()))
    missing = rounded(1 - known.size / samples.size, 2)
    return {"mean": middle, "min": low, "max": high, "readings": int(known.size), "nan_share": missing}


def _from_ecg(window: Window, samples: Samples) -> dict[str, Any]:
    """Beats found as Pan & Tompkins (1985) do: 5 to 15 Hz, slope squared, averaged over 0.15 s, thresholded.

    A rate is told only where the beats are beats by the quality index of Orphanidou et al. (2015), "Signal-quality
    indices for the electrocardiogram and photoplethysmogram", IEEE J. Biomed. Health Inform. 19: a rate of 40 to 180
    (wider here), no pause over 3 s, intervals within a ratio of 2.2, and beats that look alike.
    """
    from scipy.signal import butter, find_peaks, sosfiltfilt

    rate = measured_rate(window, 32, "an ECG")
    whole = filled(samples[None])[0]
    if window.end_sec - window.start_sec < MIN_ECG_SEC or not np.isfinite(whole).all():
        return {"note": f"needs {MIN_ECG_SEC:g} s of ECG with few gaps"}
    high = min(15.0, 0.45 * rate)
    band = sosfiltfilt(butter(2, (5.0, high), "bandpass", fs=rate, output="sos"), whole - whole.mean())
    width = max(int(0.15 * rate), 1)
    energy = np.convolve(np.gradient(band) ** 2, np.ones(width) / width, mode="same")
    beats, _ = find_peaks(
        energy, distance=max(int(60 / LIMITS_BPM[1] * rate), 1), height=0.25 * np.percentile(energy, 98)
    )
    if beats.size < 3:
        return {"note": "fewer than three beats stand out", "beats": int(beats.size)}
    between = np.diff(beats) / rate
    alike = _likeness(whole, beats, int(np.median(np.diff(beats))))
    doubt = (
        f"the beats do not look alike (agreement {rounded(alike, 2)}, {LEAST_LIKENESS} is needed)"
        if alike < LEAST_LIKENESS
        else "the times between beats differ too much"
        if between.max() > MAX_PAUSE_SEC or between.max() / between.min() > MAX_INTERVAL_RATIO
        else ""
    )
    if doubt:
        return {"note": f"cannot be told: {doubt}", "agreement": rounded(alike, 2)}
    return {
        "mean": rounded(60 / float(np.median(between))),
        "beats": int(beats.size),
        "interval_ms": rounded(1000 * float(np.median(between))),
        "interval_std_ms": rounded(1000 * float(between.std())),
        "agreement": rounded(alike, 2),
    }


def _likeness(samples: Samples, beats: np.ndarray, width: int) -> float:
    """How much the beats agree with their mean: the mean correlation of each beat's samples with it, from -1 to 1."""
    half = width // 2
    inside = [beat for beat in beats.tolist() if half <= beat < samples.size - half]
    if len(inside) < 3 or half < 2:
        return 0.0
    shapes = np.array([samples[beat - half : beat + half] for beat in inside])
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    template = shapes.mean(axis=0)
    sizes = np.linalg.norm(shapes, axis=1) * np.linalg.norm(template)
    return float(np.mean(shapes @ template / np.maximum(sizes, 1e-12)))
