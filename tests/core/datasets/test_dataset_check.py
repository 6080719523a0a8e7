"""The check names what is wrong with anyone's dataset, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.datasets.check import check_dataset
from core.datasets.importing import import_dataset
from core.errors import DatasetError
from core.workspace import Workspace

MakeDataset = Callable[..., Path]
RISING = np.arange(100) / 50
GOOD = {"timestamp_sec": RISING, "acc_x": np.sin(RISING)}


def sentences(workspace: Workspace, level: str) -> list[str]:
    return [finding.sentence for finding in check_dataset(workspace, "theirs").findings if finding.level == level]


def test_good_datasets_give_no_finding(workspace: Workspace, make_dataset: MakeDataset) -> None:
    make_dataset()
    assert check_dataset(workspace, "theirs").findings == ()
    import_dataset(workspace, "demo")
    report = check_dataset(workspace, "demo")
    assert (report.findings, report.sessions) == ((), 420)


def test_no_dataset_is_an_error(workspace: Workspace) -> None:
    for name in ("nope", "../ws"):
        with pytest.raises(DatasetError):
            check_dataset(workspace, name)


@pytest.mark.parametrize(
    ("columns", "level", "sentence"),
    [
        ({"timestamp_sec": [], "acc_x": []}, "error", "has no rows"),
        ({"timestamp_sec": RISING, "other": RISING}, "error", "has none of the manifest's channels, only other"),
        ({"timestamp_sec": RISING, "acc_x": ["a"] * 100}, "error", "column acc_x holds text, not numbers"),
        ({"timestamp_sec": RISING[::-1], "acc_x": RISING}, "error", "time jumps back at row 1, from 1.98 s to 1.96 s"),
        ({"timestamp_sec": np.where(RISING == 1, np.nan, RISING), "acc_x": RISING}, "error", "has missing times"),
        ({"timestamp_sec": ["now"] * 100, "acc_x": RISING}, "error", "column timestamp_sec holds text, not numbers"),
        ({"timestamp_sec": RISING + 5, "acc_x": RISING}, "warning", "starts at 5 s instead of 0"),
        ({"timestamp_sec": RISING / 2, "acc_x": RISING}, "warning", "has 100 rows a second, the manifest says 50"),
        ({"acc_x": RISING}, "warning", "no column timestamp_sec; the manifest's rate is used"),
        ({**GOOD, "extra": RISING}, "warning", "column extra is not in the manifest"),
        ({**GOOD, "acc_x": [np.nan] * 100}, "error", "every channel is missing throughout"),
        ({**GOOD, "acc_x": np.where(RISING == 1, np.inf, RISING)}, "warning", "column acc_x holds infinite values"),
        ({"timestamp_sec": RISING[:2], "acc_x": RISING[:2]}, "error", "has 2 rows, too few to measure anything"),
        ({"timestamp_sec": np.where(RISING == 1, np.inf, RISING), "acc_x": RISING}, "error", "has infinite times"),
        ({**GOOD, "acc_x": [f"{value:.3f}" for value in RISING]}, "error", "acc_x holds numbers stored as text"),
        (
            {"timestamp_sec": (RISING * 1e9).astype("datetime64[ns]"), "acc_x": RISING},
            "error",
            "column timestamp_sec holds dates and times, not seconds",
        ),
        ({"timestamp_sec": RISING * 1e9, "acc_x": RISING}, "error", "the times count in ns, not in seconds"),
        ({"timestamp_sec": RISING * 1e3 + 7, "acc_x": RISING}, "error", "the times count in ms, not in seconds"),
        ({"timestamp_sec": np.floor(RISING * 10) / 10, "acc_x": RISING}, "error", "80% of the rows repeat the time"),
        (
            {"timestamp_sec": np.concatenate((RISING[:50], RISING[:50])), "acc_x": RISING},
            "error",
            "time jumps back at row 50, from 0.98 s to 0 s; read by time, stretches",
        ),
        (
            {"timestamp_sec": np.where(RISING == 1, 0.98, RISING), "acc_x": RISING},
            "warning",
            "1 row with the time of the row before",
        ),
    ],
)
def test_sessions(
    workspace: Workspace, make_dataset: MakeDataset, columns: dict[str, Any], level: str, sentence: str
) -> None:
    make_dataset(sessions={"train_1_1": {**GOOD, "acc_x": np.cos(3 * RISING)}, "train_2_2": columns})
    (finding,) = check_dataset(workspace, "theirs").findings
    assert finding.level == level
    assert finding.location == "sessions/train_2_2/data.parquet"
    assert sentence in finding.sentence


def test_files_that_are_missing_damaged_or_stray(workspace: Workspace, make_dataset: MakeDataset) -> None:
    folder = make_dataset(sessions=dict.fromkeys(("train_1_1", "train_2_2", "train_3_3"), GOOD))
    damaged = folder / "sessions/train_1_1/data.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    (folder / "sessions/train_2_2/data.parquet").unlink()
    os.rename(folder / "sessions/train_3_3", folder / "sessions/train_4_4")  # noqa: PTH104
    errors = sentences(workspace, "error")
    assert len(errors) == 3
    assert "labels.json, session 'train_3_3': there is no sessions/train_3_3/" in errors
    assert any("train_1_1/data.parquet: is no whole Parquet file" in error for error in errors)
    assert "sessions/train_2_2/data.parquet: is missing" in errors
    assert sentences(workspace, "warning") == ["sessions/train_4_4: has no label, so it is never used"]


@pytest.mark.parametrize(
    ("manifest", "level", "sentence"),
    [
        ({"channels": None}, "error", "`channels`: is no list of channels"),
        ({"channels": [{"unit": "g"}]}, "error", "`channels[0]`: has no name"),
        (
            {"activities": ["sitting"]},
            "error",
            "session 'train_7_0002': 'walking' is not among the",
        ),
        ({"activities": None}, "warning", "`activities`: is no list of labels"),
        ({"activities": ["walking", "Walking"]}, "warning", "`activities`: names one activity twice"),
        ({"description": ""}, "warning", "`description`: is missing"),
        ({"channels": [{"name": "acc_x", "unit": "g", "sampling_rate_hz": 50}]}, "warning", "acc_x has no description"),
        ({"channels": [{"name": "acc_x", "unit": "g", "description": "x"}]}, "warning", "no sampling_rate_hz above 0"),
    ],
)
def test_the_manifest(
    workspace: Workspace, make_dataset: MakeDataset, manifest: dict[str, Any], level: str, sentence: str
) -> None:
    channels = [{"name": "acc_x", "description": "acceleration, x", "unit": "g", "sampling_rate_hz": 50}]
    whole = {"dataset_name": "T", "description": "D", "activities": ["walking", "sitting"], "channels": channels}
    make_dataset(manifest=whole | manifest)
    assert any(sentence in sentence for sentence in sentences(workspace, level))
    assert bool(check_dataset(workspace, "theirs").errors) == (level == "error")


@pytest.mark.parametrize(
    ("labels", "level", "sentence"),
    [
        ({"train_1_1": []}, "error", "session 'train_1_1': has no label"),
        ({"train_1_1": 4}, "error", "4 is neither a label nor a list of labels"),
        ({"train_1_1": "walking", "../x": "walking"}, "error", "session '../x': the id is no plain folder name"),
        ({"train_1_1": "walking", "s1_Walking-2": "walking"}, "warning", "the id says which activity it is"),
        ({"train_1_1": "walking", "session_9": "walking"}, "warning", "session 'session_9': its subject is not known"),
    ],
)
def test_the_labels(
    workspace: Workspace, make_dataset: MakeDataset, labels: dict[str, Any], level: str, sentence: str
) -> None:
    make_dataset(labels=labels, sessions={name: GOOD for name in labels if "/" not in name})
    assert any(sentence in sentence for sentence in sentences(workspace, level))
    assert bool(check_dataset(workspace, "theirs").errors) == (level == "error")


def test_subjects(workspace: Workspace, make_dataset: MakeDataset) -> None:
    make_dataset(subjects={"train_16_0001": ["16"], "gone": "3"})
    assert sentences(workspace, "error") == ["subjects.json, session 'train_16_0001': ['16'] is no subject"]
    assert sorted(sentences(workspace, "warning")) == [
        "subjects.json, session 'gone': has no label",
        "subjects.json, session 'train_7_0002': its subject is not known; "
        "splits and references cannot keep subjects apart",
    ]


def test_unknown_people_are_one_line_with_their_count(workspace: Workspace, make_dataset: MakeDataset) -> None:
    names = [f"walk{number}x" for number in range(54)]
    make_dataset(labels=dict.fromkeys(names, "walking"), sessions=dict.fromkeys(names, GOOD))
    assert [line for line in sentences(workspace, "warning") if "subject" in line] == [
        "subjects.json, session 'walk0x': its subject is not known, nor that of 53 more; "
        "splits and references cannot keep subjects apart"
    ]


def test_files_that_are_no_json(workspace: Workspace, make_dataset: MakeDataset) -> None:
    folder = make_dataset()
    (folder / "manifest.json").write_text("{")
    (folder / "labels.json").write_text("[]")
    errors = sentences(workspace, "error")
    assert any(error.startswith("manifest.json: not JSON") for error in errors)
    assert "labels.json: a JSON object is needed, this is a list" in errors


def test_many_alike_are_counted(workspace: Workspace, make_dataset: MakeDataset) -> None:
    late = {"timestamp_sec": RISING + 1}
    make_dataset(sessions={f"train_1_{number}": late | {"acc_x": RISING + number} for number in range(30)})
    warnings = sentences(workspace, "warning")
    assert len(warnings) == 6
    assert warnings[-1] == "sessions: 25 more like the last 5"
