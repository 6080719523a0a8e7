"""Output that cannot be written: the action stands, and nothing shows a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli.output import UNWRITTEN
from core.storage import store
from core.thread.value import Thread
from core.workspace import Workspace, open_workspace

REPO = Path(__file__).parents[3]
STEM = "lab_s1_v4_0001"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One thread whose question no Latin-1 terminal can show."""
    workspace = open_workspace(str(tmp_path), environ={})
    about = {"dataset": "lab", "session": "s1", "ground_truth": "walking", "user_query": "Was läuft? → ✓"}
    message = {"role": "user", "content": "User Query: Was läuft? → ✓"}
    store.create(workspace.threads, Thread({"id": STEM, "metadata": about, "messages": [message]}))
    return workspace


def shell(workspace: Workspace, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """What a shell does with a line in which `sensorloom` stands for the command."""
    command = f"'{sys.executable}' -m tui"
    return subprocess.run(
        ["bash", "-c", line.replace("sensorloom", command).replace("WORKSPACE", f"--workspace '{workspace.root}'")],
        capture_output=True,
        text=True,
        encoding="latin-1",
        cwd=REPO,
        env={**os.environ, **environ},
        check=False,
    )


def verdict(workspace: Workspace) -> object:
    review = store.read(workspace.threads, STEM).thread.metadata.get("review")
    return review["verdict"] if isinstance(review, dict) else None


@pytest.mark.parametrize("asked", ["", " --json"])
def test_a_full_disk_is_said_and_the_action_stands(workspace: Workspace, asked: str) -> None:
    done = shell(workspace, f"sensorloom verdict accept {STEM} WORKSPACE{asked} > /dev/full")
    assert done.stderr == "sensorloom: done, but the output could not be written: no space left on device\n"
    assert done.returncode == UNWRITTEN
    assert verdict(workspace) == "accept"


def test_the_help_into_a_full_disk_is_one_line_too(workspace: Workspace) -> None:
    done = shell(workspace, "sensorloom --help > /dev/full")
    assert done.stderr.count("\n") == 1 and "could not be written" in done.stderr


def test_a_reader_that_left_is_no_failure(workspace: Workspace) -> None:
    done = shell(workspace, "sensorloom show " + STEM + " WORKSPACE --json | true; exit ${PIPESTATUS[0]}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full", ">/dev/full 2>&1"])
def test_closed_and_full_streams_stop_no_action(workspace: Workspace, closed: str) -> None:
    done = shell(workspace, f"sensorloom verdict accept {STEM} WORKSPACE {closed}")
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
    assert done.returncode in (0, UNWRITTEN)
    assert verdict(workspace) == "accept"


def test_the_program_itself_without_an_input_says_that_there_is_no_terminal(workspace: Workspace) -> None:
    done = shell(workspace, "sensorloom WORKSPACE <&-")
    assert done.returncode == 2 and "no terminal" in done.stderr and "Traceback" not in done.stderr


def test_characters_that_a_terminal_has_not_are_written_as_escapes(workspace: Workspace) -> None:
    done = shell(workspace, f"sensorloom show {STEM} WORKSPACE", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Was läuft? \\u2192 \\u2713" in done.stdout
    done = shell(workspace, f"sensorloom show {STEM} WORKSPACE --json", PYTHONIOENCODING="latin-1")
    assert json.loads(done.stdout)
