from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from core.workspace import Workspace
from tests.tui.conftest import Until
from tests.tui.driving import opened


async def test_similar_threads_are_listed_the_nearest_first_until_esc(
    workspace: Workspace, until: Until, add_thread: Callable[..., str], screen: Callable[[App[Any]], str]
):
    first = add_thread(1)
    for number in (2, 3):
        add_thread(number, answer="sitting", messages=number)
    async with opened(workspace, (80, 24)) as (pilot, main):
        main.parts.arranging.go_to(first)
        await pilot.press("1", "slash", *"status:finished", "enter")
        await until(pilot, lambda: len(main.parts.arranging.shown) == 3)
        await pilot.press("tilde")
        await until(pilot, lambda: main.filter_line.value == f"status:finished similar:{first}")
        await until(pilot, lambda: main.listed.likeness and main.listed.rows[0].summary.stem == first)
        await until(pilot, lambda: "100% like it: the same" in screen(pilot.app))
        assert "nearest fi" in screen(pilot.app)
        await pilot.press("escape")
        await until(pilot, lambda: main.filter_line.value == "status:finished" and not main.listed.likeness)
        assert "newest" in screen(pilot.app) and "like it" not in screen(pilot.app)
