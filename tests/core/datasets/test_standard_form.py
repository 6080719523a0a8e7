"""Reading anyone's dataset in the standard form."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.datasets.standard import dataset_names, list_datasets, open_dataset, subject_in
from core.errors import DatasetError
from core.workspace import Workspace
from tools.session import Dataset

MakeDataset = Callable[..., Path]


def test_a_dataset_is_read_as_it_stands(workspace: Workspace, make_dataset: MakeDataset) -> None:
    make_dataset(labels={"train_16_0001": ["walking"], "train_7_0002": "sitting"})
    dataset: Dataset = open_dataset(workspace, "theirs")
    assert (dataset.name, dataset.description, list(dataset.activities)) == (
        "theirs", "Somebody's data.", ["walking", "sitting"],
    )  # fmt: skip
    assert dataset.labels == {"train_16_0001": ("walking",), "train_7_0002": ("sitting",)}
    assert dataset.subjects == {"train_16_0001": "16", "train_7_0002": "7"}
    channel = dataset.channels[0]
    assert (channel.name, channel.unit, channel.rate_hz) == ("acc_x", "g", 50.0)
    window = dataset.load("train_16_0001")
    assert window.values.shape == (1, 100)
    assert window.values.dtype == np.float64
    assert window.end_sec == pytest.approx(1.98)


@pytest.mark.parametrize(
    ("session", "subject"),
    [
        ("train_16_3157", "16"),
        ("test_02_0000", "2"),
        ("subject101_0004", "subject101"),
        ("S07_walk_3", "s07"),
        ("user-3", "user-3"),
        ("session_001", ""),
        ("phone_accel_1600_A", ""),
        ("3_157", ""),
    ],
)
def test_a_subject_is_taken_from_the_id_only_where_that_is_plain(session: str, subject: str) -> None:
    assert subject_in(session) == subject


def test_a_subjects_file_is_the_only_word_on_subjects(workspace: Workspace, make_dataset: MakeDataset) -> None:
    make_dataset(subjects={"train_16_0001": 4})
    assert open_dataset(workspace, "theirs").subjects == {"train_16_0001": "4"}


def test_optional_fields_may_be_missing(workspace: Workspace, make_dataset: MakeDataset) -> None:
    columns = {"timestamp_sec": [0.0, 0.1], "b": [1, 2], "a": [3, None]}
    make_dataset(manifest={}, labels={"x1": ["hop"], "gone": ["run"]}, sessions={"x1": columns})
    dataset = open_dataset(workspace, "theirs")
    assert dataset.activities == ("hop", "run")
    assert dataset.sessions == ("x1",)
    assert [channel.name for channel in dataset.channels] == ["b", "a"]
    assert np.array_equal(dataset.load("x1").values, [[1, 2], [3, np.nan]], equal_nan=True)


def test_times_are_made_rising_from_zero_or_from_the_rate(workspace: Workspace, make_dataset: MakeDataset) -> None:
    sessions = {
        "late": {"timestamp_sec": [5.0, 5.5, 5.5, 5.25], "acc_x": [0.0, 2.0, 9.0, 1.0]},
        "none": {"acc_x": [0.0, 1.0, 2.0]},
    }
    make_dataset(sessions=sessions)
    dataset = open_dataset(workspace, "theirs")
    late = dataset.load("late")
    assert late.time_sec.tolist() == [0, 0.25, 0.5]
    assert late.values.tolist() == [[0, 1, 2]]
    assert dataset.load("none").time_sec.tolist() == [0, 0.02, 0.04]


def test_a_session_may_lack_a_channel_and_hold_another(workspace: Workspace, make_dataset: MakeDataset) -> None:
    manifest = {"channels": ["acc_x", "acc_y", {"name": "acc_z", "sampling_rate_hz": "50"}]}
    make_dataset(manifest=manifest, sessions={"s1": {"timestamp_sec": [0.0], "acc_z": [1.0], "note": ["hello"]}})
    dataset = open_dataset(workspace, "theirs")
    assert dataset.load("s1").names == ("acc_z",)
    assert [channel.rate_hz for channel in dataset.channels] == [None, None, 50.0]


@pytest.mark.parametrize("name", ["../ws", "..", "", ".hidden", "a/b", "a\\b", "/etc", "nul\0", "x" * 300])
def test_no_name_leaves_its_folder(workspace: Workspace, make_dataset: MakeDataset, name: str) -> None:
    make_dataset(labels={"train_1_1": "walking", name: "walking"})
    with pytest.raises(DatasetError, match="cannot be"):
        open_dataset(workspace, name)
    with pytest.raises(DatasetError, match="cannot be"):
        open_dataset(workspace, "theirs").load(name)


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("manifest.json", "{", "manifest.json: not JSON"),
        ("manifest.json", "[1]", "a JSON object is needed"),
        ("manifest.json", None, "manifest.json is missing"),
        ("labels.json", '{"a": 3}', "session 'a': a label or a list of labels is needed, not 3"),
        ("labels.json", b"\xff\xfe", "labels.json: not JSON"),
        ("labels.json", None, "labels.json is missing"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    workspace: Workspace, make_dataset: MakeDataset, file: str, content: str | bytes | None, sentence: str
) -> None:
    path = make_dataset() / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DatasetError) as caught:
        open_dataset(workspace, "theirs")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sentence in list_datasets(workspace)[0].problem


def test_a_missing_or_damaged_session_is_one_sentence(workspace: Workspace, make_dataset: MakeDataset) -> None:
    folder = make_dataset(sessions={"s1": {"timestamp_sec": [0.0], "acc_x": ["text"]}})
    dataset = open_dataset(workspace, "theirs")
    with pytest.raises(DatasetError, match="theirs has no session 's2'"):
        dataset.load("s2")
    path = folder / "sessions/s1/data.parquet"
    with pytest.raises(DatasetError, match=r"s1/data.parquet: cannot be read as a session"):
        dataset.load("s1")
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DatasetError, match=r"s1/data.parquet: cannot be read as a session"):
        dataset.load("s1")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DatasetError, match="not a regular file"):
        dataset.load("s1")


def test_no_dataset_says_which_there_are(workspace: Workspace, make_dataset: MakeDataset) -> None:
    with pytest.raises(DatasetError, match="datasets import demo"):
        open_dataset(workspace, "uci_har")
    make_dataset()
    with pytest.raises(DatasetError, match="there are: theirs"):
        open_dataset(workspace, "uci_har")


def test_a_window_cannot_be_changed_and_a_changed_file_is_read_again(
    workspace: Workspace, make_dataset: MakeDataset
) -> None:
    folder = make_dataset()
    dataset = open_dataset(workspace, "theirs")
    first = dataset.load("train_16_0001")
    assert dataset.load("train_16_0001") is first
    with pytest.raises(ValueError, match="read-only"):
        first.values[0, 0] = 1
    make_dataset("longer", sessions={"a": {"timestamp_sec": [0.0, 1.0], "acc_x": [1.0, 2.0]}})
    longer = workspace.data / "longer/sessions/a/data.parquet"
    longer.replace(folder / "sessions/train_16_0001/data.parquet")
    assert dataset.load("train_16_0001").values.shape == (1, 2)


def test_opening_again_is_the_same_value_until_a_file_changes(workspace: Workspace, make_dataset: MakeDataset) -> None:
    folder = make_dataset()
    first = open_dataset(workspace, "theirs")
    assert open_dataset(workspace, "theirs") is first
    (folder / "labels.json").write_text(json.dumps({"train_16_0001": ["sitting"], "one_more": ["walking"]}))
    assert set(open_dataset(workspace, "theirs").labels) == {"train_16_0001", "one_more"}


def test_the_list_counts_and_passes_over_other_folders(workspace: Workspace, make_dataset: MakeDataset) -> None:
    assert dataset_names(workspace) == []
    make_dataset("b")
    make_dataset("a", manifest={"synthetic": True})
    (workspace.data / "tool_chain_of_thoughts/threads").mkdir(parents=True)
    (workspace.data / ".a.partial").mkdir()
    listed = list_datasets(workspace)
    assert [(dataset.name, dataset.sessions, dataset.subjects, dataset.synthetic) for dataset in listed] == [
        ("a", 2, 2, True),
        ("b", 2, 2, False),
    ]
