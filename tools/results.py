"""How a tool says what it found: rounding, the window it looked at, and a result that is short enough."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tools.features import sampling_rate
from tools.registry import MAX_RESULT_BYTES, ToolContext, ToolError, as_json, nearest
from tools.sensors import Sensor, sensors_of
from tools.session import Window

DIGITS = 3
BRIDGED_SEC = 0.25
"""The longest gap that is bridged: a quarter of a walking stride, about the shortest time between two steps."""
BRIDGED_STEPS = 2.5
"""The same for slow sensors, as a multiple of the time between two samples."""
MOTION = ("acceleration", "gyroscope", "magnetometer")


def rounded(value: float, digits: int = DIGITS) -> float | int | None:
    """A number as a reader would write it: three significant digits, at most four decimals, null for NaN."""
    if not math.isfinite(value):
        return None
    if value == 0:
        return 0.0
    places = min(digits - 1 - math.floor(math.log10(abs(value))), 4)
    shortened = round(value, places) + 0.0  # no -0.0
    return int(shortened) if places <= 0 else shortened


def rounded_all(values: Iterable[float], digits: int = DIGITS) -> list[float | int | None]:
    """Each value rounded."""
    return [rounded(float(value), digits) for value in values]


def seconds(value: float) -> float:
    """A time in a session: hundredths of a second."""
    return round(float(value), 2)


def looked_at(artifact_id: str, window: Window) -> dict[str, Any]:
    """The head of a result: which artifact, its start and end, samples and rate, and the rows that it lacks."""
    return {
        "artifact_id": artifact_id,
        "window_sec": [seconds(window.start_sec), seconds(window.end_sec)],
        "samples": int(window.time_sec.size),
        "rate_hz": rate_of(window),
        **missing_rows(window),
    }


def missing_rows(window: Window) -> dict[str, object]:
    """How many rows a window lacks and the longest time without one; nothing when they come evenly enough."""
    if window.time_sec.size < 3:
        return {}
    steps = np.diff(window.time_sec)
    usual = float(np.median(steps))
    gaps = steps[steps > max(BRIDGED_SEC, BRIDGED_STEPS * usual)]
    if not gaps.size or usual <= 0:
        return {}
    rows = int(np.round(gaps / usual - 1).sum())
    return {"missing_rows": rows, "longest_gap_sec": seconds(float(gaps.max()))}


def rate_of(window: Window) -> float | int | None:
    """The window's sampling rate as a reader would write it."""
    rate = sampling_rate(window)
    return rounded(rate) if math.isfinite(rate) else window.channels[0].rate_hz if window.channels else None


def measured_rate(window: Window, samples: int, what: str) -> float:
    """The window's sampling rate in Hz. Raises ToolError when it has fewer than `samples` samples or no rate."""
    rate = sampling_rate(window)
    if window.time_sec.size < samples or not math.isfinite(rate):
        raise ToolError(
            f"{what} needs at least {samples} samples, this window has {window.time_sec.size}; "
            "take a longer stretch with filter_by_time, or artifact_id 'session' for the whole session",
            window_sec=[seconds(window.start_sec), seconds(window.end_sec)],
        )
    return rate


def fitting(candidates: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The first candidate that is short enough; the last one otherwise. Most detailed first, made when needed."""
    result: dict[str, Any] = {}
    for result in candidates:
        if len(as_json(result).encode(errors="surrogatepass")) <= MAX_RESULT_BYTES:
            break
    return result


def chosen_channels(window: Window, names: Sequence[str]) -> Window:
    """The window on these channels, in the order asked. A sensor's name stands for its three axes.

    Raises:
        ToolError: a name is not there, with the nearest right ones.
    """
    groups = {sensor.name: sensor.names for sensor in sensors_of(window.channels) if sensor.is_triad}
    wanted = [
        name for asked in names for name in (groups.get(asked, (asked,)) if asked not in window.names else (asked,))
    ]
    wrong = [name for name in wanted if name not in window.names]
    if wrong:
        raise ToolError(
            f"there is no channel {', '.join(repr(name[:80]) for name in wrong[:5])} in this window",
            **nearest(wrong[0], window.names, "available_channels"),
        )
    if not wanted:
        raise ToolError("channel_names is empty: name at least one", **nearest("", window.names, "available_channels"))
    rows = [window.names.index(name) for name in dict.fromkeys(wanted)]
    return Window(tuple(window.channels[row] for row in rows), window.time_sec, window.values[rows])


def with_data(window: Window) -> Window:
    """The window without the channels that hold no sample at all."""
    rows = np.flatnonzero(np.isfinite(window.values).any(axis=1))
    if rows.size == len(window.channels):
        return window
    return Window(tuple(window.channels[row] for row in rows), window.time_sec, window.values[rows])


def sensors_at(window: Window, position: str | None) -> tuple[tuple[Sensor, ...], dict[str, Any]]:
    """The sensors at one position, and what the result says of the choice.

    With several positions and none asked for, the first is taken, and the others are named.

    Raises:
        ToolError: there is no such position, with the ones there are.
    """
    sensors = sensors_of(with_data(window).channels)
    places = list(dict.fromkeys(sensor.position for sensor in sensors if sensor.position and sensor.kind in MOTION))
    if position is None and len(places) < 2:
        return sensors, {"position": places[0]} if places else {}
    if position is None:
        others = places[1:]
        return tuple(sensor for sensor in sensors if sensor.position == places[0]), {
            "position": places[0],
            "other_positions": others,
        }
    wanted = next((known for known in places if known.casefold() == position.strip().casefold()), None)
    if wanted is None:
        if not places:
            raise ToolError("the manifest names no sensor positions here; leave `position` out")
        raise ToolError(f"there is no position {position[:80]!r}", **nearest(position, places, "available_positions"))
    return tuple(sensor for sensor in sensors if sensor.position == wanted), {
        "position": wanted,
        "other_positions": [other for other in places if other != wanted],
    }


def rows_of(window: Window, sensor: Sensor) -> np.ndarray:
    """The sensor's samples, shape (channels, n)."""
    return window.values[[window.names.index(name) for name in sensor.names]]


def missing_share(window: Window) -> dict[str, Any]:
    """`nan_share` of the channels that miss samples, worst first; nothing when none does."""
    if not window.time_sec.size:
        return {}
    shares = 1 - np.isfinite(window.values).mean(axis=1)
    worst = [int(row) for row in np.argsort(-shares, kind="stable") if shares[row] > 0]
    if not worst:
        return {}
    shown = {window.names[row]: rounded(float(shares[row]), 2) for row in worst[:6]}
    return {"nan_share": shown} | ({"nan_share_not_shown": len(worst) - 6} if len(worst) > 6 else {})


def current(context: ToolContext, artifact_id: str) -> Window:
    """The window behind an artifact id. Raises ToolError when it is unknown or holds no samples."""
    window = context.window(artifact_id)
    if not window.time_sec.size or not window.channels:
        raise ToolError(f"the window {artifact_id!r} holds no samples")
    return window
