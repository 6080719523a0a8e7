"""`sensorloom datasets` as a person and a script use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli.commands import run_command
from core.datasets import staging
from core.workspace import Workspace


def run(workspace: Workspace, *arguments: str) -> int:
    return run_command(["datasets", *arguments, "--workspace", str(workspace.root)])


def test_import_list_check(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "list") == 0
    assert "make one with `sensorloom datasets import demo`" in capsys.readouterr().out
    assert run(workspace, "import", "demo") == 0
    told = capsys.readouterr()
    assert "demo: 420 sessions of 10 subjects in data/demo" in told.out
    assert told.err == ""
    assert list((workspace.private / "features").iterdir())
    assert run(workspace, "list") == 0
    assert capsys.readouterr().out == "demo: 420 sessions of 10 subjects, 6 activities, synthetic\n"
    assert run(workspace, "check", "demo") == 0
    assert capsys.readouterr().out == "demo: 420 sessions read, nothing to say\n"


def test_json_is_one_document(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "import", "demo", "--seed", "3", "--name", "mine", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["dataset"], report["sessions"], report["dropped"]) == ("mine", 420, {})
    assert run(workspace, "list", "--json") == 0
    assert [dataset["name"] for dataset in json.loads(capsys.readouterr().out)] == ["mine"]
    (workspace.data / "mine/sessions/s01_0001/data.parquet").unlink()
    assert run(workspace, "check", "mine", "--json") == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["level"], finding["location"]) == ("error", "sessions/s01_0001/data.parquet")


def test_what_was_left_out_and_replaced_is_said(
    workspace: Workspace, zipped: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join("\t".join(["1.5"] * 23 + [str(int(row >= 20))]) + "\n" for row in range(300)) + "1\t2\n"
    path = str(zipped({"mHealth_subject1.log": rows}))
    assert run(workspace, "import", "mhealth", path) == 0
    capsys.readouterr()
    assert run(workspace, "import", "mhealth", path, "--replace", "--length", "2", "--overlap", "0.5") == 0
    told = capsys.readouterr().out
    assert "mhealth: 4 sessions of 1 subject in" in told
    assert "left out: 20 rows between activities (label 0)" in told
    assert "left out: 1 broken line (other than 24 numbers)" in told
    assert "is kept in data/.mhealth.replaced-" in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "uci_har", "nowhere.zip"), "nowhere.zip does not exist"),
        (("import", "uci"), "there is no importer `uci`; did you mean `uci_har`?"),
        (("import", "demo", "--overlap", "x"), "not a valid float"),
        (("check", "nope"), "there is no dataset 'nope'"),
    ],
)
def test_failures_are_one_line_on_stderr(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert run(workspace, *arguments) != 0
    told = capsys.readouterr()
    assert sentence in told.err
    assert (told.out, told.err.count("\n")) == ("", 1)


def test_an_interrupted_import_says_how_to_go_on(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(folder: Path, session: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(staging, "write_session", interrupted)
    assert run(workspace, "import", "demo") == 130
    assert "the same command goes on from there" in capsys.readouterr().err
    monkeypatch.undo()
    assert run(workspace, "import", "demo") == 0


def test_a_warning_alone_is_no_failure(
    workspace: Workspace, make_dataset: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    make_dataset(sessions={"session_1": {"timestamp_sec": [row / 50 for row in range(9)], "acc_x": list(range(9))}})
    assert run(workspace, "check", "theirs") == 0
    assert capsys.readouterr().out.endswith("theirs: 1 session read, 0 errors, 1 warning\n")


def test_hostile_names_are_printed_harmlessly(
    workspace: Workspace, make_dataset: Callable[..., Path], capsys: pytest.CaptureFixture[str], hostile: str
) -> None:
    folder = make_dataset()
    name = hostile.replace("/", "").replace("\0", "").replace("\ud800", "")
    (folder / "labels.json").write_text(json.dumps({name: [name]}), encoding="utf-8")
    assert run(workspace, "check", "theirs") == 1
    assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(capsys.readouterr().out)
