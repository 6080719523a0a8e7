"""What the tools say of windows beside what scipy, or the way a window was made, says: a table, printed by
`make reference-tools` and tested row by row."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from scipy import signal

from core.datasets.importing import import_dataset
from core.datasets.standard import open_dataset
from core.workspace import open_workspace
from tests import slices
from tests.tools.made import MadeDataset, result_of
from tools.registry import ToolContext
from tools.session import Channel, Dataset, Samples, Window


@dataclass(frozen=True, slots=True)
class Row:
    """One number of a tool beside its reference."""

    window: str
    quantity: str
    tool: float
    reference: float
    tolerance: float
    source: str

    @property
    def agrees(self) -> bool:
        return abs(self.tool - self.reference) <= self.tolerance


def context_of(
    values: Samples, time: Samples, names: tuple[str, ...] = ("acc_x", "acc_y", "acc_z"), unit: str = "m/s²"
):
    """A context whose session holds these samples, shape (channels, n)."""
    channels = tuple(Channel(name, "", unit, 1 / float(np.median(np.diff(time)))) for name in names)
    dataset = MadeDataset(channels=channels, windows={"w": Window(channels, time, values)})
    return ToolContext(dataset, "w")


def gait(
    steps_hz: float, seconds: float, rate: float, limp: float = 0.5, harmonic: float = 0.5
) -> tuple[Samples, Samples]:
    """A waist-worn accelerometer during walking: up and down by step, sideways by stride. Samples (3, n) and times."""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * steps_hz * time
    up = 2 * np.sin(phase) + 2 * harmonic * np.sin(2 * phase + 0.6) + limp * np.sin(phase / 2)
    side, front = 1.6 * np.sin(phase / 2), 0.8 * np.sin(phase + 1)
    noise = np.random.default_rng(0).normal(0, 0.2, (3, time.size))
    return np.array([9.81 + up, side, front]) + noise, time


def synthetic_rows() -> Iterator[Row]:
    """The rows of windows whose truth is how they were made."""
    yield from _frequencies()
    yield from _cadences()
    yield from _changes()
    yield from _heart_rates()


def _frequencies() -> Iterator[Row]:
    for hertz in (0.9, 1.7, 2.3, 3.1, 6.4):
        for seconds, rate in ((2.56, 50.0), (10.0, 20.0), (10.0, 1000.0)):
            time = np.arange(round(seconds * rate)) / rate
            wave = np.sin(2 * np.pi * hertz * time + 0.4) * np.array([[1.0], [0.5], [0.2]])
            told = result_of(context_of(wave, time), "compute_spectrum")["sensors"]["acc"]
            source = "the frequency it was made with"
            yield Row(f"tone, {seconds:g} s at {rate:g} Hz", "dominant, Hz", told["dominant"][0], hertz, 0.06, source)


def _cadences() -> Iterator[Row]:
    for steps in (1.4, 1.8, 2.2, 2.8, 3.6):
        for seconds, rate in ((2.56, 50.0), (10.0, 20.0), (5.0, 1000.0)):
            values, time = gait(steps, seconds, rate)
            told = result_of(context_of(values, time), "detect_periodicity")["sensors"]["acc"]
            name = f"gait, {seconds:g} s at {rate:g} Hz"
            yield Row(name, "cadence, a minute", told["cadence"], 60 * steps, 2.5 * steps, "the steps it was made with")


def _changes() -> Iterator[Row]:
    for at in (3.2, 5.13, 6.71):
        values, time = gait(1.9, 10.0, 50.0)
        still = np.array([[9.81], [0], [0]]) + np.random.default_rng(1).normal(0, 0.05, values.shape)
        told = result_of(context_of(np.where(time < at, values, still), time), "segment_session")
        change = min(told["changes_sec"], key=lambda second: abs(second - at), default=float("nan"))
        yield Row("walking, then still", "change, s", change, at, 0.2, "when it was made to change")


def _heart_rates() -> Iterator[Row]:
    rate, time = 250.0, np.arange(2500) / 250.0
    for beats in (48, 75, 130):
        ecg = np.zeros(time.size)
        at = np.arange(0.3, 9.9, 60 / beats)
        ecg[np.round(at * rate).astype(int)] = 1.0
        offset = np.arange(-7.0, 8.0)
        shape = np.exp(-((offset / 2) ** 2) / 2) - 0.3 * np.exp(-((offset / 5) ** 2) / 2)
        wave = np.asarray(np.convolve(ecg, shape, "same"), dtype=float) + 0.1 * np.sin(2 * np.pi * 0.3 * time)
        wave += np.random.default_rng(2).normal(0, 0.03, time.size)
        told = result_of(context_of(wave[None], time, ("ecg",), "mV"), "estimate_heart_rate")["channels"]["ecg"]
        yield Row(
            "ECG, 10 s", "heart rate, a minute", told.get("mean", np.nan), beats, 1.0, "the beats it was made with"
        )


def real_rows() -> Iterator[Row]:
    """Walking of UCI HAR: the strongest frequency between 1.2 and 3 Hz of the acceleration along gravity."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(folder, environ={})
        import_dataset(workspace, "uci_har", slices.uci_har(Path(folder) / "raw"))
        dataset = open_dataset(workspace, "uci_har")
        walking = [session for session in dataset.sessions if dataset.labels[session][0] == "walking"]
        for session in walking[:: len(walking) // 12]:
            window = dataset.load(session)
            total = window.values[[window.names.index(f"total_acc_{axis}") for axis in "xyz"]]
            up = total.mean(axis=1) @ total / np.linalg.norm(total.mean(axis=1))
            hertz, power = signal.periodogram(up, fs=50.0, window="hann", nfft=4096)
            walked = (hertz > 1.2) & (hertz < 3.0)
            reference = 60 * float(hertz[walked][np.argmax(power[walked])])
            told: Any = result_of(ToolContext(cast("Dataset", dataset), session), "detect_periodicity")["sensors"]
            cadence = told["total_acc"].get("cadence", np.nan)
            yield Row(f"UCI HAR {session}", "cadence, a minute", cadence, reference, 10.0, "scipy.signal.periodogram")


def main() -> int:
    """Print the table as Markdown."""
    print("| window | quantity | tool | reference | from | agrees |\n|---|---|---|---|---|---|")
    disagree = 0
    for row in (*synthetic_rows(), *(real_rows() if slices.FOLDER.is_dir() else ())):
        disagree += not row.agrees
        numbers = f"{row.tool:.3g} | {row.reference:.3g}"
        print(f"| {row.window} | {row.quantity} | {numbers} | {row.source} | {'yes' if row.agrees else '**no**'} |")
    return int(disagree > 0)


if __name__ == "__main__":
    sys.exit(main())
