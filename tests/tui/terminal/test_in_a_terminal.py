"""The installed command in a real pseudo-terminal."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.motion import motion_workspace, new_thread
from tests.tui.terminal.pty_terminal import COMMAND, DEADLINE_SECONDS, Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal("--workspace", str(tmp_path))
    yield opened
    opened.close()


def test_demo_new_thread_run_and_export_by_keys(tmp_path: Path, terminal: Terminal):
    terminal.wait("welcome to sensorloom")
    terminal.press("\r")
    terminal.wait("sessions imported")
    terminal.press("nR")
    terminal.wait("Final Answer:")
    [path] = (tmp_path / "threads").glob("*.json")
    stem = path.stem
    terminal.until(lambda: json.loads(path.read_text())["metadata"]["status"] == "finished", "the answer on the disk")
    finished = subprocess.run(
        [str(COMMAND), "list", "--workspace", str(tmp_path), "--filter", "status:finished", "--json"],
        capture_output=True,
        check=True,
    )
    assert [row["stem"] for row in json.loads(finished.stdout)] == [stem]
    terminal.press("x")
    terminal.until(lambda: terminal.came("training_data_openai_") or terminal.came("answer wrong"), "the export")
    if terminal.came("answer wrong"):  # the analyst is not always right, and x asks then
        terminal.press("x")
    terminal.wait("training_data_openai_")
    terminal.press("q")
    terminal.wait("R run to end")
    terminal.press("q")
    assert terminal.ended() == 0
    (exported,) = (tmp_path / "exports").glob("training_data_openai_*.jsonl")
    assert [json.loads(line)["id"] for line in exported.read_text().splitlines()] == [stem]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_hang_up_restores_the_screen_and_ends_with_0(terminal: Terminal, number: signal.Signals):
    terminal.wait("welcome to sensorloom")
    terminal.process.send_signal(number)
    assert terminal.ended() == 0
    assert b"\x1b[?1049l" in terminal.written


def test_an_idle_app_sends_nothing(terminal: Terminal):
    terminal.wait("welcome to sensorloom")
    quiet = 0
    deadline = time.monotonic() + DEADLINE_SECONDS
    while quiet < 10 and time.monotonic() < deadline:
        before = len(terminal.written)
        terminal.read(0.1)
        quiet = quiet + 1 if len(terminal.written) == before else 0
    assert quiet == 10


def test_without_a_terminal_it_says_so_and_names_the_commands(tmp_path: Path):
    done = subprocess.run([str(COMMAND), "--workspace", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "no terminal" in done.stderr and "export" in done.stderr and "datasets" in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_terminal_and_no_traceback(tmp_path: Path, closed: str):
    shell = ["sh", "-c", f'"$0" --workspace "$1" {closed}', str(COMMAND), str(tmp_path)]
    done = subprocess.run(shell, capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr


COLOUR = re.compile(r"\x1b\[(?:[\d;]*;)?(?:[34]8|3[0-7]|4[0-7]|9[0-7]|10[0-7])(?:;[\d;]*)?m")
DIRECT_COLOUR = re.compile(r"[34]8;[25];")
REVERSE = re.compile(r"\x1b\[(?:\d;)*7[;m]")


@pytest.mark.parametrize(
    ("environ", "never"),
    [({"NO_COLOR": "1", "COLORTERM": "truecolor"}, COLOUR), ({"TERM": "xterm"}, DIRECT_COLOUR)],
    ids=["no colours wanted", "sixteen colours"],
)
def test_with_few_colours_or_none_the_cursor_and_the_marks_are_seen(
    tmp_path: Path, environ: dict[str, str], never: re.Pattern[str]
):
    new_thread(motion_workspace(tmp_path))
    opened = Terminal("--workspace", str(tmp_path), environ=environ)
    try:
        opened.until(lambda: opened.came("What is this person doing?"), "the thread")
        opened.press("m")
        opened.until(lambda: opened.came("1 marked") and opened.came("■"), "the mark")
        written = opened.written.decode()
        assert REVERSE.search(written) and not never.search(written)
    finally:
        opened.close()


def test_a_wrong_setting_is_one_line_not_a_screen(tmp_path: Path):
    (tmp_path / "sensorloom.toml").write_text('[keys]\n"turn.rum" = "f5"\n')
    terminal = Terminal("--workspace", str(tmp_path))
    try:
        assert terminal.ended() == 1
        assert "did you mean `turn.run`" in terminal.text and "Traceback" not in terminal.text
    finally:
        terminal.close()


BROKEN = """
import sys
from tui.{module} import {name}
async def broken(*_): raise ValueError("no such thing")
def broken_too(*_): raise ValueError("no such thing")
{name}.{method} = broken if "{method}" == "_fill" else broken_too
from tui.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("module", "name", "method"),
    [("screens.main", "MainScreen", "_fill"), ("app", "SensorloomApp", "get_default_screen")],
)
@pytest.mark.mishaps
def test_a_crash_gives_the_terminal_back_and_says_one_line(tmp_path: Path, module: str, name: str, method: str):
    code = BROKEN.format(module=module, name=name, method=method)
    opened = Terminal("--workspace", str(tmp_path), program=(sys.executable, "-c", code))
    try:
        assert opened.ended() == 1
        deadline = time.monotonic() + DEADLINE_SECONDS
        while "details are in" not in opened.text and time.monotonic() < deadline:
            opened.read(0.05)
        assert "Traceback" not in opened.text
        sentences = [line for line in opened.text.splitlines() if "sensorloom: something went wrong" in line]
        assert len(sentences) == 1 and "ValueError: no such thing" in sentences[0] and "sensorloom.log" in sentences[0]
        assert b"\x1b[?1049h" not in opened.written or b"\x1b[?1049l" in opened.written
        assert "Traceback" in (tmp_path / ".sensorloom" / "log" / "sensorloom.log").read_text()
    finally:
        opened.close()
