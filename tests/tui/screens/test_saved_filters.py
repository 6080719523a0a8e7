from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from core.filters.saved import SavedFilter, saved_filters
from core.workspace import Workspace
from tests.tui.conftest import Until
from tui.screens.saved_filters import SavedFiltersScreen


async def test_the_present_filter_is_kept_under_a_name_and_forgotten(
    workspace: Workspace, until: Until, screen: Callable[[App[Any]], str]
):
    app: App[None] = App()
    async with app.run_test(size=(140, 40)) as pilot:
        await app.push_screen(SavedFiltersScreen(workspace, "turns:>0 -has:stale"))
        await pilot.press("s")
        await until(pilot, lambda: "a name for this filter" in screen(app))
        await pilot.press(*"mine", "enter")
        await until(pilot, lambda: saved_filters(workspace) == [SavedFilter("turns:>0 -has:stale", "mine")])
        await until(pilot, lambda: "mine" in screen(app))
        await pilot.press("G", "delete")
        await until(pilot, lambda: saved_filters(workspace) == [])
