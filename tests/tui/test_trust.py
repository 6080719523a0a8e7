"""The question whether a folder may act, asked on the screen before it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.trust import question
from core.workspace import Workspace, open_workspace
from tests.tui.terminal.pty_terminal import Terminal
from tui.app import SensorloomApp
from tui.trust import LATER, TrustApp

SETTINGS = '[[endpoints]]\nname = "theirs"\nbase_url = "http://evil.example/v1"\n'


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    """A workspace that names an endpoint."""
    (workspace.root / "sensorloom.toml").write_text(SETTINGS)
    return workspace.root


@pytest.mark.parametrize(("key", "answer"), [("t", "t"), ("n", "n"), ("escape", LATER)])
async def test_what_the_folder_would_do_is_shown_and_one_key_answers(
    folder: Path, screen: Any, until: Any, key: str, answer: str
) -> None:
    undecided = question(folder)
    assert undecided is not None
    app = TrustApp(undecided)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "sends threads to theirs at http://evil.example/v1" in screen(app))
        await pilot.press(key)
        await until(pilot, lambda: app.return_value is not None)
    assert app.return_value == answer


async def test_what_is_ignored_is_said_in_the_program(folder: Path, add_thread: Any, screen: Any, until: Any) -> None:
    add_thread(1)
    app = SensorloomApp(open_workspace(str(folder)))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: "not trusted, so ignored" in screen(app))


def test_it_is_asked_once_in_a_terminal_and_trusted_by_a_key_or_by_option(folder: Path) -> None:
    for press, options in (("n", ()), ("", ("--trust",))):
        terminal = Terminal("--workspace", str(folder), *options)
        try:
            if press:
                terminal.wait("trust this folder?")
                terminal.press(press)
            terminal.wait("welcome to sensorloom")
            assert (question(folder) is None) is bool(options)
        finally:
            terminal.close()
