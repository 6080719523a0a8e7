from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from core.cli.commands import COMMANDS, run_command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_explains_itself(name: str, capsys: pytest.CaptureFixture[str]):
    assert run_command([name, "--help"]) == 0
    told = capsys.readouterr()
    assert "Usage: sensorloom" in told.out and not told.err


def test_a_wrong_command_is_one_line_with_the_nearest_right_one(capsys: pytest.CaptureFixture[str]):
    assert run_command(["exprot"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1 and "`export`" in told.err


def test_a_failing_command_with_json_prints_one_document_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert run_command(["run", "--dataset", "none", "--json", "--workspace", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert told.err == f"sensorloom: {json.loads(told.out)['error']}\n" and "'none'" in told.err


def test_a_group_without_a_command_names_its_commands_in_one_line(capsys: pytest.CaptureFixture[str]):
    assert run_command(["datasets"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    start, _, names = told.rstrip("\n").partition(" after it: ")
    assert start == "sensorloom: `sensorloom datasets` needs one of these"
    assert {"check", "import", "list", "show"} <= set(names.split(", "))


def test_what_nobody_thought_of_is_one_line_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    module = SimpleNamespace(command=click.Command("broken", callback=broken))
    monkeypatch.setitem(COMMANDS, "broken", "a command that fails")
    monkeypatch.setitem(sys.modules, "core.cli.broken", module)
    monkeypatch.delenv("SENSORLOOM_TRACEBACK", raising=False)
    assert run_command(["broken"]) == 1
    told = capsys.readouterr()
    assert told.err.count("\n") == 1 and "RuntimeError: two lines" in told.err
    monkeypatch.setenv("SENSORLOOM_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        run_command(["broken"])


def test_filters_are_listed_kept_under_a_name_used_and_forgotten(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    where = ["--workspace", str(tmp_path)]

    def told(*arguments: str) -> str:
        assert run_command([*arguments, *where]) == 0
        return capsys.readouterr().out

    assert "call(compute_spectrum error)" in told("filters")
    told("filters", "save", "hard", "-verdict:reject", "correct:false OR turns>8")
    assert "-verdict:reject correct:false OR turns>8" in told("filters")
    assert json.loads(told("filters", "--json"))["saved"][0]["name"] == "hard"
    assert told("list", "--filter", "saved:hard").startswith("0 of 0 threads")
    told("filters", "forget", "hard")
    assert run_command(["filters", "save", "worse", "statu:active", *where]) == 1
    assert "did you mean `status`?" in capsys.readouterr().err


def test_a_goal_is_set_told_and_cleared(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    where = ["--workspace", str(tmp_path)]

    def told(*arguments: str) -> str:
        assert run_command([*arguments, *where]) == 0
        return capsys.readouterr().out

    assert "goal set total=100 label=10" in told("goal")
    assert told("goal", "set", "total=100", "label=10") == "goal: total=100 label=10 calls=2 path=30 right=1\n"
    assert json.loads(told("goal", "--json"))["total"] == 100
    assert told("goal", "propose").startswith("accepted 0 of 100")
    told("goal", "clear")
    assert run_command(["goal", "propose", *where]) == 1
    assert "no goal is set" in capsys.readouterr().err
    # which was set where the command was typed
    assert run_command(["goal", *where, "set", "total=5"]) == 2
    assert "`set` goes first: `sensorloom goal set --workspace …`" in capsys.readouterr().err
