"""The frame of the main screen: where keys go, told without painting the panes again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.widget import Widget

from core.workspace import Workspace
from tests.tui.driving import opened
from tests.tui.motion import on_screen, until
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
        await pilot.press("slash")
        await until(pilot, lambda: bold_titles(screen) == ["threads-pane"])


async def test_the_cursor_tells_whether_keys_move_it(workspace: Workspace, add_thread: Add):
    add_thread(1)
    async with opened(workspace) as (pilot, screen):
        waiting = [segment.style for segment in screen.listed.render_line(0)]
        await pilot.press("1")
        await until(pilot, lambda: screen.listed.has_focus)
        assert [segment.style for segment in screen.listed.render_line(0)] != waiting


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
