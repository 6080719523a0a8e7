"""The check finds what is there twice and what lasts for hours, and the mend puts it right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from core.cli.commands import run_command
from core.curate import create_thread
from core.datasets.check import check_dataset
from core.datasets.copies import stretches_in
from core.datasets.standard import open_dataset
from core.storage.splits_file import hold_out
from core.workspace import Workspace

MakeDataset = Callable[..., Path]
AT = np.arange(400) / 50
SIGNAL = np.random.default_rng(4).normal(0, 1, 30_000).astype(np.float32)


def window(first: int, rows: int = 400) -> dict[str, np.ndarray]:
    return {"timestamp_sec": np.arange(rows) / 50, "acc_x": SIGNAL[first : first + rows]}


def mend(workspace: Workspace, *options: str) -> int:
    return run_command(["datasets", "mend", "theirs", *options, "--workspace", str(workspace.root)])


def warnings(workspace: Workspace) -> dict[str, str]:
    return {
        finding.kind: f"{finding.sentence} {finding.mend}" for finding in check_dataset(workspace, "theirs").findings
    }


def test_copies_and_people_who_share_samples_are_told_and_copies_left_out(
    workspace: Workspace, make_dataset: MakeDataset
) -> None:
    sessions = {"a": window(0), "b": window(0), "c": window(0), "d": window(1000), "e": window(1200), "f": window(1300)}
    labels = {name: ["sitting" if name == "c" else "walking"] for name in sessions}
    folder = make_dataset(sessions=sessions, labels=labels, subjects=dict.fromkeys("abcdf", "s01") | {"e": "s02"})
    told = warnings(workspace)
    assert told["copy"] == "sessions/b: holds the same samples as a --first-of-copies"
    assert "sessions/c: holds the same samples as a, but the label is another" in told["copy of another"]
    assert "subjects s01 and s02 share samples" in told["shared samples"]
    assert mend(workspace, "--first-of-copies") == 0
    assert set(open_dataset(workspace, "theirs").labels) == set(json.loads((folder / "subjects.json").read_text()))
    assert sorted(open_dataset(workspace, "theirs").sessions) == ["a", "c", "d", "e", "f"]
    assert "copy" not in warnings(workspace)


def test_windows_of_one_person_may_overlap_and_people_at_rest_share_nothing() -> None:
    flat = np.zeros((3, 1000), dtype=np.float32)
    assert not stretches_in(flat).size
    some = SIGNAL[None, :10_000]
    later = set(stretches_in(some[:, 3:]).tolist())
    assert len(later) > 100 and later <= set(stretches_in(some).tolist()), "wherever a stretch begins it is the same"


def test_a_recording_of_hours_is_told_and_cut(workspace: Workspace, make_dataset: MakeDataset) -> None:
    rows = 75_000
    long = {"timestamp_sec": np.arange(rows) / 20, "acc_x": np.sin(np.arange(rows) / 7).astype(np.float32)}
    make_dataset(sessions={"day": long, "short": window(0)}, subjects={"day": "s01", "short": "s02"})
    assert "lasts 1.04 h: a session is a window of seconds, of one activity --cut 5" in warnings(workspace)["long"]
    assert mend(workspace, "--cut", "600", "--numbers") != 0
    assert mend(workspace, "--cut", "600") == 0
    dataset = open_dataset(workspace, "theirs")
    assert sorted(dataset.sessions) == [*(f"day_w{number:05d}" for number in range(1, 7)), "short"]
    assert dataset.subjects["day_w00003"] == "s01"
    parts = [parquet.read_table(dataset.path_of(f"day_w{number:05d}")) for number in range(1, 7)]
    samples = np.concatenate([np.asarray(part.column("acc_x")) for part in parts])
    np.testing.assert_array_equal(samples, long["acc_x"][: 6 * 12_000])
    assert np.asarray(parts[3].column("timestamp_sec"))[[0, -1]].tolist() == pytest.approx([0.0, 599.95])
    assert mend(workspace, "--undo") == 0 and sorted(open_dataset(workspace, "theirs").sessions) == ["day", "short"]


def test_a_session_that_a_thread_is_about_is_not_taken_out(workspace: Workspace, make_dataset: MakeDataset) -> None:
    make_dataset(sessions={"a": window(0), "b": window(0)}, labels={"a": ["walking"], "b": ["walking"]}, subjects={})
    create_thread(workspace, "theirs", "b", "What?", evidence="measure")
    assert mend(workspace, "--first-of-copies") == 0
    assert set(open_dataset(workspace, "theirs").sessions) == {"a", "b"}
    assert mend(workspace, "--cut", "1") == 0
    dataset = open_dataset(workspace, "theirs")
    assert {"b", "b_w00001", "a_w00001"} <= set(dataset.sessions) and "a" not in dataset.sessions
    assert dataset.labels["b"] == dataset.labels["b_w00001"] == ("walking",)


def test_whose_a_session_is_stays_known_of_its_windows(workspace: Workspace, make_dataset: MakeDataset) -> None:
    folder = make_dataset(sessions={"train_16_1": window(0)}, labels={"train_16_1": ["walking"]})
    (folder / "subjects.json").unlink(missing_ok=True)
    assert open_dataset(workspace, "theirs").subjects == {"train_16_1": "16"}
    assert mend(workspace, "--cut", "1") == 0
    subjects = open_dataset(workspace, "theirs").subjects
    assert len(subjects) > 1 and set(subjects.values()) == {"16"}


def test_a_session_that_is_held_out_is_not_cut_into_windows_that_are_not(
    workspace: Workspace, make_dataset: MakeDataset, capsys: pytest.CaptureFixture[str]
) -> None:
    make_dataset(sessions={"day": window(0)})
    hold_out(workspace.root, ["theirs/day"])
    assert mend(workspace, "--cut", "1") == 1
    assert "theirs/day is held out, and its windows would not be" in capsys.readouterr().err
    hold_out(workspace.root, ["theirs/day*"])
    assert mend(workspace, "--cut", "1") == 0
