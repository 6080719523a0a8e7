from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import SensorloomError
from core.storage.memory import recall, remember, update
from core.workspace import Workspace

ADDING = """
import sys
from core.storage.memory import update
from core.storage.splits_file import hold_out
from core.workspace import open_workspace
workspace = open_workspace(sys.argv[1], environ={})
for number in range(int(sys.argv[3])):
    update(workspace, "saved filters", lambda texts: [*texts, f"{sys.argv[2]}{number}"], [])
    hold_out(workspace.root, [f"demo/{sys.argv[2]}{number}"])
"""


def test_two_programs_that_remember_at_once_lose_nothing(workspace: Workspace):
    count = 25
    command = [sys.executable, "-c", ADDING, str(workspace.root)]
    programs = [
        subprocess.Popen([*command, name, str(count)], cwd=Path(__file__).parents[3]) for name in ("a", "b", "c")
    ]
    assert [program.wait() for program in programs] == [0, 0, 0]
    expected = {f"{name}{number}" for name in "abc" for number in range(count)}
    assert set(recall(workspace, "saved filters")) == expected
    held_out = json.loads((workspace.root / "splits.json").read_bytes())["held_out"]
    assert set(held_out) == {f"demo/{name}" for name in expected}


def test_what_older_versions_remembered_is_recalled(workspace: Workspace):
    workspace.private.mkdir()
    path = workspace.private / "memory.json"
    path.write_text('{"_default": {"1": {"key": "saved filters", "value": ["label:\\u00fc"]}}}')
    assert recall(workspace, "saved filters") == ["label:ü"]
    remember(workspace, "last dataset", "demo")
    assert (recall(workspace, "saved filters"), recall(workspace, "last dataset")) == (["label:ü"], "demo")


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"_default": []}', b'{"_default": {"1": 2}}', b"\xff"])
def test_a_damaged_file_is_set_aside_before_anything_is_written(workspace: Workspace, data: bytes):
    workspace.private.mkdir()
    path = workspace.private / "memory.json"
    path.write_bytes(data)
    assert recall(workspace, "a", "nothing") == "nothing" and path.read_bytes() == data, "looking changes nothing"
    remember(workspace, "a", "x\udc80")
    assert recall(workspace, "a") == "x\udc80"
    assert path.with_suffix(".damaged1").read_bytes() == data


def test_a_file_that_cannot_be_read_is_not_written_over(workspace: Workspace):
    path = workspace.private / "memory.json"
    path.mkdir(parents=True)
    assert recall(workspace, "a", 1) == 1
    with pytest.raises(SensorloomError, match=r"memory\.json cannot be read"):
        update(workspace, "a", lambda value: value)
