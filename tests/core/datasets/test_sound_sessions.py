"""A session that cannot be right never becomes a thread, and what can be mended is mended without a loss."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from core.cli.commands import run_command
from core.datasets.check import check_dataset, look_at_session
from core.datasets.mend import Mends, mend_dataset, unmend_dataset
from core.datasets.session_file import MAX_NUMBERS
from core.datasets.standard import open_dataset
from core.errors import DatasetError, UsageError
from core.runs.job import Job
from core.workspace import Workspace
from tests.core.runs.told import told_by

CASES = Path(__file__).parents[3] / "../shared/cases"
MakeDataset = Callable[..., Path]
TIMES = np.arange(100) / 50
AXES = ("acc_x", "acc_y", "acc_z")


def manifest(unit: str = "m/s²", *more: str) -> dict[str, object]:
    channels = [{"name": name, "description": name, "unit": unit, "sampling_rate_hz": 50} for name in (*AXES, *more)]
    return {"dataset_name": "T", "description": "D", "activities": ["walking", "sitting"], "channels": channels}


def columns(gravity: float = 9.81, **more: object) -> dict[str, object]:
    wave = 0.1 * gravity * np.sin(2 * np.pi * 2 * TIMES)
    return {"timestamp_sec": TIMES, "acc_x": wave, "acc_y": 0 * wave, "acc_z": gravity + wave, **more}


def refusal(workspace: Workspace, session: str, dataset: str = "theirs") -> str:
    with pytest.raises(DatasetError) as caught:
        look_at_session(workspace, dataset, session)
    assert str(workspace.root) not in str(caught.value), "no local path"
    return str(caught.value)


def ran(workspace: Workspace, capsys: pytest.CaptureFixture[str], session: str) -> str:
    """What a run about a session says; it must fail and leave no thread."""
    arguments = ["run", "--dataset", "theirs", "--session", session, "--question", "What?", "--workspace"]
    assert run_command([*arguments, str(workspace.root)]) != 0
    assert not list(workspace.threads.glob("*.json"))
    return " ".join(capsys.readouterr())


@pytest.mark.parametrize("damage", ["missing", "cut off", "no parquet", "text"])
def test_a_session_that_cannot_be_read_never_becomes_a_thread(
    workspace: Workspace, make_dataset: MakeDataset, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    folder = make_dataset()
    path = folder / "sessions/train_16_0001/data.parquet"
    if damage == "missing":
        path.unlink()
    elif damage == "text":
        parquet.write_table(pa.table({"timestamp_sec": TIMES, "acc_x": ["a"] * 100}), path)
    else:
        path.write_bytes(path.read_bytes()[:-20] if damage == "cut off" else b"not a parquet file")
    reason = {"missing": "is missing", "text": "column acc_x holds text"}.get(damage, "is no whole Parquet file")
    sentence = refusal(workspace, "train_16_0001")
    assert sentence.startswith(f"theirs: sessions/train_16_0001/data.parquet: {reason}")
    assert reason in ran(workspace, capsys, "train_16_0001")
    look_at_session(workspace, "theirs", "train_7_0002")


def test_a_stored_thread_does_not_go_on_over_a_session_that_broke(
    workspace: Workspace, make_dataset: MakeDataset
) -> None:
    from core.curate import create_thread
    from core.model.client import Model
    from core.model.endpoints import choose

    folder = make_dataset()
    stored = create_thread(workspace, "theirs", "train_16_0001", "What?")
    (folder / "sessions/train_16_0001/data.parquet").write_bytes(b"gone")

    async def run() -> str:
        model = Model(choose(workspace, "", ""))
        try:
            jobs = [Job(stem=stored.stem)]
            (outcome,) = await told_by(workspace, jobs, model, parallel=1)
        finally:
            await model.aclose()
        return outcome.error

    assert "is no whole Parquet file" in asyncio.run(run())


@pytest.mark.parametrize(
    ("times", "mends"),
    [
        ((1.7e18 + TIMES * 1e9).astype(np.int64), Mends(time_unit="ns")),
        ((TIMES * 1e6).astype(np.int64), Mends(time_unit="us")),
        (TIMES * 1e3, Mends(time_unit="ms")),
        (np.concatenate((TIMES[:50], TIMES[:50])), Mends(times="append")),
        (np.floor(TIMES * 10 + 1e-9) / 10, Mends(times="spread")),
        (np.where(TIMES == 1, np.inf, TIMES), Mends(times="even")),
        ([f"{time:.2f}" for time in TIMES], Mends(numbers=True)),
        ((TIMES * 1e9).astype("datetime64[ns]"), Mends(numbers=True)),
    ],
    ids=["ns", "us", "ms", "append", "spread", "infinite", "text", "dates"],
)
def test_times_that_cannot_be_right_stop_a_run_and_are_mended(
    workspace: Workspace, make_dataset: MakeDataset, times: object, mends: Mends
) -> None:
    folder = make_dataset(sessions={"train_1_1": {"timestamp_sec": times, "acc_x": np.sin(TIMES)}})
    before = (folder / "sessions/train_1_1/data.parquet").read_bytes()
    assert "mend it with `sensorloom datasets mend theirs --" in refusal(workspace, "train_1_1")
    original = mend_dataset(workspace, "theirs", mends)
    look_at_session(workspace, "theirs", "train_1_1")
    window = open_dataset(workspace, "theirs").load("train_1_1")
    assert window.time_sec == pytest.approx(TIMES, abs=1e-6)
    assert window.values[0] == pytest.approx(np.sin(TIMES))
    assert (original / "sessions/train_1_1/data.parquet").read_bytes() == before
    unmend_dataset(workspace, "theirs")
    assert (folder / "sessions/train_1_1/data.parquet").read_bytes() == before


def test_rows_out_of_order_are_sorted_with_their_samples(workspace: Workspace, make_dataset: MakeDataset) -> None:
    order = np.random.default_rng(0).permutation(100)
    make_dataset(sessions={"train_1_1": {"timestamp_sec": TIMES[order], "acc_x": np.sin(TIMES)[order]}})
    assert refusal(workspace, "train_1_1").endswith("--times sort`")
    mend_dataset(workspace, "theirs", Mends(times="sort"))
    assert open_dataset(workspace, "theirs").load("train_1_1").values[0] == pytest.approx(np.sin(TIMES))


@pytest.mark.parametrize(
    ("declared", "gravity", "really"),
    [("m/s²", 1.0, "g"), ("g", 9.81, "m/s²"), ("m/s^2", 1000.0, "mg"), ("m/s²", 9810.0, "mm/s²")],
)
def test_a_unit_that_gravity_contradicts_is_found_and_mended(
    workspace: Workspace, make_dataset: MakeDataset, declared: str, gravity: float, really: str
) -> None:
    make_dataset(manifest=manifest(declared), sessions={"train_1_1": columns(gravity)})
    sentence = refusal(workspace, "train_1_1")
    assert f"acc is declared in {declared}, but its mean size of" in sentence and f"--unit acc={really}" in sentence
    mend_dataset(workspace, "theirs", Mends(units={"acc": really}))
    look_at_session(workspace, "theirs", "train_1_1")
    assert [channel.unit for channel in open_dataset(workspace, "theirs").channels] == [really] * 3


def test_acceleration_without_gravity_may_have_any_size_that_a_person_can_bear(
    workspace: Workspace, make_dataset: MakeDataset
) -> None:
    wave = 1.4 * np.sin(9 * TIMES)
    make_dataset(manifest=manifest(), sessions={"train_1_1": columns(0.0, acc_x=wave)})
    look_at_session(workspace, "theirs", "train_1_1")
    hard = dict.fromkeys(("acc_x", "acc_y"), 1000 * wave)
    make_dataset("hard", manifest=manifest(), sessions={"train_1_1": columns(0.0, **hard)})
    assert "--unit acc=mm/s²" in refusal(workspace, "train_1_1", "hard")


def test_decimal_commas_are_read_and_flags_are_told(workspace: Workspace, make_dataset: MakeDataset) -> None:
    commas = [f"{value:.3f}".replace(".", ",") for value in np.sin(TIMES)]
    flags = [bool(number % 3) for number in range(100)]
    sessions = {"train_1_1": columns(acc_x=commas, touched=flags)}
    make_dataset(manifest=manifest("m/s²", "touched"), sessions=sessions)
    sentence = refusal(workspace, "train_1_1")
    assert "acc_x holds numbers stored as text, with decimal commas" in sentence and "--numbers`" in sentence
    mend_dataset(workspace, "theirs", Mends(numbers=True))
    assert open_dataset(workspace, "theirs").load("train_1_1").values[0] == pytest.approx(np.sin(TIMES), abs=1e-3)
    (flag,) = check_dataset(workspace, "theirs").warnings
    assert "column touched holds true and false" in flag.message and flag.mend == "--drop touched"


@pytest.mark.parametrize("values", [(1, 2), (0, 1), (3.5, 7.5)])
def test_the_label_as_a_channel_is_found_and_taken_out(
    workspace: Workspace, make_dataset: MakeDataset, values: tuple[float, float]
) -> None:
    labels = {f"train_{subject}_{number}": ("walking", "sitting")[number] for subject in (1, 2) for number in (0, 1)}
    sessions = {
        session: columns(9.8 + number / 100, activity=[values[label == "sitting"]] * 100)
        for number, (session, label) in enumerate(labels.items())
    }
    make_dataset(manifest=manifest("m/s²", "activity"), labels=labels, sessions=sessions)
    (error,) = check_dataset(workspace, "theirs").errors
    assert error.location == "manifest.json, channel activity" and "it is the label" in error.message
    assert "--drop activity" in refusal(workspace, "train_1_0")
    mend_dataset(workspace, "theirs", Mends(drop=["activity"]))
    assert check_dataset(workspace, "theirs").findings == ()
    assert open_dataset(workspace, "theirs").load("train_1_0").names == AXES


def test_a_channel_that_stands_still_but_does_not_tell_is_no_label(
    workspace: Workspace, make_dataset: MakeDataset
) -> None:
    labels = {f"train_{number}_1": ("walking", "sitting")[number % 2] for number in range(6)}
    sessions = {
        session: columns(battery=[4.0 - number] * 100, person=[number // 2] * 100)
        for number, session in enumerate(labels)
    }
    make_dataset(manifest=manifest("m/s²", "battery", "person"), labels=labels, sessions=sessions)
    assert check_dataset(workspace, "theirs").findings == ()


def test_columns_of_one_name_are_told_and_the_first_is_used(workspace: Workspace, make_dataset: MakeDataset) -> None:
    folder = make_dataset(sessions={"train_1_1": {"timestamp_sec": TIMES, "acc_x": TIMES}})
    twins = pa.Table.from_arrays(
        [pa.array(TIMES), pa.array(TIMES), pa.array(-TIMES)], ["timestamp_sec", "acc_x", "acc_x"]
    )
    parquet.write_table(twins, folder / "sessions/train_1_1/data.parquet")
    assert "there are 2 columns acc_x" in refusal(workspace, "train_1_1")
    with pytest.raises(DatasetError, match="there are 2 columns acc_x"):
        open_dataset(workspace, "theirs").load("train_1_1")
    mend_dataset(workspace, "theirs", Mends(first_of_twins=True))
    assert open_dataset(workspace, "theirs").load("train_1_1").values[0] == pytest.approx(TIMES)


def test_a_session_too_long_for_memory_is_refused_before_it_is_read(
    workspace: Workspace, make_dataset: MakeDataset
) -> None:
    folder = make_dataset(sessions={"train_1_1": {"timestamp_sec": TIMES, "acc_x": TIMES}})
    rows = pa.array(np.zeros(MAX_NUMBERS // 2 + 1, np.int8))
    long = pa.Table.from_arrays([rows, rows], ["timestamp_sec", "acc_x"])
    parquet.write_table(long, folder / "sessions/train_1_1/data.parquet")
    assert "has 10,000,001 rows of 2 columns, more than the 10,000,000" in refusal(workspace, "train_1_1")
    with pytest.raises(DatasetError, match="cut the recording into shorter sessions"):
        open_dataset(workspace, "theirs").load("train_1_1")


def test_a_mend_that_cannot_be_carried_out_changes_nothing(workspace: Workspace, make_dataset: MakeDataset) -> None:
    folder = make_dataset(sessions={"train_1_1": {"timestamp_sec": [1.0] * 100, "acc_x": TIMES}})
    before = sorted((path, path.read_bytes()) for path in folder.rglob("*") if path.is_file())
    with pytest.raises(DatasetError, match="all rows have the same time; --times even"):
        mend_dataset(workspace, "theirs", Mends(times="spread"))
    with pytest.raises(UsageError, match="no channel or sensor 'gyro'; there are acc_x"):
        mend_dataset(workspace, "theirs", Mends(units={"gyro": "deg/s"}))
    with pytest.raises(UsageError, match="neither mended nor replaced"):
        unmend_dataset(workspace, "theirs")
    assert sorted((path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()) == before
    assert [path.name for path in workspace.data.iterdir()] == ["theirs"]


def test_the_command_mends_and_takes_back(
    workspace: Workspace, make_dataset: MakeDataset, capsys: pytest.CaptureFixture[str]
) -> None:
    make_dataset(sessions={"train_1_1": {"timestamp_sec": TIMES * 1e9, "acc_x": TIMES}})

    def mended(*arguments: str) -> str:
        run_command(["datasets", "mend", "theirs", *arguments, "--workspace", str(workspace.root)])
        return " ".join(capsys.readouterr())

    assert "theirs is mended" in mended("--time-unit", "ns")
    look_at_session(workspace, "theirs", "train_1_1")
    assert "is as it was before" in mended("--undo")
    assert "the times count in ns" in refusal(workspace, "train_1_1")
    assert "such as acc=g" in mended("--unit", "acc")
    assert "say what to mend" in mended()


@pytest.mark.skipif(not CASES.is_dir(), reason=f"the cases are not here: {CASES} is no folder")
@pytest.mark.parametrize(
    ("case", "sentence"),
    [("epoch_ns", "--time-unit ns"), ("label_number_column_described", "--drop activity_id")],
)
def test_the_cases_from_reports(workspace: Workspace, case: str, sentence: str) -> None:
    shutil.copytree(CASES / case, workspace.data / case)
    assert sentence in refusal(workspace, "rec_000", case)
    assert any(sentence in error.with_mend(case) for error in check_dataset(workspace, case).errors)


def test_a_call_that_meets_a_broken_session_names_no_local_path(
    workspace: Workspace, make_dataset: MakeDataset
) -> None:
    from tools.builtin import BUILTIN
    from tools.registry import ToolContext, call

    folder = make_dataset()
    (folder / "sessions/train_16_0001/data.parquet").write_bytes(b"gone")
    context = ToolContext(open_dataset(workspace, "theirs"), "train_16_0001")  # type: ignore[arg-type]  # a cached_property
    for tool in BUILTIN:
        content = call(BUILTIN, context, tool.name, json.dumps({})).content
        assert str(workspace.root) not in content and "data.parquet" not in content
