"""A dataset's manifest in few words: what an opening message says of it where a task's form asks for a short one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.datasets.standard import StandardDataset

MOST_CHANNELS = 12
"""Beyond so many, sensors stand for their axes."""
ANSWER = "at the end two lines: `Confidence: high|medium|low`, `Final Answer: …`"
"""How an answer ends. It stands here because a short form may be sent without a system prompt."""


def short_manifest(dataset: StandardDataset) -> Mapping[str, Any]:
    """The labels, the channels by their unit, the sampling rate where all share one, and how an answer ends."""
    from tools.sensors import sensors_of

    channels = dataset.described_channels or dataset.channels
    rows = [(channel.name, channel.unit) for channel in channels]
    if len(rows) > MOST_CHANNELS:
        rows = [(sensor.name, sensor.unit) for sensor in sensors_of(channels)]
    by_unit: dict[str, list[str]] = {}
    for name, unit in rows:
        by_unit.setdefault(unit or "-", []).append(name)
    rates = {channel.rate_hz for channel in channels}
    rate = {"sampling_rate_hz": next(iter(rates))} if len(rates) == 1 and None not in rates else {}
    return {
        "dataset_name": dataset.title,
        "channels": by_unit,
        **rate,
        "activities": list(dataset.activities),
        "answer": ANSWER,
    }
