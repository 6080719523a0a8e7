"""The feature table is computed once, and renewed session by session."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event

import numpy as np
import pyarrow as pa
import pytest
from filelock import FileLock
from pyarrow import parquet

from core.datasets import feature_table, table_rows
from core.datasets.standard import open_dataset
from core.datasets.table_news import TableNews, stop_tables, told_of_tables
from core.errors import SensorloomError
from core.workspace import Workspace
from tests.tools.made import made_dataset, write_dataset
from tools.features import DURATION
from tools.session import Channel, Window

MakeDataset = Callable[..., Path]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sessions that were read for a table, in their order."""
    seen: list[str] = []
    read = table_rows.read_session

    def counted(path: Path, described: tuple[Channel, ...]) -> Window:
        seen.append(path.parent.name)
        return read(path, described)

    monkeypatch.setattr(table_rows, "read_session", counted)
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
    (cache,) = (workspace.private / "features").glob("*.npz")
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


def test_tables_that_are_made_in_processes_are_the_same_to_the_last_bit(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(workspace.data / "made", made_dataset(subjects=5, each=2))
    (workspace.data / "made/sessions/s1_0009/data.parquet").write_text("no parquet")
    dataset = open_dataset(workspace, "made")
    here = dataset.features(), dataset.measurements()
    for cache in (workspace.private / "features").glob("*.npz"):
        cache.unlink()
    new_process()
    monkeypatch.setattr(table_rows, "_is_worth", lambda elsewhere, spent, done, left: done == 1)
    monkeypatch.setattr(table_rows, "BLOCK", 4)
    monkeypatch.setattr(table_rows, "in_order", partial(table_rows.in_order, processes=2))
    for before, after in zip(here, (dataset.features(), dataset.measurements()), strict=True):
        assert (after.names, after.sessions) == (before.names, before.sessions)
        assert "s1_0009" not in after.sessions and len(after.sessions) > 30
        assert after.values.tobytes() == before.values.tobytes()


def test_what_was_computed_before_a_stop_is_kept(
    workspace: Workspace, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(workspace.data / "made", made_dataset(subjects=3, each=1))
    monkeypatch.setattr(table_rows, "BLOCK", 4)
    dataset = open_dataset(workspace, "made")

    def stopped(done: int, total: int, session: str) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dataset.features(stopped)
    new_process()
    assert dataset.features().sessions == dataset.sessions
    assert loads == list(dataset.sessions)


def test_who_leaves_does_not_wait_for_a_table(
    workspace: Workspace, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(workspace.data / "made", made_dataset(subjects=3, each=1))
    monkeypatch.setattr(table_rows, "BLOCK", 4)
    dataset = open_dataset(workspace, "made")
    with told_of_tables(lambda _: stop_tables()), pytest.raises(SensorloomError, match="features of made was stopped"):
        dataset.features()
    assert len(loads) == 4
    assert dataset.features().sessions == dataset.sessions


def test_a_table_that_another_process_makes_is_waited_for_and_read(
    workspace: Workspace, make_dataset: MakeDataset, loads: list[str]
) -> None:
    make_dataset()
    dataset = open_dataset(workspace, "theirs")
    table = dataset.features()
    (cache,) = (workspace.private / "features").glob("*.npz")
    theirs = cache.rename(cache.with_suffix(".elsewhere"))
    new_process()
    news: list[TableNews] = []
    waits = Event()

    def heard(told: TableNews) -> None:
        news.append(told)
        waits.set()

    with told_of_tables(heard), ThreadPoolExecutor(1) as pool:
        with FileLock(cache.with_name(f".{cache.name}.lock")):
            ours = pool.submit(dataset.features)
            assert waits.wait(20)
            theirs.rename(cache)
        assert np.array_equal(ours.result().values, table.values, equal_nan=True)
    assert all(told.elsewhere for told in news[:-1]) and "another sensorloom" in news[0].sentence
    assert news[-1].over, "or the wait would be shown for ever"
    assert loads == list(table.sessions), "it was computed once, by the other one"


def test_who_hears_of_tables_is_told_how_far_one_is(workspace: Workspace, make_dataset: MakeDataset) -> None:
    make_dataset()
    news: list[TableNews] = []
    with told_of_tables(news.append):
        open_dataset(workspace, "theirs").features()
        open_dataset(workspace, "theirs").features()
    assert [(told.done, told.total) for told in news] == [(0, 2), (2, 2)]
    assert news[0].sentence == "computing the features of theirs"
