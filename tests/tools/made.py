"""Small datasets made in memory, in the shape that `core.datasets` opens."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.builtin import BUILTIN
from tools.features import Table, table_of
from tools.measured import Measurements, measurements_of
from tools.registry import ToolContext, call
from tools.session import Channel, FeatureTable, Window

MOTIONS = ("walking", "running", "standing", "laying")
TRIADS = tuple(
    Channel(f"{sensor}_{axis}", about, unit, 50.0)
    for sensor, about, unit in (("acc", "Accelerometer on the waist", "m/s²"), ("gyro", "Gyroscope", "rad/s"))
    for axis in "xyz"
)


@dataclass
class MadeDataset:
    """Sessions in memory; satisfies `tools.session.Dataset`."""

    name: str = "made"
    title: str = "Motion made in memory"
    description: str = "made in memory"
    activities: Sequence[str] = MOTIONS
    channels: Sequence[Channel] = TRIADS
    labels: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    subjects: dict[str, str] = field(default_factory=dict[str, str])
    windows: dict[str, Window] = field(default_factory=dict[str, Window])
    table: Table | None = None
    measured: Measurements | None = None

    def load(self, session: str) -> Window:
        return self.windows[session]

    def features(self) -> Table:
        if self.table is None:
            self.table = table_of(self.channels, self.windows.items())
        return self.table

    def measurements(self) -> Measurements:
        if self.measured is None:
            self.measured = measurements_of(self.windows.items())
        return self.measured

    def cached(
        self, table: FeatureTable, about: str, make: Callable[[], Mapping[str, NDArray[Any]]]
    ) -> Mapping[str, NDArray[Any]]:
        return make()


def motion(label: str, random: np.random.Generator, seconds: float = 4.0, rate: float = 50.0) -> Window:
    """A waist-worn accelerometer and gyroscope during one activity."""
    time = np.arange(int(seconds * rate)) / rate
    gravity = {"laying": (9.4, 1.0, 0.5), "standing": (0.6, 0.4, 9.7)}.get(label, (0.8, 0.2, 9.7))
    step, size = {"walking": (1.9, 2.0), "running": (2.8, 7.0)}.get(label, (0.3, 0.02))
    step *= random.normal(1, 0.04)
    wave = np.sin(2 * np.pi * (step * time + random.random()))
    acc = np.outer(gravity, np.ones_like(time)) + size * np.outer((0.5, 0.3, 1.0), wave)
    gyro = 0.3 * size * np.outer((0.8, 0.5, 0.2), wave)
    values = np.vstack((acc, gyro)) + random.normal(0, 0.05, (6, time.size))
    return Window(TRIADS, time, values)


def made_dataset(subjects: int = 6, each: int = 3, labels: Sequence[str] = MOTIONS) -> MadeDataset:
    random = np.random.default_rng(7)
    dataset = MadeDataset(activities=tuple(labels))
    for subject in range(subjects):
        for label in labels:
            for _ in range(each):
                session = f"s{subject}_{len(dataset.windows):04d}"
                dataset.windows[session] = motion(label, random)
                dataset.labels[session] = [label]
                dataset.subjects[session] = f"s{subject}"
    return dataset


def write_dataset(folder: Path, dataset: MadeDataset) -> None:
    """The dataset in the standard form."""
    import pyarrow as pa
    from pyarrow import parquet

    folder.mkdir(parents=True)
    channels = [
        {
            "name": channel.name,
            "description": channel.description,
            "unit": channel.unit,
            "sampling_rate_hz": channel.rate_hz,
        }
        for channel in dataset.channels
    ]
    manifest = {
        "dataset_name": dataset.name,
        "description": dataset.description,
        "activities": list(dataset.activities),
        "channels": channels,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "labels.json").write_text(json.dumps(dataset.labels))
    (folder / "subjects.json").write_text(json.dumps(dataset.subjects))
    for session, window in dataset.windows.items():
        there = folder / "sessions" / session
        there.mkdir(parents=True)
        columns = {"timestamp_sec": window.time_sec, **dict(zip(window.names, window.values, strict=True))}
        parquet.write_table(pa.table(columns), there / "data.parquet")


def result_of(context: ToolContext, tool: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a call gives, read; a failed one too."""
    return json.loads(call(BUILTIN, context, tool, json.dumps(arguments or {})).content)
