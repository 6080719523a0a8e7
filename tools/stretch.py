"""A window's samples as the methods of time and frequency need them: evenly spaced, and without long gaps.

Times that jitter are brought onto an even grid by linear interpolation between samples that are close together. Where
samples are missing for longer, as values or as whole rows, nothing is invented: a line across a gap is a slow wave of
its own. The longest stretch between such gaps is used instead, and the result says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tools.features import sampling_rate
from tools.results import BRIDGED_SEC, BRIDGED_STEPS, rounded, seconds
from tools.session import Samples, Window

HIGHEST_HZ = 15.0
"""Movement of the body lies below: 99 % of the power of gait, even at heel strike (Antonsson & Mann 1985,
"The frequency content of gait", J. Biomech. 18)."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """The longest part of a window without a long gap, on an even grid."""

    values: Samples
    """Shape (channels, n), finite."""
    rate_hz: float
    start_sec: float
    missing: float
    """Share of the window's samples that are not there, from 0 to 1."""
    whole: bool
    """Whether it reaches over the whole window."""

    @property
    def length_sec(self) -> float:
        """How long it lasts."""
        return self.values.shape[1] / self.rate_hz

    def told(self) -> dict[str, object]:
        """What a result says of it: nothing when nothing is missing."""
        told: dict[str, object] = {"missing_share": rounded(self.missing, 2)} if self.missing >= 0.005 else {}
        if not self.whole:
            told["longest_stretch_used_sec"] = [seconds(self.start_sec), seconds(self.start_sec + self.length_sec)]
        return told


def stretch_of(window: Window, names: tuple[str, ...]) -> Stretch | None:
    """The longest usable stretch of some channels; None where the window has no rate, or a channel no sample."""
    rate = sampling_rate(window)
    if not np.isfinite(rate):
        return None
    rows = window.values[[window.names.index(name) for name in names]]
    step = 1 / rate
    count = round((window.end_sec - window.start_sec) * rate) + 1
    grid = window.start_sec + step * np.arange(count)
    longest = max(BRIDGED_SEC, BRIDGED_STEPS * step)
    even, there = np.empty((len(rows), count)), np.ones(count, dtype=bool)
    known_share = 1.0
    for row, samples in enumerate(rows):
        known = np.isfinite(samples)
        if known.sum() < 2:
            return None
        times = window.time_sec[known]
        even[row] = np.interp(grid, times, samples[known])
        after = np.clip(np.searchsorted(times, grid), 1, len(times) - 1)
        between = times[after] - times[after - 1]
        outside = np.maximum(times[0] - grid, grid - times[-1])
        there &= np.where(outside > 0, outside <= longest / 2, between <= longest * (1 + 1e-9))
        known_share = min(known_share, float(known.sum()) / count)
    start, end = _longest_run(there)
    return Stretch(
        even[:, start:end],
        rate,
        float(grid[start]),
        max(1 - known_share, 0.0),
        end - start >= count - 1,
    )


def _longest_run(there: NDArray[np.bool_]) -> tuple[int, int]:
    """First and last-plus-one place of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], there.view(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    if not starts.size:
        return 0, 0
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def of_movement(values: Samples, rate_hz: float) -> Samples:
    """Samples, shape (rows, n), without what is faster than a body moves; as they are where the rate is low anyway."""
    from scipy.signal import sosfiltfilt

    if rate_hz <= 3 * HIGHEST_HZ or values.shape[1] < 32:
        return values
    return np.asarray(sosfiltfilt(_lowpass(round(rate_hz, 3)), values, axis=1), dtype=float)


@lru_cache(maxsize=16)
def _lowpass(rate_hz: float) -> Samples:
    """The sections of a Butterworth low-pass of the fourth order; designing it costs more than applying it."""
    from scipy.signal import butter

    return np.asarray(butter(4, HIGHEST_HZ, "lowpass", fs=rate_hz, output="sos"), dtype=float)


def peak_between(samples: Samples, peak: int) -> tuple[float, float]:
    """Where a peak lies between samples, and its height: the vertex of the parabola through it and its neighbours.

    Smith & Serra (1987), "PARSHL: an analysis/synthesis program for non-harmonic sounds", section on peak detection.

    Args:
        samples: shape (n,).
        peak: the index of a local maximum.
    """
    if not 0 < peak < len(samples) - 1:
        return float(peak), float(samples[peak])
    before, top, after = (float(samples[peak + offset]) for offset in (-1, 0, 1))
    bend = before - 2 * top + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return peak + shift, top - 0.25 * (before - after) * shift
