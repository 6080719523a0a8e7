"""A table that is being made is told of in the bottom line, and keys are taken meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from core.datasets.table_news import TableNews, teller
from core.workspace import Workspace
from tests.tui.driving import opened
from tests.tui.motion import until
from tui.screens import tables_under_way
from tui.screens.main import MainScreen


def bottom(screen: MainScreen) -> str:
    return screen.key_bar.render_line(0).text


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_bottom_line_says_how_far_a_table_is(
    workspace: Workspace, add_thread: Callable[..., str], monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
):
    add_thread(1)
    monkeypatch.setattr(tables_under_way, "LEAST_SEC", 0)
    monkeypatch.setattr(tables_under_way, "AGAIN_SEC", 0)
    async with opened(workspace, size) as (pilot, screen):
        keys, tell = bottom(screen), teller()
        await asyncio.to_thread(tell, TableNews("uci_har", "features", 940, 3760))
        await until(pilot, lambda: "computing the features of uci_har 25%" in bottom(screen))
        assert bottom(screen).rstrip().endswith("quit") and len(bottom(screen)) == size[0]
        await pilot.press("1")
        await until(pilot, lambda: screen.listed.has_focus)
        await asyncio.to_thread(tell, TableNews("uci_har", "features", 0, 3760, elsewhere=True))
        await until(pilot, lambda: "waiting for another sensorloom" in bottom(screen))
        await asyncio.to_thread(tell, TableNews("uci_har", "features", 3760, 3760))
        await pilot.press("2")
        await until(pilot, lambda: bottom(screen) == keys)
