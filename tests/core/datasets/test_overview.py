"""`datasets show`: what a dataset holds, and what each label looks like."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.cli.commands import run_command
from core.datasets.sparkline import bars
from core.workspace import Workspace
from tests.tui.motion import motion_workspace
from tui.widgets.lane_rows import lane_rows


def show(workspace: Workspace, *options: str) -> int:
    return run_command(["datasets", "show", "motion", *options, "--workspace", str(workspace.root)])


def test_bars_are_those_of_a_lane_of_the_sensor_pane() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.01, 0.03, 300))
    values = np.where(rng.random(300) < 0.1, np.nan, rng.normal(0, 1, 300))
    values[100:150] = np.nan
    for scale in ((-2.0, 2.0), (0.0, 0.0)):
        for width in (7, 30, 200):
            pane = lane_rows(times, values, (times[0], times[-1]), scale, width, 1)[0]
            assert bars(times, values, scale, width) == pane
    assert bars(times[:0], values[:0], (0, 1), 4) == "    "


def test_a_dataset_is_told_with_a_drawing_of_each_label(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = motion_workspace(tmp_path_factory.mktemp("overview"))
    assert show(workspace) == 0
    told = capsys.readouterr().out.splitlines()
    assert "16 sessions" in told[0]
    assert any(line.startswith("subjects  4: ") for line in told)
    walking = [line for line in told if line.startswith("  walking")]
    resting = [line for line in told if line.startswith("  sitting")]
    assert "8 sessions" in walking[0] and "4 subjects" in walking[0]
    assert len(walking) == len(resting) == 1 + 3
    heights = [len(set(rows[1].split()[-1])) for rows in (walking, resting)]
    assert heights[0] > heights[1], "one scale for both: the quiet one looks quiet"
    assert show(workspace, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["labels"]["walking"]["sessions"] == 8
    assert sum(document["subjects"].values()) == document["sessions"] == 16
