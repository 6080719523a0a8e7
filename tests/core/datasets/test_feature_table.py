"""The feature table is computed once, and renewed session by session."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from core.datasets import feature_table
from core.datasets.standard import StandardDataset, open_dataset
from core.workspace import Workspace
from tools.features import DURATION

MakeDataset = Callable[..., Path]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sessions that were read. Every look-up starts as in a new process."""
    seen: list[str] = []
    load = StandardDataset.load

    def counted(self: StandardDataset, session: str) -> object:
        seen.append(session)
        return load(self, session)

    monkeypatch.setattr(StandardDataset, "load", counted)
    return seen


def new_process() -> None:
    feature_table._recent.clear()  # pyright: ignore[reportPrivateUsage]


def test_it_is_computed_once_and_kept(workspace: Workspace, make_dataset: MakeDataset, loads: list[str]) -> None:
    make_dataset()
    table = open_dataset(workspace, "theirs").features()
    assert table.sessions == ("train_16_0001", "train_7_0002")
    assert table.values[:, table.names.index(DURATION)].tolist() == pytest.approx([1.98, 1.98])
    assert loads == ["train_16_0001", "train_7_0002"]
    new_process()
    again = open_dataset(workspace, "theirs").features()
    assert np.array_equal(again.values, table.values, equal_nan=True)
    assert len(loads) == 2


def test_only_what_changed_is_computed_again(workspace: Workspace, make_dataset: MakeDataset, loads: list[str]) -> None:
    folder = make_dataset()
    before = open_dataset(workspace, "theirs").features()
    loads.clear()
    columns = {"timestamp_sec": np.arange(50) / 50, "acc_x": np.ones(50)}
    parquet.write_table(pa.table(columns), folder / "sessions/train_7_0002/data.parquet")
    (folder / "sessions/train_8_0003").mkdir()
    parquet.write_table(pa.table(columns), folder / "sessions/train_8_0003/data.parquet")
    labels = {"train_8_0003": ["sitting"], "train_16_0001": ["sitting"], "train_7_0002": ["walking"]}
    (folder / "labels.json").write_text(json.dumps(labels))
    after = open_dataset(workspace, "theirs").features()
    assert after.sessions == tuple(labels)
    assert sorted(loads) == ["train_7_0002", "train_8_0003"]
    assert np.array_equal(after.values[1], before.values[0], equal_nan=True)
    assert after.values[2, 0] == pytest.approx(0.98)


def test_a_new_label_computes_nothing(workspace: Workspace, make_dataset: MakeDataset, loads: list[str]) -> None:
    folder = make_dataset()
    open_dataset(workspace, "theirs").features()
    (folder / "labels.json").write_text(json.dumps({"train_7_0002": ["sitting"]}))
    loads.clear()
    assert open_dataset(workspace, "theirs").features().sessions == ("train_7_0002",)
    assert loads == []


def test_a_damaged_cache_is_made_anew(workspace: Workspace, make_dataset: MakeDataset, loads: list[str]) -> None:
    make_dataset()
    before = open_dataset(workspace, "theirs").features()
    (cache,) = (workspace.private / "features").iterdir()
    cache.write_bytes(cache.read_bytes()[:100])
    new_process()
    assert np.array_equal(open_dataset(workspace, "theirs").features().values, before.values, equal_nan=True)
    assert len(loads) == 4


def test_a_damaged_session_has_no_row(workspace: Workspace, make_dataset: MakeDataset) -> None:
    folder = make_dataset()
    (folder / "sessions/train_7_0002/data.parquet").write_text("no parquet")
    assert open_dataset(workspace, "theirs").features().sessions == ("train_16_0001",)


def test_a_cache_that_cannot_be_written_is_done_without(workspace: Workspace, make_dataset: MakeDataset) -> None:
    make_dataset()
    workspace.private.write_text("a file is in the way")
    assert len(open_dataset(workspace, "theirs").features().sessions) == 2


def test_a_file_edited_in_place_is_seen_by_a_running_process(
    workspace: Workspace, make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_dataset()
    dataset = open_dataset(workspace, "theirs")
    before = dataset.features()
    columns = {"timestamp_sec": np.arange(50) / 50, "acc_x": np.ones(50)}
    parquet.write_table(pa.table(columns), folder / "sessions/train_7_0002/data.parquet")
    monkeypatch.setattr(feature_table, "LOOK_AGAIN_SEC", 0)
    after = dataset.features()
    assert after is not before
    assert not np.array_equal(after.values[1], before.values[1], equal_nan=True)
    assert dataset.features() is after


def test_measurements_are_kept_as_well_and_of_a_few_sessions_of_each_subject(
    workspace: Workspace, make_dataset: MakeDataset, loads: list[str]
) -> None:
    make_dataset()
    table = open_dataset(workspace, "theirs").measurements()
    assert table.sessions == ("train_16_0001", "train_7_0002")
    assert "show_channel_stats/acc_x/std" in table.names
    new_process()
    loads.clear()
    again = open_dataset(workspace, "theirs").measurements()
    assert again.names == table.names
    assert np.array_equal(again.values, table.values, equal_nan=True)
    assert loads == []
