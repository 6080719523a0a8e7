"""A folder of somebody else's may hold a pipe where a file is looked for: nobody waits for what never comes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core import curate
from core.curate import delete
from core.files import read_regular_file
from core.storage import store
from core.workspace import open_workspace

COMMAND = Path(sys.executable).with_name("sensorloom")
DEADLINE_SECONDS = 60


def test_a_pipe_and_a_device_are_refused_and_a_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"text")
    assert read_regular_file(tmp_path / "file") == b"text"
    for name in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            read_regular_file(name)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sensorloom.toml", ["list"]),
        ("sensorloom_tools.py", ["tools"]),
        ("exports/old.manifest.json", ["export", "--status"]),
        ("splits.json", ["export", "--status"]),
        ("data/theirs/manifest.json", ["datasets", "list"]),
        (".sensorloom/memory.json", ["filters", "forget", "x"]),
        (".sensorloom/history/a.log", ["history"]),
        (".sensorloom/index.cache", ["list"]),
        (".sensorloom/exported.cache", ["export", "--status"]),
    ],
)
def test_a_pipe_in_a_workspace_holds_up_no_command(tmp_path: Path, name: str, arguments: list[str]) -> None:
    for folder in ("threads", "exports", "data/theirs/sessions", ".sensorloom/history"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    os.mkfifo(tmp_path / name)
    done = subprocess.run(
        [str(COMMAND), *arguments, "--workspace", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert "Traceback" not in done.stderr and "unexpected" not in done.stderr


def test_a_deletion_that_a_pipe_was_left_out_of_can_be_undone(tmp_path: Path) -> None:
    workspace = open_workspace(str(tmp_path), environ={})
    workspace.threads.mkdir(parents=True)
    (workspace.threads / "half.json").write_bytes(b"{")
    os.mkfifo(workspace.threads / "pipe.json")
    assert delete(workspace, ["half", "pipe"]).problems
    with pytest.raises(store.ConflictError, match="not a regular file"):
        store.present(workspace.threads, "pipe")  # which is what undo looks at, of every thread of the step
    assert curate.undo_latest(workspace).stems == ("half",)
    assert (workspace.threads / "half.json").read_bytes() == b"{"
