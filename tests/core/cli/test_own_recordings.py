"""A phone's files become a dataset, threads and an export in four commands, as docs/datasets.md has them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from core.cli.commands import run_command
from core.datasets.standard import open_dataset
from core.storage import store, thread_files
from core.workspace import open_workspace
from tests.phone import phone_recording

HAND = re.compile(r"```python\n(import json\n.*?)```", re.DOTALL)
PAGE = Path(__file__).parents[3] / "docs" / "datasets.md"


def test_four_commands_lead_from_a_phones_files_to_an_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    phone_recording(tmp_path / "phone")
    block = re.findall(r"```\n(sensorloom datasets import table phone/.*?)```", PAGE.read_text(), re.DOTALL)[0]
    commands = [shlex.split(line, comments=True)[1:] for line in block.strip().split("\n")]
    assert len(commands) == 4
    for command in commands:
        assert run_command(command) == 0
    told = capsys.readouterr().out
    assert "recorded at 50 Hz, interpolated" in told and "walking 24 s" in told
    workspace = open_workspace(str(tmp_path), environ={})
    dataset = open_dataset(workspace, "phone")
    assert (len(dataset.sessions), {*dataset.subjects.values()}) == (8, {"anna"})
    threads = [store.read(workspace.threads, stem).thread for stem in thread_files.stems(workspace.threads)]
    assert len(threads) == 4 and all(thread.status == "finished" for thread in threads)
    rows = [json.loads(line) for path in workspace.exports.glob("*.jsonl") for line in path.read_text().splitlines()]
    assert sorted(row["id"] for row in rows) == sorted(thread.id for thread in threads)


def test_a_dataset_built_by_hand_after_the_page_holds_is_marked_and_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    example = HAND.search(PAGE.read_text())
    assert example
    exec(example[1], {})
    assert run_command(["datasets", "check", "mine"]) == 0
    assert "2 sessions read, nothing to say" in capsys.readouterr().out
    mark = ["datasets", "mark", "mine", "c", "--from", "30", "--to", "40", "--label", "sitting"]
    assert (
        run_command(mark) == run_command(["datasets", "cut", "mine"]) == run_command(["datasets", "show", "mine"]) == 0
    )
    told = capsys.readouterr().out
    assert "8 sessions of 5 s" in told and "of no recording: 2 sessions, such as a_0001" in told
    assert run_command(["datasets", "check", "mine"]) == 0
    assert "10 sessions read, nothing to say" in capsys.readouterr().out
