"""The frame of the main screen: where keys go, told without painting the panes again."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.widget import Widget

from core.workspace import Workspace
from tests.tui.driving import opened
from tests.tui.motion import on_screen, until
from tui.screens import imported_ahead
from tui.screens.help import HelpScreen, HelpView
from tui.widgets.line_view import LineView
from tui.widgets.pane import Pane

Add = Callable[..., str]


def bold_titles(screen: Widget) -> list[str]:
    """The panes whose title is drawn bold."""
    return [
        str(pane.id)
        for pane in screen.query(Pane)
        if any("bold" in str(span.style) for span in (pane._border_title.spans if pane._border_title else ()))  # pyright: ignore[reportPrivateUsage] - as it is drawn
    ]


async def test_the_title_of_the_pane_that_keys_go_to_is_bold(workspace: Workspace, add_thread: Add):
    add_thread(1)
    async with opened(workspace) as (pilot, screen):
        await pilot.press("2")
        await until(pilot, lambda: bold_titles(screen) == ["conversation-pane"])
        await pilot.press("1", "slash")
        await until(pilot, lambda: bold_titles(screen) == ["threads-pane"])


async def test_the_cursor_tells_whether_keys_move_it(workspace: Workspace, add_thread: Add):
    add_thread(1)
    async with opened(workspace) as (pilot, screen):
        waiting = [segment.style for segment in screen.listed.render_line(0)]
        await pilot.press("1")
        await until(pilot, lambda: screen.listed.has_focus)
        assert [segment.style for segment in screen.listed.render_line(0)] != waiting


@pytest.mark.every_frame
async def test_going_to_another_pane_draws_no_line_of_a_pane_again(
    workspace: Workspace, add_thread: Add, monkeypatch: pytest.MonkeyPatch
):
    add_thread(1)
    drawn: list[int] = []
    plain = LineView.render_line

    def counted(self: Any, y: int) -> Any:
        drawn.append(y)
        return plain(self, y)

    async with opened(workspace) as (pilot, _screen):
        await until(pilot, lambda: "no dataset" in on_screen(pilot.app))
        await pilot.press("tab", "tab", "tab")  # what comes late with the first look is drawn
        await pilot.pause()
        monkeypatch.setattr(LineView, "render_line", counted)
        for _ in range(3):
            await pilot.press("tab")
        await pilot.pause()
        assert drawn == []


@pytest.mark.every_frame
async def test_what_changes_below_a_dialog_is_shown_without_painting_the_rest(
    workspace: Workspace, add_thread: Add, monkeypatch: pytest.MonkeyPatch
):
    add_thread(1)
    painted: list[str] = []

    def counting(name: str) -> Callable[..., Any]:
        paint = getattr(Compositor, name)

        def counted(self: Any, *arguments: Any, **named: Any) -> Any:
            if (update := paint(self, *arguments, **named)) is not None:
                painted.append(name)
            return update

        return counted

    async with opened(workspace) as (pilot, main):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen) and "─ help ─" in on_screen(pilot.app))
        add_thread(2)
        await until(pilot, lambda: main.listed.count == 2)
        await pilot.pause()
        for name in ("render_full_update", "render_partial_update"):
            monkeypatch.setattr(Compositor, name, counting(name))
        for number in range(3, 6):
            add_thread(number)
            await until(pilot, lambda number=number: main.listed.count == number)
            await pilot.pause()
        await until(pilot, lambda: painted)
        assert set(painted) == {"render_partial_update"}


@pytest.mark.every_frame
async def test_what_changes_in_a_dialog_is_painted_though_something_below_changes_with_it(
    workspace: Workspace, add_thread: Add, monkeypatch: pytest.MonkeyPatch
):
    add_thread(1)
    drawn: set[str] = set()
    plain = LineView.render_line

    def noted(self: Any, y: int) -> Any:
        strip = plain(self, y)
        drawn.add(strip.text.strip())
        return strip

    async with opened(workspace) as (pilot, main):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen) and "─ help ─" in on_screen(pilot.app))
        view = pilot.app.screen.query_one(HelpView)
        monkeypatch.setattr(LineView, "render_line", noted)
        for steps in range(24):  # of the loop, until the one below changes too
            view.put([((f"after {steps}", "text"),)])
            for _ in range(steps):
                await asyncio.sleep(0)
            main.listed.refresh_lines(0, 1)
            await until(pilot, lambda text=f"after {steps}": text in drawn)


async def test_screens_that_take_long_to_import_are_there_before_their_keys_and_not_imported_where_keys_are_taken(
    workspace: Workspace, add_thread: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "slow_screen.py").write_text("import threading\nIMPORTED_BY = threading.current_thread()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(imported_ahead, "SLOW_SCREENS", (*imported_ahead.SLOW_SCREENS, "slow_screen"))
    add_thread(1)
    async with opened(workspace) as (pilot, _):
        await until(pilot, lambda: hasattr(sys.modules.get("slow_screen"), "IMPORTED_BY"))
        assert sys.modules.pop("slow_screen").IMPORTED_BY is not threading.main_thread()
