"""What a window looks like in numbers: the features that windows are compared by.

The features are those the activity recognition literature settled on (Bao & Intille 2004; Anguita et al. 2013,
the UCI HAR features; Lara & Labrador 2013): level, spread and shape of each signal, its jerk, its spectrum's bands,
entropy and peak, its autocorrelation, and the correlation of a sensor's axes.

A feature's name is the channel or sensor it rests on, a colon, and what is computed of it; the features of some of the
channels are exactly `feature_names` of those channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tools.sensors import sensors_of
from tools.session import Channel, Samples, Window

FEATURES_VERSION = 2
"""Changes whenever the same samples would give other features: a cached table of another version is stale."""

DURATION = "session:duration_sec"
"""The first column of a table: the window's length. Windows are never compared by it."""

BANDS_HZ: tuple[tuple[float, float], ...] = ((0.2, 0.8), (0.8, 1.6), (1.6, 2.6), (2.6, 5.0), (5.0, 10.0))
"""Bands of body movement: postural sway and slow gestures, slow and normal step rates, fast steps and harmonics."""

SIGNAL_STATS: tuple[str, ...] = (
    "mean", "std", "iqr", "min", "max", "skew", "jerk", "change", "crossings",
    "peak_hz", "peak_share", "entropy", "rhythm",
    *(f"band_{low:g}-{high:g}_Hz" for low, high in BANDS_HZ),
)  # fmt: skip
"""What is computed of every signal; `band_a-b_Hz` is the amplitude (RMS) between a and b Hz."""
AXIS_STATS: tuple[str, ...] = ("corr_xy", "corr_xz", "corr_yz", "tilt_x", "tilt_y", "tilt_z")
"""What is computed of a sensor's three axes together."""
SCALE_STATS = frozenset({"std", "iqr", "jerk", "change", *(name for name in SIGNAL_STATS if name.startswith("band_"))})
"""Sizes: never negative, spread over decades, compared by their logarithm."""

MAX_NAN_SHARE = 0.5
"""A signal with more missing samples than this has no features of time or frequency."""
MIN_SAMPLES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Features of every session of a dataset: a `tools.session.FeatureTable`."""

    names: tuple[str, ...]
    sessions: tuple[str, ...]
    values: Samples
    """Shape (sessions, features); NaN where a feature cannot be computed."""


def feature_names(channels: Sequence[Channel]) -> tuple[str, ...]:
    """The names of the features that `features_of` gives for a window of these channels, in its order."""
    return _feature_names(tuple(channels))


@lru_cache(maxsize=256)
def _feature_names(channels: tuple[Channel, ...]) -> tuple[str, ...]:
    triads = [sensor for sensor in sensors_of(channels) if sensor.is_triad]
    signals = [channel.name for channel in channels] + [f"{sensor.name}.magnitude" for sensor in triads]
    return (
        DURATION,
        *(f"{signal}:{stat}" for signal in signals for stat in SIGNAL_STATS),
        *(f"{sensor.name}:{stat}" for sensor in triads for stat in AXIS_STATS),
    )


def feature_unit(name: str, channels: Sequence[Channel]) -> str:
    """The unit a feature is in; empty for one without."""
    signal, _, stat = name.rpartition(":")
    if stat.startswith("tilt"):
        return "degrees"
    if stat in ("peak_hz", "crossings"):
        return "Hz" if stat == "peak_hz" else "1/s"
    if stat in ("skew", "peak_share", "entropy", "rhythm") or stat.startswith("corr"):
        return ""
    base = signal.removesuffix(".magnitude")
    unit = next(
        (
            channel.unit
            for channel in channels
            if channel.name in (signal, base, f"{base}_x") or channel.name.startswith(base)
        ),
        "",
    )
    return f"{unit}/s" if unit and stat == "jerk" else unit


def table_of(channels: Sequence[Channel], windows: Iterable[tuple[str, Window]]) -> Table:
    """The table of these sessions, one row each; a channel that a session lacks leaves its features NaN."""
    names = feature_names(channels)
    column_of = {name: column for column, name in enumerate(names)}
    sessions: list[str] = []
    rows: list[Samples] = []
    for session, window in windows:
        own_names = feature_names(window.channels)
        values = features_of(window)
        if own_names != names:
            row = np.full(len(names), np.nan)
            for name, value in zip(own_names, values, strict=True):
                if name in column_of:
                    row[column_of[name]] = value
            values = row
        sessions.append(session)
        rows.append(values)
    return Table(names, tuple(sessions), np.array(rows) if rows else np.empty((0, len(names))))


def features_of(window: Window) -> Samples:
    """The features of one window, shape (features,), in the order of `feature_names(window.channels)`."""
    triads = [sensor for sensor in sensors_of(window.channels) if sensor.is_triad]
    row_of = {name: row for row, name in enumerate(window.names)}
    axes = np.array([[row_of[name] for name in sensor.names] for sensor in triads], dtype=int).reshape(-1, 3)
    count = window.time_sec.size
    signals = np.empty((len(window.channels) + len(triads), count))
    signals[: len(window.channels)] = window.values
    if len(triads):
        signals[len(window.channels) :] = np.sqrt((window.values[axes] ** 2).sum(axis=1))
    stats = _signal_stats(signals, sampling_rate(window))
    return np.concatenate(
        ([window.end_sec - window.start_sec], stats.ravel(), _axis_stats(signals, stats[:, 0], axes).ravel())
    )


def sampling_rate(window: Window) -> float:
    """Samples a second, from the times themselves; NaN when there are fewer than two."""
    if window.time_sec.size < 2:
        return float("nan")
    step = float(np.median(np.diff(window.time_sec)))
    return 1.0 / step if step > 0 else float("nan")


def filled(signals: Samples) -> Samples:
    """Signals (rows) with missing samples interpolated; a row with too many of them is all NaN."""
    missing = ~np.isfinite(signals)
    if not missing.any():
        return signals
    whole = signals.copy()
    at = np.arange(signals.shape[1])
    for row in np.flatnonzero(missing.any(axis=1)):
        gone = missing[row]
        if gone.mean() > MAX_NAN_SHARE:
            whole[row] = np.nan
        else:
            whole[row, gone] = np.interp(at[gone], at[~gone], signals[row, ~gone])
    return whole


def for_comparison(names: Sequence[str], values: Samples) -> Samples:
    """Features on the scale they are compared on: sizes by their logarithm, everything else as it is."""
    scale = np.array([name.rpartition(":")[2] in SCALE_STATS for name in names], dtype=bool)
    changed = np.array(values, dtype=float)
    changed[..., scale] = np.log10(np.maximum(changed[..., scale], 0) + 1e-4)
    return changed


def _signal_stats(signals: Samples, rate: float) -> Samples:
    """Shape (signals, SIGNAL_STATS)."""
    stats = np.full((signals.shape[0], len(SIGNAL_STATS)), np.nan)
    count = signals.shape[1]
    if not count:
        return stats
    known = np.isfinite(signals)
    seen = np.flatnonzero(known.any(axis=1))
    if not seen.size:
        return stats
    rows = signals[seen]
    if known.all():
        mean, std = rows.mean(axis=1), rows.std(axis=1)
        low, first, third, high = np.percentile(rows, (0, 25, 75, 100), axis=1)
    else:
        rows = np.where(np.isfinite(rows), rows, np.nan)
        mean, std = np.nanmean(rows, axis=1), np.nanstd(rows, axis=1)
        low, first, third, high = np.nanpercentile(rows, (0, 25, 75, 100), axis=1)
    stats[seen, 0], stats[seen, 1], stats[seen, 2], stats[seen, 3], stats[seen, 4] = mean, std, third - first, low, high
    whole = filled(signals)
    use = np.flatnonzero(np.isfinite(whole).all(axis=1))
    if count >= MIN_SAMPLES and np.isfinite(rate) and use.size:
        stats[use, 5:] = _time_and_frequency(whole[use], rate)
    return stats


def _time_and_frequency(rows: Samples, rate: float) -> Samples:
    """Skewness, jerk, slow change, crossings, and the spectrum's features. Shape (rows, SIGNAL_STATS - 5)."""
    count = rows.shape[1]
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1)
    safe = np.where(spread > 0, spread, 1)
    skew = ((centred / safe[:, None]) ** 3).mean(axis=1)
    jerk = np.abs(np.diff(rows, axis=1)).mean(axis=1) * rate
    third = max(count // 3, 1)
    change = np.abs(rows[:, -third:].mean(axis=1) - rows[:, :third].mean(axis=1))
    crossings = (np.diff(np.signbit(centred), axis=1)).sum(axis=1) * rate / count
    taper = np.hanning(count)
    power = np.abs(np.fft.rfft(centred * taper, axis=1)) ** 2
    power *= 2 / (count * (taper**2).sum())
    hertz = np.fft.rfftfreq(count, 1 / rate)
    power[:, hertz < 0.2] = 0
    total = power.sum(axis=1)
    share = power / np.where(total > 0, total, 1)[:, None]
    peak = power.argmax(axis=1)
    entropy = -(share * np.log(share + 1e-12)).sum(axis=1) / np.log(max(hertz.size, 2))
    bands = [np.sqrt(power[:, (hertz >= low) & (hertz < high)].sum(axis=1)) for low, high in BANDS_HZ]
    return np.column_stack(
        (
            skew, jerk, change, crossings, hertz[peak], share[np.arange(len(rows)), peak], entropy,
            autocorrelation_peak(centred, rate), *bands,
        )
    ).astype(np.float64)  # fmt: skip


def autocorrelation(centred: Samples) -> Samples:
    """Autocorrelation of each row (mean already removed) by lag, 1 at lag 0, without bias towards short lags."""
    count = centred.shape[1]
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.fft.rfft(centred, size, axis=1)
    raw = np.fft.irfft(np.abs(spectrum) ** 2, size, axis=1)[:, :count] / np.arange(count, 0, -1)
    curve = raw / np.where(raw[:, :1] > 0, raw[:, :1], 1)
    return curve.astype(np.float64)


def autocorrelation_peak(centred: Samples, rate: float) -> Samples:
    """The highest autocorrelation at lags between 0.25 s and 2 s or half the window: how rhythmic each row is."""
    curve = autocorrelation(centred)
    first, last = int(0.25 * rate), min(int(2 * rate) + 1, centred.shape[1] // 2)
    return curve[:, first:last].max(axis=1) if last > first else np.full(len(centred), np.nan)


def _axis_stats(signals: Samples, means: Samples, axes: np.ndarray) -> Samples:
    """Correlations and mean direction of each triad. Shape (triads, AXIS_STATS)."""
    stats = np.full((len(axes), len(AXIS_STATS)), np.nan)
    for row, triad in enumerate(axes):
        three = filled(signals[triad])
        if three.shape[1] > 1 and np.isfinite(three).all():
            centred = three - three.mean(axis=1, keepdims=True)
            spread = np.sqrt((centred**2).sum(axis=1))
            product = centred @ centred.T / np.maximum(np.outer(spread, spread), 1e-12)
            stats[row, :3] = product[0, 1], product[0, 2], product[1, 2]
        level = means[triad]
        size = float(np.sqrt((level**2).sum()))
        if size > 0:
            stats[row, 3:] = np.degrees(np.arccos(np.clip(level / size, -1, 1)))
    return stats
