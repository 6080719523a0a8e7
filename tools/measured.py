"""What the measuring tools print, as named numbers: the same names for this window and for other people's sessions.

A name is the path of the number in a result: the tool, the sensor or channel, and the key, such as
`detect_periodicity/acc/cadence` or `compute_spectrum/acc/band_share[2]`. So whoever reads a range of another person's
numbers knows which call gives this window's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from tools.gravity import separate_gravity
from tools.motion import correlate_channels, estimate_orientation
from tools.overview import show_channel_stats
from tools.registry import SESSION, Tool, ToolContext, ToolError
from tools.sensors import positions_of, sensors_of
from tools.session import Channel, Dataset, FeatureTable, Samples, Window
from tools.spectrum import compute_spectrum, detect_periodicity

MEASURED_VERSION = 1
"""Changes whenever the same samples would give other measurements: a cached table of another version is stale."""

MEASURING: tuple[Tool, ...] = (
    show_channel_stats,
    compute_spectrum,
    detect_periodicity,
    estimate_orientation,
    correlate_channels,
    separate_gravity,
)
"""The tools whose numbers have ranges."""

_NOT_MEASURED = frozenset(
    ("resolution_hz", "lag", "stride_lag", "cycles", "missing_share", "longest_stretch_used_sec", "dominant_share")
)
"""Numbers that say how well was measured, or say another one again."""


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """What the tools print of every session of a dataset: a `tools.session.FeatureTable`."""

    names: tuple[str, ...]
    sessions: tuple[str, ...]
    values: Samples
    """Shape (sessions, names), as printed; NaN where a tool could not tell."""


def measured_in(tool: str, result: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of one tool's result by their names; empty for a result of another shape."""
    rows = result.get("r") or result.get("sensors") or result.get("channels")
    if not isinstance(rows, Mapping):
        return {}
    columns = result.get("columns")
    numbers: dict[str, float] = {}
    for part, row in rows.items():
        if isinstance(row, list) and isinstance(columns, list):
            row = dict(zip(columns, row, strict=False))
        for key, value in _numbers(row):
            numbers[f"{tool}/{part}{key}"] = value
    return numbers


def _numbers(row: Any) -> Iterable[tuple[str, float]]:
    if _is_number(row):
        yield "", float(row) if type(row) is int else row
    elif isinstance(row, Mapping):
        for key, value in row.items():
            if key in _NOT_MEASURED:
                continue
            if isinstance(value, list):
                yield from ((f"/{key}[{at}]", item) for at, item in enumerate(value) if _is_number(item))
            elif _is_number(value):
                yield f"/{key}", value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def measured_of(window: Window) -> dict[str, float]:
    """All that the measuring tools print of a whole session, at each of its sensor positions."""
    # a measuring tool looks at the window alone, so that there is no dataset to look into
    context = ToolContext(cast("Dataset", None), SESSION, {SESSION: window})
    positions: Sequence[str | None] = positions_of(window.channels) or (None,)
    numbers: dict[str, float] = {}
    for tool in MEASURING:
        known = tool.parameters["properties"]
        for position in positions if "position" in known and len(positions) > 1 else (None,):
            choice = {"artifact_id": SESSION} | ({"position": position} if position else {})
            try:
                numbers |= measured_in(tool.name, tool.run(context, **choice))
            except ToolError:
                continue
    return numbers


def measurements_of(windows: Iterable[tuple[str, Window]], before: FeatureTable | None = None) -> Measurements:
    """The measurements of these sessions, one row each, on the names of `before` and all that come up in addition."""
    rows = [(session, measured_of(window)) for session, window in windows]
    known = before.names if before is not None else ()
    names = tuple(dict.fromkeys([*known, *(name for _, row in rows for name in row)]))
    values = np.array([[row.get(name, np.nan) for name in names] for _, row in rows], dtype=float)
    return Measurements(names, tuple(session for session, _ in rows), values.reshape(len(rows), len(names)))


def measured_sensor(name: str, channels: Sequence[Channel]) -> str:
    """The sensor that a measurement is of, of two that are correlated the first; empty where it is none of these."""
    part = name.partition("/")[2].lstrip("|")
    named = [sensor.name for sensor in sensors_of(channels) if part.startswith(sensor.name)]
    return max(named, key=len, default="")


def measured_unit(name: str, channels: Sequence[Channel]) -> str:
    """The unit of a measurement; empty for a share, a correlation and other numbers without one."""
    tool, _, rest = name.partition("/")
    part, _, key = rest.rpartition("/")
    if tool == "estimate_orientation" and not key.startswith("gravity"):
        return "degrees"
    if key in ("cadence",):
        return "cycles per minute"
    if key.startswith("dominant"):
        return "Hz"
    if tool == "correlate_channels" or key in ("strength", "entropy", "asymmetry") or "share" in key:
        return ""
    base = part.removesuffix(" magnitude")
    unit = next((channel.unit for channel in channels if channel.name in (base, f"{base}_x")), "")
    if not unit:
        unit = next((channel.unit for channel in channels if channel.name.startswith(base)), "")
    return f"{unit}/s" if unit and key == "jerk" else unit
