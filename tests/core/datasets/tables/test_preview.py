"""What is told of tables before they are imported, and what can be decided of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.csv
import pytest
from pyarrow import parquet

from core.datasets.importing import import_dataset
from core.datasets.plan import ImportOptions, ImportStoppedError
from core.datasets.tables import preview as preview_module
from core.datasets.tables.choices import label_ways, sample_columns, subject_ways, time_columns, units_of
from core.datasets.tables.form import TableForm
from core.datasets.tables.preview import Preview, previews
from core.errors import DatasetError
from core.workspace import Workspace
from tests.phone import phone_recording
from tools.sensors import sensors_of


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phone_recording(tmp_path_factory.mktemp("raw") / "phone")


def quiet(_done: int, _total: int, _what: str) -> None:
    pass


def last(path: Path, form: TableForm | None = None, **options: float) -> Preview:
    return list(previews(path, ImportOptions(table=form, **options), quiet))[-1]  # pyright: ignore[reportArgumentType]


def test_what_is_known_first_is_told_first_and_as_many_sessions_as_the_import_makes(phone: Path, workspace: Workspace):
    files, begun, whole = previews(phone, ImportOptions(), quiet)
    assert (len(files.survey.sources), files.beginning, files.proposal) == (1, None, None)
    assert begun.beginning is not None and begun.proposal is None and begun.time == "column time, ns since 1970"
    assert begun.beginning.names == ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
    assert whole.proposal is not None and whole.proposal.labels == ("sitting", "standing", "walking")
    assert import_dataset(workspace, "table", phone).sessions == whole.sessions == 8
    assert last(phone, length_sec=2.0, overlap=0.5).sessions == pytest.approx(4 * 11, abs=4)


def test_the_choices_are_those_that_the_files_leave(phone: Path):
    preview = last(phone)
    survey = preview.survey
    assert label_ways(survey, keep_whole=False) == ["intervals"]
    assert label_ways(survey, keep_whole=True) == ["intervals", "none"]
    assert subject_ways(survey, "intervals") == ["none"]
    assert time_columns(survey)[:2] == ["time", "seconds_elapsed"]
    assert sample_columns(survey) == ["z", "y", "x"]
    assert preview.beginning is not None
    acceleration, gyroscope = sensors_of(preview.beginning.channels)
    assert units_of(acceleration)[:3] == ["m/s²", "g", "mg"] and units_of(gyroscope) == ["rad/s", "deg/s"]


def test_columns_folders_and_names_are_choices_where_they_tell_something(tmp_path: Path):
    for label in ("walking", "sitting"):
        for who in ("anna", "ben"):
            path = tmp_path / "raw" / label / f"{who}_{label}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = (f"{at / 50},{at % 7},1,2,3,{label},{who},rainy" for at in range(200))
            path.write_text("\n".join(["time,acc_x,acc_y,acc_z,light,activity,user,weather", *rows]))
    survey = last(tmp_path / "raw").survey
    assert label_ways(survey, keep_whole=False)[:1] == ["column:activity"]
    assert {"column:weather", "folder", "file"} <= {*label_ways(survey, keep_whole=False)}
    ways = subject_ways(survey, "column:activity")
    assert ways[0] == "column:user" and ways[-1] == "none" and "folder" in ways
    assert "folder" not in subject_ways(survey, "folder")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_of_a_long_file_its_beginning_alone_is_drawn(
    phone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
):
    monkeypatch.setattr(preview_module, "HEAD_BYTES", 20_000)
    path = tmp_path / f"long.{ending}"
    if ending == "csv":
        path.write_bytes((phone / "Accelerometer.csv").read_bytes())
    else:
        parquet.write_table(pyarrow.csv.read_csv(phone / "Accelerometer.csv"), path)
    preview = last(path, TableForm(label="all:walking"))
    assert preview.beginning is not None and preview.proposal is not None
    assert 0.5 < preview.beginning.end_sec < 20 < preview.proposal.recordings[0].seconds


def test_a_look_is_followed_and_ends_where_it_is_not_wanted_any_more(phone: Path):
    told: list[tuple[int, int]] = []
    list(previews(phone, ImportOptions(), lambda done, total, _: told.append((done, total))))
    assert max(done for done, _ in told) > 0 and all(done <= total for done, total in told)

    def stop(_done: int, _total: int, _what: str) -> None:
        raise ImportStoppedError("stopped")

    with pytest.raises(ImportStoppedError):
        list(previews(phone, ImportOptions(), stop))


def test_what_cannot_be_imported_is_a_sentence_after_what_could_be_seen(tmp_path: Path):
    (tmp_path / "a.csv").write_text("\n".join(["time,acc_x", *(f"{at / 50},{at % 5}" for at in range(200))]))
    seen: list[Preview] = []
    add: Callable[[Preview], None] = seen.append
    with pytest.raises(DatasetError, match="nothing says what was done"):
        for each in previews(tmp_path, ImportOptions(), quiet):
            add(each)
    assert seen[-1].beginning is not None and label_ways(seen[-1].survey, keep_whole=False) == ["file"]
