"""`datasets show`: what a dataset holds, and what each label looks like."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.cli.commands import run_command
from core.datasets.sparkline import bars
from core.workspace import Workspace
from tests.tui.motion import motion_workspace


def show(workspace: Workspace, *options: str) -> int:
    return run_command(["datasets", "show", "motion", *options, "--workspace", str(workspace.root)])


def test_bars_are_blank_where_samples_are_missing_and_on_the_middle_level_of_a_scale_without_height() -> None:
    times = np.arange(100) / 10
    values = np.where(times < 5, np.sin(times), np.nan)
    drawn = bars(times, values, (-1.0, 1.0), 20)
    assert drawn[:9].strip() == drawn[:9] and set(drawn[10:]) == {" "}
    assert set(bars(times, np.ones(100), (0.0, 0.0), 7)) == {"▅"}
    gap = (times < 3) | (times > 7)
    assert set(bars(times[gap], np.ones(int(gap.sum())), (0.0, 2.0), 20)[7:13]) == {" "}, "no row, no bar"
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


def test_sessions_that_cannot_be_read_are_told(
    make_dataset: Callable[..., Path], workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    text = {"timestamp_sec": ["0", "1"], "acc_x": [1.0, 2.0]}
    make_dataset("motion", sessions={"a": text, "b": {"timestamp_sec": [np.inf] * 3, "acc_x": [1.0, 2.0, 3.0]}})
    assert show(workspace) == 0
    told = capsys.readouterr().out
    assert (
        "unread    1 session; `sensorloom datasets check motion` says why" in told and "rate      not known\n" in told
    )
