"""What there is to look at: the dataset as a whole, and each channel's level and spread."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from tools.features import DURATION, sampling_rate
from tools.registry import SESSION, ToolContext, tool
from tools.results import current, fitting, looked_at, missing_share, rounded, rounded_all, rows_of, with_data
from tools.sensors import sensors_of
from tools.session import Channel, Samples, Window

STATS = ("mean", "std", "iqr", "rms", "min", "max", "jerk")


@tool
def show_session_stats(context: ToolContext, dataset_name: str | None = None) -> dict[str, Any]:
    """Describe the dataset: how many sessions and subjects it has, how long sessions are, and its label names.

    Args:
        dataset_name: the dataset of this session; may be left out.
    """
    dataset = context.dataset
    table = dataset.features()
    window = context.window()
    result: dict[str, Any] = {
        "dataset_name": dataset.name,
        "sessions": len(table.sessions),
        "subjects": len(set(dataset.subjects.values())) or None,
        "channels": len(dataset.channels),
        "labels": list(dataset.activities),
        "this_session_sec": rounded(window.end_sec - window.start_sec),
        "unit_of_durations": "s",
    }
    if DURATION in table.names:
        lengths = table.values[:, table.names.index(DURATION)]
        lengths = lengths[np.isfinite(lengths)]
        if lengths.size:
            result["duration_sec"] = dict(
                zip(("min", "median", "max"), rounded_all(np.percentile(lengths, (0, 50, 100))), strict=True)
            )
    return fitting((result | _note(context, dataset_name), {**result, "labels": _cut(result["labels"])}))


@tool
def show_channel_stats(
    context: ToolContext, dataset_name: str | None = None, artifact_id: str | None = None
) -> dict[str, Any]:
    """List the channels with unit, rate and description, or give an artifact's statistics per channel.

    With dataset_name alone it lists the channels. With artifact_id ("session" is the whole session), or without
    arguments, it gives mean, std, IQR, RMS, min, max and jerk of each channel.

    Args:
        dataset_name: lists the dataset's channels.
        artifact_id: gives the statistics of this window.
    """
    if dataset_name is not None and artifact_id is None:
        return fitting(_channel_lists(context, dataset_name))
    chosen = artifact_id or SESSION
    return fitting(_channel_stats(chosen, current(context, chosen)))


def _channel_lists(context: ToolContext, dataset_name: str) -> Iterator[dict[str, Any]]:
    channels = context.dataset.channels
    head: dict[str, Any] = {"num_channels": len(channels)} | _note(context, dataset_name)
    yield {"channels": [_described(channel, 200) for channel in channels], **head}
    yield {"channels": [_described(channel, 0) for channel in channels], **head}
    sensors = sensors_of(channels)
    rows = [
        {
            "sensor": sensor.name,
            "axes": "xyz" if sensor.is_triad else None,
            "kind": sensor.kind,
            "position": sensor.position or None,
            "unit": sensor.unit,
            "rate_hz": sensor.channels[0].rate_hz,
        }
        for sensor in sensors
    ]
    plain = [{key: value for key, value in row.items() if value} for row in rows]
    about = "grouped by sensor: its channels end in the axis's letter"
    yield {"sensors": plain, **head, "note": about}
    yield {"sensors": [{"sensor": row["sensor"], "unit": row["unit"]} for row in plain], **head, "note": about}
    for shown in (40, 20, 10):
        names = [sensor.name[:40] for sensor in sensors[:shown]]
        yield {"sensors": names, **head, "not_shown": len(sensors) - shown, "note": about}


def _channel_stats(artifact_id: str, window: Window) -> Iterator[dict[str, Any]]:
    head = looked_at(artifact_id, window) | {"jerk": "mean |change| per second"} | missing_share(window)
    there = with_data(window)
    absent = [name for name in window.names if name not in there.names]
    if absent:
        head["channels_without_data"] = len(absent) if len(absent) > 4 else absent
    units = {sensor.name: sensor.unit for sensor in sensors_of(there.channels)}
    stats = channel_stats(there)
    columns = {"columns": list(STATS), "unit": _common(units)}
    per_channel = {name: rounded_all(row) for name, row in zip(there.names, stats, strict=True)}
    yield {**head, **columns, "channels": per_channel}
    sensors = sensors_of(there.channels)
    note = f"summarised: {len(there.names)} channels; select_channels shows fewer in full"
    few = {"columns": ["mean", "std", "jerk"], "unit": _common(units)}
    lines: dict[str, list[float | int | None]] = {}
    for sensor in sensors:
        rows = rows_of(there, sensor)
        signal = np.sqrt((rows**2).sum(axis=0)) if sensor.is_triad else rows[0]
        own = channel_stats(Window((sensor.channels[0],), there.time_sec, signal[None]))[0]
        lines[sensor.name if not sensor.is_triad else f"{sensor.name} magnitude"] = rounded_all(own[[0, 1, 6]])
    yield {**head, **few, "sensors": lines, "note": note}
    head.pop("nan_share", None)
    for shown in (30, 15, 8):
        part = dict(list(lines.items())[:shown])
        yield {**head, "columns": few["columns"], "sensors": part, "not_shown": len(lines) - len(part), "note": note}


def channel_stats(window: Window) -> Samples:
    """`STATS` of each channel, shape (channels, 7); missing samples are left out, jerk is mean |change| per second."""
    values = window.values
    rate = sampling_rate(window)
    table = np.full((len(values), len(STATS)), np.nan)
    for row, samples in enumerate(values):
        known = samples[np.isfinite(samples)]
        if not known.size:
            continue
        low, first, third, high = np.percentile(known, (0, 25, 75, 100))
        steps = np.abs(np.diff(samples))
        steps = steps[np.isfinite(steps)]
        jerk = steps.mean() * rate if steps.size else np.nan
        table[row] = (known.mean(), known.std(), third - first, np.sqrt((known**2).mean()), low, high, jerk)
    return table


def _described(channel: Channel, length: int) -> dict[str, Any]:
    about = {"name": channel.name, "unit": channel.unit or None, "rate_hz": channel.rate_hz}
    return about | ({"description": channel.description[:length]} if length and channel.description else {})


def _common(units: dict[str, str]) -> str | dict[str, str]:
    """One unit when all share it, else the unit of each sensor."""
    return next(iter(units.values())) if len(set(units.values())) == 1 else units


def _cut(labels: list[str]) -> list[str]:
    return [label[:24] for label in labels[:30]] + ([f"… {len(labels) - 30} more"] if len(labels) > 30 else [])


def _note(context: ToolContext, dataset_name: str | None) -> dict[str, str]:
    """A word when another dataset was named than the one there is."""

    def plain(name: str) -> str:
        return re.sub(r"[^a-z0-9]", "", name.casefold())

    own = {plain(context.dataset.name), plain(context.dataset.title)}
    if dataset_name is None or plain(dataset_name) in own:
        return {}
    return {"dataset_note": f"the only dataset here is {context.dataset.name!r}, described above"}
