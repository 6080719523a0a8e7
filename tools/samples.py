"""The samples themselves, for a short stretch, and whether they can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

from tools.features import sampling_rate
from tools.motion import gravity_of
from tools.registry import SESSION, ToolContext, ToolError, tool
from tools.results import MOTION, chosen_channels, current, fitting, looked_at, rounded, rounded_all, rows_of, seconds
from tools.sensors import Sensor, sensors_of
from tools.session import Samples, Window

MAX_SAMPLES = 60
"""Samples a channel that are shown at most."""
STUCK_SEC = 0.5
"""A moving sensor does not give the very same value for so long."""
AT_LIMIT = 3
"""So many samples in a row at the highest or lowest value are clipped."""
UNEVEN = 0.1
"""Times whose steps vary by more than this share of the usual step jitter."""
NOISY = 0.7
"""White noise gives differences between neighbours of √2 of its spread; above this share of that, a signal is noise
rather than movement sampled fast enough (von Neumann 1941, the ratio of the mean square successive difference)."""


@tool
def show_samples(
    context: ToolContext,
    start_sec: float,
    end_sec: float,
    channel_names: list[str] | None = None,
    artifact_id: str = SESSION,
) -> dict[str, Any]:
    """Show the samples of a short stretch, 60 a channel at most; a longer stretch is shown as means of equal parts.

    Args:
        start_sec: the first second to show, counted from the start of the session.
        end_sec: the last second to show.
        channel_names: these channels; a sensor's name stands for its three axes. The first sensor when left out.
        artifact_id: the window to show; "session" is the whole session.
    """
    window = current(context, artifact_id)
    span = [seconds(window.start_sec), seconds(window.end_sec)]
    if not end_sec > start_sec:
        raise ToolError("end_sec must be greater than start_sec", window_sec=span)
    chosen = chosen_channels(window, channel_names or [*sensors_of(window.channels)[0].names])
    inside = (chosen.time_sec >= start_sec - 1e-9) & (chosen.time_sec <= end_sec + 1e-9)
    if not inside.any():
        raise ToolError(f"no samples lie between {start_sec:g} s and {end_sec:g} s", window_sec=span)
    part = Window(chosen.channels, chosen.time_sec[inside], chosen.values[:, inside])
    units = {sensor.name: sensor.unit for sensor in sensors_of(part.channels) if sensor.unit}
    head = looked_at(artifact_id, part) | {"unit": units}
    return fitting(head | _shown(part, most) for most in (MAX_SAMPLES, 40, 24, 12, 6, 3))


def _shown(part: Window, most: int) -> dict[str, Any]:
    """The samples, or the means of equal parts where there are more than `most`."""
    runs = np.array_split(np.arange(part.time_sec.size), min(part.time_sec.size, most))
    middle = [seconds(float(part.time_sec[run].mean())) for run in runs]
    rows = {
        name[:60]: rounded_all(_mean(samples[run]) for run in runs)
        for name, samples in zip(part.names, part.values, strict=True)
    }
    averaged = {} if len(runs) == part.time_sec.size else {"note": f"each value is the mean of a {len(runs)}th part"}
    return {"time_sec": middle, "channels": rows} | averaged


def _mean(samples: Samples) -> float:
    known = samples[np.isfinite(samples)]
    return float(known.mean()) if known.size else float("nan")


@tool
def check_signal(context: ToolContext, artifact_id: str = SESSION) -> dict[str, Any]:
    """Check whether each sensor's samples can be trusted: missing, stuck, clipped or noisy ones, and uneven times.

    Faults are named; none means that nothing speaks against the sensor.

    Args:
        artifact_id: the window to check; "session" is the whole session.
    """
    window = current(context, artifact_id)
    head = looked_at(artifact_id, window)
    steps = np.diff(window.time_sec)
    usual = float(np.median(steps)) if steps.size else float("nan")
    if steps.size and usual > 0 and float(np.median(np.abs(steps - usual))) > UNEVEN * usual:
        head["times"] = "uneven"
    checked = {sensor.name: _checked(window, sensor) for sensor in sensors_of(window.channels)}
    faulty = [name for name, report in checked.items() if report["faults"]]
    order = [*faulty, *(name for name in checked if name not in faulty)]
    return fitting(
        {**head, "sensors_with_faults": len(faulty), "sensors": {name[:60]: checked[name] for name in order[:shown]}}
        | ({"sensors_not_shown": len(order) - shown} if shown < len(order) else {})
        for shown in (len(order), 12, 6, 3, 1)
    )


def _checked(window: Window, sensor: Sensor) -> dict[str, Any]:
    """One sensor's missing, stuck and clipped shares, the worst of its channels, and the faults these come to."""
    rows = rows_of(window, sensor)
    missing = float(1 - np.isfinite(rows).mean()) if rows.size else 1.0
    if missing >= 1:
        return {"missing_share": 1.0, "faults": ["no samples"]}
    run = max(round(STUCK_SEC * rate), 4) if np.isfinite(rate := sampling_rate(window)) else 4
    known = [row[np.isfinite(row)] for row in rows]
    stuck = max(_share_in_runs(np.diff(row) == 0, run) for row in known)
    clipped = max(_clipped(row) for row in known) if stuck < 1 else 0.0
    noise = max(_noise(row) for row in known)
    report: dict[str, Any] = {
        "missing_share": rounded(missing, 2),
        "stuck_share": rounded(stuck, 2),
        "clipped_share": rounded(clipped, 2),
        "noise": rounded(noise, 2),
    }
    faults = [word for word, share in (("missing", missing), ("clipped", clipped)) if share > 0.02]
    faults += ["stuck"] if stuck > 0.2 and sensor.kind in MOTION else []
    faults += ["noise rather than movement"] if noise > NOISY and sensor.kind in MOTION else []
    if sensor.kind == "acceleration" and sensor.is_triad:
        report["gravity"] = gravity_of(window, sensor) is not None
    return report | {"faults": faults}


def _share_in_runs(flags: np.ndarray, length: int) -> float:
    """The share of True that lie in runs of at least `length`."""
    if not flags.size:
        return 0.0
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= length].sum() / flags.size)


def _clipped(row: Samples) -> float:
    """The share of samples that lie at the signal's highest or lowest value, several in a row."""
    if row.size < AT_LIMIT or row.max() == row.min():
        return 0.0
    return _share_in_runs(row == row.max(), AT_LIMIT) + _share_in_runs(row == row.min(), AT_LIMIT)


def _noise(row: Samples) -> float:
    """How much of a signal is noise by its neighbours' differences: 1 for white noise, near 0 for smooth movement."""
    spread = float(row.std())
    if row.size < 8 or spread < 1e-9:
        return 0.0
    return float(np.sqrt((np.diff(row) ** 2).mean() / 2) / spread)
