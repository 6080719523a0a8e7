"""The commands of docs/recording.md work as they stand, by standard input and by file."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from core.cli.commands import run_command
from core.datasets.standard import open_dataset
from core.workspace import Workspace

PAGE = Path(__file__).parents[3] / "docs" / "recording.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_pages_commands_record(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    rows = workspace.root / "rows.csv"
    rows.write_text("\n".join(["t,acc_x,acc_y,acc_z", *(f"{n / 20},0.1,0.2,9.8" for n in range(220))]) + "\n")
    monkeypatch.chdir(workspace.root)
    lines = [line for block in BLOCK.findall(PAGE.read_text()) for line in block.splitlines()]
    assert len(lines) == 2
    for line in lines:
        words = shlex.split(line.split("  #")[0].replace("--idle 1", "--idle 0.1"))
        with rows.open() as piped:
            monkeypatch.setattr("sys.stdin", piped)
            if "<" in words:
                words = words[: words.index("<")]
            assert run_command([*words[1:], "--workspace", str(workspace.root)]) == 0
    dataset = open_dataset(workspace, "walk")
    assert len(dataset.sessions) == 4 and dataset.activities == ("walking",)
