from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App

from core.filters.saved import keep_filter, saved_filters
from core.listing.goal import Goal, goal_of, set_goal
from core.workspace import Workspace
from tests.tui.conftest import Until
from tests.tui.driving import opened
from tui.screens.main import MainScreen
from tui.screens.proposing import QUEUE, ProposeScreen


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_goal_is_set_and_its_queue_judged(
    workspace: Workspace, until: Until, add_thread: Callable[..., str], screen: Callable[[App[Any]], str],
    size: tuple[int, int],
):  # fmt: skip
    for number in range(1, 4):
        add_thread(number, answer="walking" if number < 3 else "sitting")
    async with opened(workspace, size) as (pilot, main):
        await pilot.press("1", "P")
        await until(pilot, lambda: "no goal is set" in screen(pilot.app))
        await pilot.press("s", "ctrl+u", *"label=2 calls=0", "enter")
        await until(pilot, lambda: goal_of(workspace) == Goal(label=2, calls=0))
        await until(pilot, lambda: "accepted 0 of 2 · walking 2 short" in screen(pilot.app))
        await until(pilot, lambda: "walking lacks 2" in screen(pilot.app))
        assert "missing even then: walking 1" in screen(pilot.app)  # one path is at most 30 %
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
        await until(pilot, lambda: main.filter_line.value == "saved:proposed verdict:none")
        await until(pilot, lambda: len(main.parts.arranging.shown) == 1)
        await pilot.press("a")
        await until(pilot, lambda: "1 of 2 · walking 1 short" in screen(pilot.app))


async def test_a_filter_of_ones_own_that_is_called_like_the_queue_stays(
    workspace: Workspace, until: Until, add_thread: Callable[..., str]
):
    add_thread(1)
    keep_filter(workspace, "turns>2", QUEUE)
    set_goal(workspace, Goal(label=2, calls=0))
    async with opened(workspace, (120, 30)) as (pilot, main):
        await pilot.press("1", "P")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProposeScreen) and pilot.app.screen.picker.count > 0)
        await pilot.press("enter")
        await until(pilot, lambda: main.filter_line.value == "saved:proposed verdict:none")
        assert saved_filters(workspace)[0].text == "turns>2"
