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
            found = {window.names[row]: estimate(window, window.values[row]) for row in places[:4]}
            return fitting([{**head, "source": kind, "channels": found}])
    raise ToolError(
        "there is no heart-rate or ECG channel in this window", kinds=sorted({kind_of(one) for one in window.channels})
    )


def _from_channel(window: Window, samples: Samples) -> dict[str, Any]:
    known = samples[np.isfinite(samples)]
    if not known.size:
        return {"note": "no reading in this window", "nan_share": 1.0}
    low, middle, high = rounded_all((known.min(), known.mean(), known.max()))
    missing = rounded(1 - known.size / samples.size, 2)
    return {"mean": middle, "min": low, "max": high, "readings": int(known.size), "nan_share": missing}


def _from_ecg(window: Window, samples: Samples) -> dict[str, Any]:
    """Beats found as Pan & Tompkins (1985) do: 5 to 15 Hz, slope squared, averaged over 0.15 s, thresholded."""
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
    return {
        "mean": rounded(60 / float(np.median(between))),
        "beats": int(beats.size),
        "interval_ms": rounded(1000 * float(np.median(between))),
        "interval_std_ms": rounded(1000 * float(between.std())),
    }
