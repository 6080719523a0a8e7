"""`datasets import table --keep-whole`: recordings stay whole beside their windows, which can be cut anew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from core.cli.commands import run_command
from core.datasets.check import check_dataset
from core.datasets.standard import list_datasets, open_dataset
from core.datasets.whole.marks_file import read_marks
from core.workspace import Workspace

AT = np.arange(50 * 60) / 50
"""A minute at 50 Hz."""
LABEL = np.select([AT < 21.3, AT < 30, AT < 52], ["walking", "", "sitting"], "walking")


def write(path: Path, *, labelled: bool) -> Path:
    path.mkdir(parents=True)
    head = "time,acc_x,acc_y,acc_z" + (",activity" if labelled else "")
    rows = [
        f"{t:.2f},0.1,{np.sin(t):.4f},9.8" + (f",{own}" if labelled else "") for t, own in zip(AT, LABEL, strict=True)
    ]
    (path / "s01.csv").write_text("\n".join([head, *rows]))
    return path


def run(workspace: Workspace, *arguments: str) -> int:
    return run_command(["datasets", *arguments, "--workspace", str(workspace.root)])


def sessions(workspace: Workspace, name: str) -> dict[str, tuple[str, ...]]:
    return dict(open_dataset(workspace, name).labels)


@pytest.mark.parametrize("purity", ["1", "0.7"])
def test_windows_are_cut_anew_as_they_were_imported(workspace: Workspace, tmp_path: Path, purity: str) -> None:
    raw = write(tmp_path / "raw", labelled=True)
    how = ["--length", "4", "--overlap", "0.25", "--min-purity", purity]
    assert run(workspace, "import", "table", str(raw), "--name", "mine", "--keep-whole", *how) == 0
    folder = workspace.data / "mine/recordings/s01_r001"
    assert [(mark.start_sec, mark.end_sec, mark.label) for mark in read_marks(folder).marks.stretches] == [
        (0, pytest.approx(21.29), "walking"), (pytest.approx(29.99), pytest.approx(51.99), "sitting"),
        (pytest.approx(51.99), pytest.approx(59.981), "walking"),
    ]  # fmt: skip
    whole = parquet.read_table(folder / "data.parquet")
    np.testing.assert_allclose(whole.column("timestamp_sec"), AT, atol=1e-9)
    assert whole.column_names == ["timestamp_sec", "acc_x", "acc_y", "acc_z"]
    imported, dropped = sessions(workspace, "mine"), json.loads((workspace.data / "mine/import.json").read_text())
    assert imported and dropped["dropped"]["rows without a label"] == 435
    assert open_dataset(workspace, "mine").subjects["s01_r001"] == "s01"
    assert run(workspace, "cut", "mine", *how) == 0
    assert sessions(workspace, "mine") == imported


def test_a_recording_without_a_label_is_kept_to_be_marked(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = write(tmp_path / "raw", labelled=False)
    assert run(workspace, "import", "table", str(raw), "--name", "bare") != 0
    assert "mark it yourself: --keep-whole" in capsys.readouterr().err
    assert run(workspace, "import", "table", str(raw), "--name", "bare", "--keep-whole") == 0
    assert "1 recording kept whole, such as s01_r001" in capsys.readouterr().out
    (info,) = (info for info in list_datasets(workspace) if info.name == "bare")
    assert (info.problem, info.sessions) == ("", 0)
    assert not check_dataset(workspace, "bare").errors
    assert run(workspace, "mark", "bare", "s01_r001", "--from", "3", "--to", "20", "--label", "walking") == 0
    assert run(workspace, "cut", "bare") == 0
    assert {labels[0] for labels in sessions(workspace, "bare").values()} == {"walking"}
