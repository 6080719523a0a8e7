"""A small workspace for tests of the app: a motion dataset written by hand, threads, and waiting for conditions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from textual.pilot import Pilot

from core import curate
from core.storage.store import Stored
from core.workspace import Workspace, open_workspace
from tui.terminal.textual_private import drawn_rows

QUESTION = "What is this person doing?"


def motion_workspace(root: Path) -> Workspace:
    """A workspace with the dataset `motion`: four subjects, walking and sitting, three channels at 50 Hz."""
    import pyarrow as pa
    from pyarrow import parquet

    folder = root / "data" / "motion"
    channels = [
        {"name": f"acc_{axis}", "description": f"acceleration {axis}", "unit": "g", "sampling_rate_hz": 50.0}
        for axis in "xyz"
    ]
    labels: dict[str, list[str]] = {}
    random = np.random.default_rng(3)
    time_sec = np.arange(128) / 50
    for subject in range(1, 5):
        for number, label in enumerate(("walking", "sitting", "walking", "sitting")):
            session = f"s{subject:02d}_{number}"
            labels[session] = [label]
            strength = 0.5 if label == "walking" else 0.01
            columns: dict[str, Any] = {"timestamp_sec": time_sec}
            for phase, axis in enumerate("xyz"):
                wave = strength * np.sin(2 * np.pi * 1.9 * time_sec + phase)
                columns[f"acc_{axis}"] = wave + random.normal(0, 0.01, 128) + (axis == "z")
            (folder / "sessions" / session).mkdir(parents=True)
            parquet.write_table(pa.table(columns), folder / "sessions" / session / "data.parquet")
    manifest = {"dataset_name": "motion", "activities": ["walking", "sitting"], "channels": channels}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "labels.json").write_text(json.dumps(labels))
    (folder / "subjects.json").write_text(json.dumps({session: session[:3] for session in labels}))
    return open_workspace(str(root), environ={})


def with_recording(root: Path) -> Path:
    """One recording that the dataset `motion` keeps whole: half a minute at rest, then half a minute of walking. Where
    there is no such dataset it is all of it.

    Returns:
        The recording's folder.
    """
    import pyarrow as pa
    from pyarrow import parquet

    dataset = root / "data" / "motion"
    folder = dataset / "recordings" / "s01_r001"
    folder.mkdir(parents=True)
    if not (dataset / "labels.json").exists():
        (dataset / "sessions").mkdir()
        (dataset / "labels.json").write_text("{}")
        channels = [{"name": f"acc_{axis}", "unit": "g", "sampling_rate_hz": 25} for axis in "xyz"]
        manifest = {"dataset_name": "motion", "activities": ["sitting", "walking"], "channels": channels}
        (dataset / "manifest.json").write_text(json.dumps(manifest))
    time_sec = np.arange(60 * 25) / 25
    walking = np.sin(2 * np.pi * 1.9 * time_sec) * (time_sec >= 30) + np.random.default_rng(1).normal(0, 0.01, 1500)
    columns = {"timestamp_sec": time_sec} | {f"acc_{axis}": walking + (axis == "z") for axis in "xyz"}
    parquet.write_table(pa.table(columns), folder / "data.parquet")
    return folder


def new_thread(workspace: Workspace, session: str = "s01_0") -> Stored:
    """A thread that nothing was asked of yet."""
    return curate.create_thread(workspace, "motion", session, QUESTION)


async def until(pilot: Pilot[Any], condition: Callable[[], object], seconds: float = 60) -> None:
    """Pump the app until `condition`, so that no test sleeps for a guessed time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"condition not met in time; on the screen:\n{on_screen(pilot.app)}"
        await pilot.pause(0.02)


def on_screen(app: Any) -> str:
    """The screen as plain text."""
    width, height = app.size
    strips = drawn_rows(app.screen)
    return "\n".join(strip.text for strip in strips[:height])[: (width + 1) * height]
