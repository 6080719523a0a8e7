"""A terminal that goes away, stalls, or is suspended: the program saves and ends, or comes back."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.model.endpoints import choose
from core.runs.batch_live import look
from core.runs.batches import begin_batch, setup_now
from core.runs.job import Job
from tests.fake_server import Answer, fake_server, says
from tests.tui.motion import motion_workspace, new_thread
from tests.tui.terminal.pty_terminal import COMMAND, Terminal

TYPED = "zebrafinch"
TAKES_THE_TERMINAL = b"\x1b[?1049h"


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_terminal(*, controlling: bool = True, environ: dict[str, str] | None = None) -> Terminal:
        opened.append(Terminal("--workspace", str(tmp_path), controlling=controlling, environ=environ))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


def idle(terminal: Terminal) -> None:
    terminal.wait("What is this person doing?")


def editing(terminal: Terminal) -> None:
    idle(terminal)
    terminal.press("2e")
    terminal.wait("save and re-run")
    terminal.press(TYPED)
    terminal.wait(TYPED[-4:])


def proposal(terminal: Terminal) -> None:
    idle(terminal)
    terminal.press("2r")
    terminal.wait("accept", "retry")


def running(terminal: Terminal) -> None:
    idle(terminal)
    terminal.press("2R")
    terminal.wait("stop")


@pytest.mark.parametrize(
    ("state", "controlling"), [(idle, True), (editing, True), (proposal, True), (running, True), (editing, False)]
)
def test_when_the_terminal_goes_away_the_program_saves_and_ends(
    tmp_path: Path, terminals: Callable[..., Terminal], state: Callable[[Terminal], None], controlling: bool
):
    stem = new_thread(motion_workspace(tmp_path)).stem
    with fake_server(Answer(hang_first=True)) as server:
        if state is running:
            settings = f'[[endpoints]]\nname = "slow"\nbase_url = "{server.url}"\n[model]\nendpoint = "slow"\n'
            own = tmp_path / "own" / "sensorloom" / "sensorloom.toml"
            own.parent.mkdir(parents=True)
            own.write_text(settings)
        terminal = terminals(controlling=controlling, environ={"XDG_CONFIG_HOME": str(tmp_path / "own")})
        state(terminal)
        if state is running:
            terminal.until(lambda: server.requests, "the request")
        terminal.hang_up()
        assert terminal.ended() == 0
    drafts = "".join(path.read_text() for path in (tmp_path / ".sensorloom").rglob("drafts/*"))
    assert (TYPED in drafts) == (state is editing)
    assert ("tool_calls" in drafts) == (state is proposal)
    assert json.loads((tmp_path / "threads" / f"{stem}.json").read_text())["id"]
    assert not list(tmp_path.rglob(".sensorloom/log/*"))


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_terminal_that_takes_nothing_any_more_does_not_keep_the_program_from_ending(
    tmp_path: Path, terminals: Callable[..., Terminal], number: signal.Signals
):
    new_thread(motion_workspace(tmp_path))
    terminal = terminals()
    idle(terminal)
    for _ in range(500):  # nobody reads what is drawn at each of these, so the terminal fills up
        terminal.press("12")
    terminal.process.send_signal(number)
    terminal.process.wait(30)


def test_being_stopped_and_continued_from_outside_starts_nothing_anew_and_q_still_leaves(
    tmp_path: Path, terminals: Callable[..., Terminal]
):
    new_thread(motion_workspace(tmp_path))
    terminal = terminals()
    idle(terminal)
    for _ in range(4):
        terminal.process.send_signal(signal.SIGSTOP)
        os.waitpid(terminal.process.pid, os.WUNTRACED)
        terminal.process.send_signal(signal.SIGCONT)
    terminal.press("?")
    terminal.until(lambda: terminal.came("Moving"), "the keys")
    terminal.press("\x1b[27uq")
    assert terminal.ended() == 0
    assert TAKES_THE_TERMINAL not in terminal.written  # each time adds a reader, and a writer


SHELL = """
set -m
"$@"
echo "stopped with $?"
IFS= read -r line
echo "the shell was typed [$line]"
fg > /dev/null
echo "ended with $?"
"""


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_gives_it_back(tmp_path: Path):
    new_thread(motion_workspace(tmp_path))
    terminal = Terminal(str(COMMAND), "--workspace", str(tmp_path), program=("bash", "-c", SHELL, "shell"))
    try:
        idle(terminal)
        terminal.press("\x1a")
        terminal.until(lambda: terminal.came("stopped with"), "the shell")
        assert b"\x1b[?1049l" in terminal.written and b"\x1b[<u" in terminal.written
        terminal.written = b""
        terminal.press("jjj\r")
        terminal.until(lambda: terminal.came("typed [jjj]"), "what was typed to the shell")
        terminal.until(lambda: TAKES_THE_TERMINAL in terminal.written and terminal.came("person doing"), "the screen")
        terminal.written = b""
        terminal.press("?")
        terminal.wait("Moving")
        terminal.press("\x1b[27uq")
        terminal.until(lambda: terminal.came("ended with 0"), "the end")
    finally:
        terminal.close()


def test_a_batch_of_a_screen_that_ctrl_z_suspended_goes_on(tmp_path: Path):
    workspace = motion_workspace(tmp_path)
    new_thread(workspace)
    suspended = threading.Event()

    def answer(_: object) -> Answer:
        while not suspended.wait(0.05) and not server.closing.is_set():
            pass
        return says("It moves.\n\nFinal Answer: walking", 60)

    with fake_server() as server:
        server.answer = answer
        jobs = [Job("motion", session, "What?") for session in ("s01_0", "s02_1")]
        name = begin_batch(workspace, jobs, setup_now(choose(workspace, server.url), parallel=1)).name
        arguments = (str(COMMAND), "--trust", "--workspace", str(tmp_path))
        terminal = Terminal(*arguments, program=("bash", "-c", SHELL, "shell"))
        try:
            idle(terminal)
            terminal.press("5")
            terminal.wait(name)
            terminal.press("r")
            terminal.until(lambda: server.requests, "the request")
            terminal.press("q\x1a")
            terminal.until(lambda: terminal.came("stopped with"), "the shell")
            suspended.set()
            terminal.until(lambda: look(workspace, name).state == "whole", "the end of the batch")
            terminal.press("\r")
            terminal.until(lambda: terminal.came("2 threads made, 1 right"), "what came of it")
            terminal.press("q")
            terminal.until(lambda: terminal.came("ended with 0"), "the end")
        finally:
            terminal.close()


def test_ctrl_z_does_nothing_where_no_shell_could_continue_the_program(
    tmp_path: Path, terminals: Callable[..., Terminal]
):
    new_thread(motion_workspace(tmp_path))
    terminal = terminals()
    idle(terminal)
    terminal.press("\x1a")
    terminal.until(lambda: TAKES_THE_TERMINAL in terminal.written, "the screen")
    terminal.press("?")
    terminal.wait("Moving")
    terminal.press("\x1b[27uq")
    assert terminal.ended() == 0
