from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from core import curate
from core.storage import store
from core.workspace import Workspace
from tests.tui.conftest import Until
from tests.tui.driving import opened, work
from tui.screens.main import MainScreen


async def test_the_tree_folds_and_leads_to_a_branch(
    workspace: Workspace, until: Until, add_thread: Callable[..., str], screen: Callable[[App[Any]], str]
):
    root = add_thread(1, messages=2)
    child = curate.branch(workspace, store.read(workspace.threads, root), 2)
    grandchild = curate.branch(workspace, child, 2)
    async with opened(workspace, (80, 24)) as (pilot, main):
        main.parts.arranging.go_to(root)
        await until(pilot, lambda: work(main).stored.stem == root)
        await pilot.press("1", "backslash")
        await until(pilot, lambda: "s01 · 3 threads" in screen(pilot.app))
        assert "from message 3" in screen(pilot.app)
        await pilot.press("left")
        await until(pilot, lambda: "2 below" in screen(pilot.app))
        await pilot.press("right", "j", "j", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
        await until(pilot, lambda: work(main).stored.stem == grandchild.stem)
