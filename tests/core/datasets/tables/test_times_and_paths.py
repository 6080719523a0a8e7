"""Whole seconds, a rate against a column of times, several paths at once, and HAPT's labels, as people have them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.cli.commands import run_command
from core.datasets.standard import open_dataset
from core.datasets.tables.clock import spread_in_seconds
from core.workspace import Workspace
from tests.core.datasets.presets.forms import lines, moved
from tests.core.datasets.presets.test_public_sets import written


def run(workspace: Workspace, *arguments: str) -> int:
    return run_command(["datasets", "import", "table", *arguments, "--workspace", str(workspace.root)])


def test_rows_that_share_a_whole_second_are_spread_within_it(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stamps = (f"2024-05-06 07:08:{(n + 20) // 50:02d}" for n in range(1000))
    rows = [[at, *row] for at, row in zip(stamps, moved(50, walking=True, seconds=20).tolist(), strict=True)]
    raw = written(tmp_path / "raw", {"run.csv": lines(rows, "time,acc_x,acc_y,acc_z")})
    assert run(workspace, str(raw), "--label", "all:walking", "--name", "mine", "--length", "5") == 0
    assert "it counts whole seconds, whose 50 rows are spread evenly" in capsys.readouterr().out
    dataset = open_dataset(workspace, "mine")
    assert dataset.channels[0].rate_hz == 50 and len(dataset.sessions) == 4
    assert {len(dataset.load(session).time_sec) for session in dataset.sessions} == {250}


def test_a_first_second_that_is_not_full_ends_full_and_finer_stamps_stay() -> None:
    seconds = np.repeat([10, 11, 12, 13], [20, 50, 51, 10]) * 10**9
    spread, note = spread_in_seconds(seconds)
    assert note and (np.diff(spread) > 0).all()
    assert spread[0] == 10_600_000_000 and spread[20] == 11 * 10**9 and spread[-1] == 13_180_000_000
    for stamps in (np.arange(50) * 10**9, np.repeat(np.arange(50), 2) * 10**7):
        assert spread_in_seconds(stamps)[0] is stamps


@pytest.mark.parametrize("clock", ["coarse", "still"])
def test_a_rate_holds_whatever_the_column_of_times_says(
    workspace: Workspace, tmp_path: Path, clock: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [[n // 30 * 0.7 if clock == "coarse" else 5, *row] for n, row in enumerate(moved(50, walking=True).tolist())]
    raw = written(tmp_path / "raw", {"run.csv": lines(rows, "time,acc_x,acc_y,acc_z")})
    assert run(workspace, str(raw), "--label", "all:walking", "--name", "mine", "--rate", "50") == 0
    assert "time: 50 rows a second" in capsys.readouterr().out
    dataset = open_dataset(workspace, "mine")
    assert [channel.name for channel in dataset.channels] == ["acc_x", "acc_y", "acc_z"]
    assert dataset.load(dataset.sessions[0]).time_sec[-1] == pytest.approx(499 / 50)


def test_several_paths_are_one_dataset_and_folders_of_one_name_are_told_apart(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def table(walking: bool) -> str:
        return lines(
            [[n / 50, *row] for n, row in enumerate(moved(50, walking=walking).tolist())], "time,acc_x,acc_y,acc_z"
        )

    written(tmp_path / "days", {"anna/walking/a.csv": table(True), "anna/sitting/a.csv": table(False),
                                "ben/walking/a.csv": table(True), "ben/loose.csv": table(False)})  # fmt: skip
    days = tmp_path / "days"
    paths = [str(days / name) for name in ("anna/walking", "anna/sitting", "ben/walking")]
    assert run(workspace, *paths) == 0
    dataset = open_dataset(workspace, "days")
    assert sorted(own[0] for own in dataset.labels.values()) == ["sitting", "walking", "walking"]
    assert json.loads((dataset.folder / "import.json").read_text())["imported_from"] == "days"
    assert run(workspace, *paths[:1], str(days / "ben/loose.csv"), "--name", "two", "--label", "all:x") == 0
    assert len(open_dataset(workspace, "two").sessions) == 2
    capsys.readouterr()
    assert run(workspace, *paths, str(days / "nowhere.csv"), "--name", "three") == 1
    assert "nowhere.csv does not exist" in capsys.readouterr().err


def test_labels_of_hapt_are_rows_of_the_recording(workspace: Workspace, tmp_path: Path) -> None:
    both = np.concatenate([moved(50, walking=True), moved(50, walking=False)])
    files = {"acc_exp03_user02.txt": lines(both.tolist(), separator=" "), "labels.txt": "3 2 1 1 500\n3 2 5 501 1000\n"}
    raw = written(tmp_path / "raw", files)
    assert run(workspace, str(raw), "--rate", "50", "--preset", "none", "--name", "mine") == 0
    dataset = open_dataset(workspace, "mine")
    walks = {session: float(np.std(dataset.load(session).values[2])) > 0.05 for session in dataset.sessions}
    assert walks == {session: own == ("1",) for session, own in dataset.labels.items()} and len(walks) == 4


@pytest.mark.parametrize(("head", "told"), [("time,acc_x (m/s^2),acc_y (m/s^2),acc_z (m/s^2)", "acc"),
                                            ("time,seconds_elapsed,z,y,x", "acc")])  # fmt: skip
def test_g_that_is_named_a_speed_is_doubted_with_the_mend(
    workspace: Workspace, tmp_path: Path, head: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ((1714979289000000000 + 20_000_000 * n, n / 50) for n in range(500))
    rows = [
        [*(when if "elapsed" in head else when[1:]), *row]
        for when, row in zip(at, moved(50, walking=False), strict=True)
    ]
    raw = written(tmp_path / "raw", {"Accelerometer.csv": lines(rows, head)})
    assert run(workspace, str(raw), "--label", "all:standing", "--look") == 0
    assert f"a usual size of 1 would be g, and if it is, say --unit {told}=g" in capsys.readouterr().out
    assert run(workspace, str(raw), "--label", "all:standing", "--unit", f"{told}=g", "--name", "mine") == 0
    assert {channel.unit for channel in open_dataset(workspace, "mine").channels} == {"g"}
