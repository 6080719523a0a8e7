"""Tables as programs and people really write them: quotes, other letters, damage, numbers that cannot be."""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.cli.commands import run_command
from core.datasets import archive
from core.datasets.standard import open_dataset
from core.text import reason_counted
from core.workspace import Workspace

HEAD = "time,acc_x,acc_y,acc_z,label"


def rows(walk: str = "walk", sit: str = "sit", count: int = 600) -> list[str]:
    """Rows of 50 Hz, the first half of one label."""
    return [f"{n / 50:.2f},0.1,{n % 7 / 100},1.0,{walk if n < count / 2 else sit}" for n in range(count)]


@pytest.fixture
def imported(workspace: Workspace, tmp_path: Path) -> Callable[..., int]:
    """Import a table, or a file or folder that is there."""

    def run(what: list[str] | Path, *options: str, head: str = HEAD) -> int:
        path = what if isinstance(what, Path) else tmp_path / "raw.csv"
        if not isinstance(what, Path):
            path.write_text("\n".join([head, *what]), encoding="utf-8", newline="")
        own = ["--name", "mine", "--workspace", str(workspace.root)]
        return run_command(["datasets", "import", "table", str(path), *own, *options])

    return run


def labels(workspace: Workspace) -> set[str]:
    return {own[0] for own in open_dataset(workspace, "mine").labels.values()}


@pytest.mark.parametrize(
    ("walk", "sit", "known"),
    [
        ('"walk, fast"', "sit", {"walk, fast", "sit"}),
        ('"walk\nfast"', ' "sit"', {"walk fast", "sit"}),
        ("wa\u2028lk", "si\x0ct", {"wa\u2028lk", "si\x0ct"}),
    ],
)
def test_labels_hold_separators_ends_of_lines_and_letters_that_are_none(
    workspace: Workspace, imported: Callable[..., int], walk: str, sit: str, known: set[str]
) -> None:
    assert imported(rows(walk, sit)) == 0
    assert labels(workspace) == known


def test_a_quote_that_nobody_closed_costs_its_line_alone(
    workspace: Workspace, imported: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows()
    table[550] = table[550].replace("sit", '"sit')
    assert imported(table, "--length", "1") == 0
    assert "1 line with a quote that is not closed" in capsys.readouterr().out
    assert len(open_dataset(workspace, "mine").sessions) == 12


def test_a_label_that_comes_later_leaves_the_cells_before_it_empty(
    workspace: Workspace, imported: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported(rows("", "sit"), "--length", "2") == 0
    assert "without a label 6 s" in capsys.readouterr().out and labels(workspace) == {"sit"}
    ended = [f"{row}," for row in rows()]
    assert imported(ended, "--replace") == 0 and labels(workspace) == {"walk", "sit"}


def test_a_short_recording_whose_clock_jumps_back_is_a_session_for_each_part(
    workspace: Workspace, imported: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows("walk", "walk")
    assert imported([*table[:300], *table[100:320], *table[500:505]]) == 0
    assert "left out: 5 rows too few for a session, beside a gap" in capsys.readouterr().out
    data = open_dataset(workspace, "mine")
    assert [len(data.load(session).time_sec) for session in data.sessions] == [300, 220]
    assert all((np.diff(data.load(session).time_sec) > 0).all() for session in data.sessions)


def test_a_folder_whose_name_holds_the_end_of_a_line_is_a_label_on_one(
    workspace: Workspace, imported: Callable[..., int], tmp_path: Path
) -> None:
    for name in ("slow\nwalk", "sit"):
        (tmp_path / "raw" / name).mkdir(parents=True)
        (tmp_path / "raw" / name / "a.csv").write_text("\n".join([HEAD[:-6], *(r[:-4] for r in rows("abc", "abc"))]))
    assert imported(tmp_path / "raw") == 0
    assert labels(workspace) == {"slow walk", "sit"}


def test_hidden_copies_of_recordings_are_left_out_and_counted(
    workspace: Workspace, imported: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.csv", ".ipynb_checkpoints/a-checkpoint.csv", "b/.c.csv"):
        (tmp_path / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / name).write_text("\n".join([HEAD, *rows()]))
    assert imported(tmp_path / "raw") == 0
    assert "left out: 2 hidden files" in capsys.readouterr().out
    assert len(open_dataset(workspace, "mine").sessions) == 2


def test_what_is_left_out_once_is_told_as_one() -> None:
    assert reason_counted(1, "files that are no tables") == "1 file that is no table"
    assert reason_counted(2, "files that are no tables") == "2 files that are no tables"
    assert reason_counted(1, "copies of sessions that are not whole") == "1 copy of sessions that is not whole"
    assert reason_counted(1, "windows with too few rows") == "1 window with too few rows"


def test_a_cell_of_megabytes_is_a_cell(workspace: Workspace, imported: Callable[..., int]) -> None:
    table = rows()
    table[300] += "w" * 3_000_000
    assert imported(table) == 0


def test_letters_behind_a_beginning_of_plain_ascii_are_read_as_what_they_are(
    workspace: Workspace, imported: Callable[..., int], tmp_path: Path
) -> None:
    path = tmp_path / "raw.csv"
    path.write_bytes("\n".join([HEAD, *rows("stehen", "Übung", 20_000)]).encode("cp1252"))
    assert imported(path) == 0
    assert labels(workspace) == {"stehen", "Übung"}


def test_a_thousand_with_a_point_is_not_read_as_one(
    workspace: Workspace, imported: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    table = [
        f"{20 * n};600,1;{'1.234' if n == 40 else '512,25'};600,0;{'walk' if n < 300 else 'sit'}" for n in range(600)
    ]
    assert imported(table, head="time_ms;acc_x;acc_y;acc_z;label") == 0
    assert "1 cell of acc_y that is no number" in capsys.readouterr().out
    data = open_dataset(workspace, "mine")
    least = min(float(np.nanmin(data.load(session).values)) for session in data.sessions)
    assert least == pytest.approx(512.25)


def test_numbers_that_no_session_can_store_are_left_out_and_told(
    workspace: Workspace, imported: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows()
    table[7] = "0.14,1e308,inf,1.0,walk"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert imported(table) == 0
    told = capsys.readouterr().out
    assert "1 cell of acc_x that is too large" in told and "1 cell of acc_y that is too large" in told


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_moment_that_no_clock_counts_is_a_sentence(
    imported: Callable[..., int], capsys: pytest.CaptureFixture[str], year: str
) -> None:
    assert imported([f"{year}-01-01T00:00:{n / 50:06.3f}Z,0.1,0.2,1.0,walk" for n in range(600)]) == 1
    assert "is before 1678 or after 2261" in capsys.readouterr().err


def test_a_time_that_never_rises_is_said_to(imported: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(rows()[::-1]) == 1
    assert "column time does not rise from row to row" in capsys.readouterr().err


def test_a_damaged_parquet_file_is_said_to_be_and_not_to_have_no_rows(
    imported: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "run.csv").write_text("\n".join([HEAD, *rows()]))
    (folder / "other.parquet").write_bytes(b"PAR1 and then nothing")
    assert imported(folder) == 0
    assert "left out: 1 file that cannot be read, damaged or no table (other.parquet)" in capsys.readouterr().out
    (folder / "run.csv").unlink()
    assert imported(folder, "--replace") == 1
    assert "other.parquet: cannot be read: Parquet" in capsys.readouterr().err


def test_an_archive_of_tables_is_held_to_what_every_archive_is(
    imported: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join([HEAD, *rows()])
    path = tmp_path / "raw.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("run.csv", text)
    whole = path.read_bytes()
    path.write_bytes(whole[:60] + b"\xff" * 140 + whole[200:])
    assert imported(path) == 1
    assert "run.csv cannot be unpacked, it is damaged" in capsys.readouterr().err
    path.write_bytes(whole)
    with monkeypatch.context() as small:
        small.setattr(archive, "MAX_UNPACKED", 1000)
        assert imported(path) == 1
    assert "would unpack to" in capsys.readouterr().err
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as packed:
        packed.write(path, "inner.zip")
    assert imported(tmp_path / "outer.zip") == 0
    with pytest.warns(UserWarning), zipfile.ZipFile(path, "a") as packed:
        packed.writestr("run.csv", text)
    assert imported(path, "--replace") == 1
    assert "run.csv is there twice" in capsys.readouterr().err


def test_a_name_whose_bytes_are_no_text_stops_nothing(
    workspace: Workspace, imported: Callable[..., int], tmp_path: Path
) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    try:
        (folder / os.fsdecode(b"s1_\xff.csv")).write_text("\n".join([HEAD, *rows()]))
    except OSError:
        pytest.skip("this file system takes names of text alone")
    assert imported(folder) == 0
    assert labels(workspace) == {"walk", "sit"}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", '[{"annotations": [{"result": [{"value": 5}]}]}]', "a.json: its labels cannot be read"),
        ("labels.csv", "start,end,label\n0,5,walk\n7,6,sit\n", "labels.csv: row 2 ends before it begins"),
        ("labels.csv", "start,end,label\n0,5,walk\nsoon,9,sit\n", "row 2 has no time in start but 'soon'; write it"),
    ],
)
def test_labels_that_are_none_are_a_sentence(
    imported: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, told: str
) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "a.csv").write_text("\n".join(line.rpartition(",")[0] for line in [HEAD, *rows()]))
    (folder / name).write_text(text)
    assert imported(folder) == 1
    assert told in capsys.readouterr().err
