"""Tools in a short form: the same calculations with few words about them and few numbers in their results.

A short result holds part of what the full one says, under the same names, so that whoever reads one reads the other. It
is what a task form with short schemas or results offers (`core.thread.form`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Literal

from pydantic import ConfigDict, create_model

from tools.measured import measured_sensor
from tools.ranges import parting_names
from tools.registry import Tool, ToolContext
from tools.results import rounded
from tools.sensors import Sensor, sensors_of
from tools.session import Channel

Size = Literal["full", "short"]

ROWS = 3
"""Rows of a short table of channels: the three axes of a sensor."""
SENSORS = 2
"""Sensors of a short result about rhythms."""
DISTANCES = 3
"""Labels of a short comparison: the closest."""
RANGES = 12
"""Ranges of a short look-up: of four labels three measurements each, of more labels fewer."""
MOST_RANGES = 3
"""Measurements of a short look-up at most."""

_ABOUT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "show_channel_stats": ("Mean and std of the channels.", ()),
    "detect_periodicity": ("Cadence (per minute), strength and RMS of the rhythm.", ()),
    "compare_to_reference": ("Distance to each label's sessions of other people; smaller is closer.", ()),
    "nearest_examples": ("Labels of the most similar sessions of other people.", ("k",)),
    "look_up_ranges": ("10th and 90th percentile of other people's sessions, by label.", ("labels",)),
}
"""By tool: its short description, and the parameters that stay."""
_SAID_ONCE = frozenset(
    ("window_sec", "samples", "rate_hz", "lag_unit", "lag_resolution", "cadence_unit", "frequency_unit", "jerk",
     "distance_unit", "note", "compared_on", "reference", "missing_rows", "longest_gap_sec")
)  # fmt: skip
"""Keys that a short result leaves out, whichever tool gives it."""
_WITHOUT_GRAVITY = re.compile(r"body|linear|user")

Shorten = Callable[[Tool, ToolContext, Mapping[str, Any]], dict[str, Any]]


def sized(tools: Sequence[Tool], schemas: Size, results: Size) -> tuple[Tool, ...]:
    """The tools with their schemas and their results in these sizes. The same tools give the same objects."""
    return tuple(_sized(tool, schemas, results) for tool in tools)


@lru_cache(maxsize=256)
def _sized(tool: Tool, schemas: Size, results: Size) -> Tool:
    short = tool if results == "full" else replace(tool, run=partial(_run_short, tool))
    return short if schemas == "full" else _with_short_schema(short)


def _with_short_schema(tool: Tool) -> Tool:
    """The tool with one sentence about it, and its parameters by name and type alone."""
    properties: Mapping[str, Any] = tool.parameters["properties"]
    about, names = _ABOUT.get(tool.name, (tool.description.partition(". ")[0].rstrip(".") + ".", tuple(properties)))
    kept_names = [name for name in properties if name in names]
    fields: dict[str, Any] = {
        name: (field.annotation, field) for name, field in tool.arguments.model_fields.items() if name in kept_names
    }
    arguments = create_model(tool.name, __config__=ConfigDict(extra="forbid", strict=True), **fields)
    plain = {
        name: {key: value for key, value in properties[name].items() if key not in ("description", "default")}
        for name in kept_names
    }
    required = [name for name in tool.parameters.get("required", ()) if name in kept_names]
    parameters = {"type": "object", "properties": plain, **({"required": required} if required else {})}
    run = partial(_call_with, tool.run) if len(kept_names) < len(properties) else tool.run
    return Tool(tool.name, about, parameters, run, arguments, tool.makes_artifact)


def _call_with(run: Callable[..., dict[str, Any]], context: ToolContext, **arguments: Any) -> dict[str, Any]:
    return run(context, **arguments)


def _run_short(tool: Tool, context: ToolContext, **arguments: Any) -> dict[str, Any]:
    return _SHORTENERS.get(tool.name, _plain)(tool, context, arguments)


def _plain(tool: Tool, context: ToolContext, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Any tool's result without what a short one leaves out."""
    result = tool.run(context, **arguments)
    left_out = _SAID_ONCE if tool.makes_artifact else _SAID_ONCE | {"artifact_id"}
    return {key: value for key, value in result.items() if key not in left_out}


def telling_sensors(channels: Sequence[Channel]) -> tuple[Sensor, ...]:
    """The sensors, those first that tell most of a movement: the acceleration with gravity in it and the angular
    velocity, each position once before any of them a second time."""
    ranks = {"acceleration": 0, "gyroscope": 1}

    def rank(sensor: Sensor) -> int:
        without_gravity = sensor.kind == "acceleration" and _WITHOUT_GRAVITY.search(sensor.name.casefold()) is not None
        return 2 if without_gravity else ranks.get(sensor.kind, 3)

    once: list[Sensor] = []
    again: list[Sensor] = []
    for sensor in sorted(sensors_of(channels), key=rank):
        known = {(other.kind, other.position) for other in once}
        (again if (sensor.kind, sensor.position) in known else once).append(sensor)
    return (*once, *again)


def _channel_stats(tool: Tool, context: ToolContext, arguments: Mapping[str, Any]) -> dict[str, Any]:
    result = tool.run(context, **arguments)
    key = "channels" if isinstance(result.get("channels"), dict) else "sensors"
    if not (isinstance(result.get(key), dict) and isinstance(columns := result.get("columns"), list)):
        return _plain(tool, context, arguments)
    rows: dict[str, list[Any]] = result[key]
    names = _rows_of(context.dataset.channels, key)
    shown = [name for name in names if name in rows][:ROWS] or list(rows)[:ROWS]
    mean, std = columns.index("mean"), columns.index("std")
    return {"columns": ["mean", "std"], key: {name: [_few(rows[name][mean]), _few(rows[name][std])] for name in shown}}


def _few(value: float | None) -> float | int | None:
    """A number in two digits, a large one without decimals."""
    return value if value is None else round(value) if abs(value) >= 10 else rounded(value, 2)


def _rows_of(channels: Sequence[Channel], key: str) -> list[str]:
    """The rows of a table of channels, or of sensors, the most telling first."""
    sensors = telling_sensors(channels)
    if key == "channels":
        return [name for sensor in sensors for name in sensor.names]
    return [f"{sensor.name} magnitude" if sensor.is_triad else sensor.name for sensor in sensors]


def _rhythms(tool: Tool, context: ToolContext, arguments: Mapping[str, Any]) -> dict[str, Any]:
    result = tool.run(context, **arguments)
    sensors: dict[str, Any] = dict(result["sensors"])
    if not arguments.get("position"):
        for position in result.get("other_positions", ()):
            sensors |= tool.run(context, **{**arguments, "position": position})["sensors"]
    names = [sensor.name for sensor in telling_sensors(context.dataset.channels) if sensor.name in sensors]
    keys = ("cadence", "strength", "rms")
    shown = {name: {key: _few(sensors[name][key]) for key in keys if key in sensors[name]} for name in names[:SENSORS]}
    return {"sensors": {name: row or {"strength": 0.0} for name, row in shown.items()}}


def _comparison(tool: Tool, context: ToolContext, arguments: Mapping[str, Any]) -> dict[str, Any]:
    result = tool.run(context, **arguments)
    return {"distances": dict(list(result["distances"].items())[:DISTANCES]), **_sessions_of(result)}


def _neighbours(tool: Tool, context: ToolContext, arguments: Mapping[str, Any]) -> dict[str, Any]:
    result = tool.run(context, **arguments)
    return {"votes": result["votes"], "examples": result["examples"][:1], **_sessions_of(result)}


def _sessions_of(result: Mapping[str, Any]) -> dict[str, Any]:
    reference = result.get("reference")
    sessions = reference.get("sessions") if isinstance(reference, Mapping) else None
    return {} if sessions is None else {"reference": {"sessions": sessions}}


def _ranges(tool: Tool, context: ToolContext, arguments: Mapping[str, Any]) -> dict[str, Any]:
    labels = arguments.get("labels")
    names: Sequence[str] = arguments.get("features") or ()
    if not names:
        count = max(1, min(MOST_RANGES, RANGES // len(labels or context.dataset.activities or (1,))))
        names = parting_names(context, labels, _measured_shortly(context), count)
    result = tool.run(context, **{**arguments, "features": list(names) or None})
    ranges = {label: [_ends(row) for row in rows] for label, rows in result["ranges"].items()}
    return {"features": result["features"], "ranges": ranges, **_sessions_of(result)}


def _ends(percentiles: Sequence[float] | None) -> list[float | int | None] | None:
    return None if percentiles is None else [_few(percentiles[0]), _few(percentiles[-1])]


def _measured_shortly(context: ToolContext) -> list[str]:
    """The measurements that short results hold, of those that have ranges."""
    channels = context.dataset.channels
    known = context.dataset.measurements().names
    measured = {name.split("/")[1] for name in known if name.startswith("show_channel_stats/")}
    key = "sensors" if any(name.endswith(" magnitude") for name in measured) else "channels"
    rows = [name for name in _rows_of(channels, key) if name in measured][:ROWS]
    wanted = {f"show_channel_stats/{row}/{column}" for row in rows for column in ("mean", "std")}
    rhythmic = [name for name in known if name.startswith("detect_periodicity/")]
    there = {measured_sensor(name, channels) for name in rhythmic}
    sensors = [sensor.name for sensor in telling_sensors(channels) if sensor.name in there][:SENSORS]
    wanted |= {f"detect_periodicity/{name}/{key}" for name in sensors for key in ("cadence", "strength", "rms")}
    return [name for name in known if name in wanted]


_SHORTENERS: Mapping[str, Shorten] = {
    "show_channel_stats": _channel_stats,
    "detect_periodicity": _rhythms,
    "compare_to_reference": _comparison,
    "nearest_examples": _neighbours,
    "look_up_ranges": _ranges,
}
