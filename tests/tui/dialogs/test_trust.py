"""The question whether a folder may act, asked on the screen when it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.trust import question
from core.workspace import Workspace, open_workspace
from tui.app import SensorloomApp
from tui.dialogs.ask import ChooseScreen


@pytest.fixture
def opened(workspace: Workspace) -> SensorloomApp:
    (workspace.root / "sensorloom.toml").write_text(
        '[[endpoints]]\nname = "theirs"\nbase_url = "http://evil.example/v1"\n'
    )
    return SensorloomApp(open_workspace(str(workspace.root)))


def notices(app: SensorloomApp) -> str:
    return "\n".join(notice.message for notice in app._notifications)  # pyright: ignore[reportPrivateUsage] - public nowhere


async def test_what_the_folder_would_do_is_shown_and_yes_opens_it_anew(
    opened: SensorloomApp, screen: Any, until: Any
) -> None:
    async with opened.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(opened.screen, ChooseScreen))
        await until(pilot, lambda: "sends threads to theirs at http://evil.example/v1" in screen(opened))
        await pilot.press("t")
        await until(pilot, lambda: opened.begins_again)
    assert question(opened.workspace.root) is None


async def test_no_is_kept_and_what_is_ignored_is_said(opened: SensorloomApp, until: Any) -> None:
    async with opened.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(opened.screen, ChooseScreen))
        await pilot.press("n")
        await until(pilot, lambda: "not trusted, so ignored" in notices(opened))
    assert not opened.begins_again
    again = SensorloomApp(open_workspace(str(opened.workspace.root)))
    async with again.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "not trusted, so ignored" in notices(again))
        assert not isinstance(again.screen, ChooseScreen)


async def test_esc_decides_nothing(opened: SensorloomApp, until: Any) -> None:
    async with opened.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(opened.screen, ChooseScreen))
        await pilot.press("escape")
        await until(pilot, lambda: "not trusted, so ignored" in notices(opened))
    undecided = question(opened.workspace.root)
    assert undecided is not None and undecided.answer == ""


async def test_an_ordinary_folder_is_not_asked_about(tmp_path: Path, until: Any) -> None:
    app = SensorloomApp(open_workspace(str(tmp_path)))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: hasattr(app.screen_stack[0], "feed"))
        assert not any(isinstance(screen, ChooseScreen) for screen in app.screen_stack)
