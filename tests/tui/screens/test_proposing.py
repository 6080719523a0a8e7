from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App

from core.filters.queue import ACCEPTED, QUEUE
from core.filters.saved import keep_filter, saved_filters
from core.listing.goal import Goal, goal_of, set_goal
from core.storage import thread_files
from core.workspace import Workspace
from tests.tui.conftest import Until
from tests.tui.driving import opened
from tests.tui.motion import motion_workspace, new_thread
from tui.screens.export_choice import ExportChoiceScreen
from tui.screens.main import MainScreen
from tui.screens.proposing import ProposeScreen


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
        await pilot.press("s")
        await until(pilot, lambda: "calls=    fewest tool calls of a thread that counts (2 unless" in screen(pilot.app))
        await pilot.press("ctrl+u", *"labl=2 calls=0", "enter")
        await until(pilot, lambda: "is no part of a goal" in screen(pilot.app))
        await until(pilot, lambda: "labl=2 calls=0" in screen(pilot.app).split("the goal, in these words")[-1])
        await pilot.press("home", "right", "right", "right", "e", "enter")  # what was typed is still there to be mended
        await until(pilot, lambda: goal_of(workspace) == Goal(label=2, calls=0))
        await until(pilot, lambda: "accepted 0 of 2 · walking 2 short" in screen(pilot.app))
        await until(pilot, lambda: "walking lacks 2" in screen(pilot.app))
        assert "when all of these are accepted: walking 1" in screen(pilot.app)  # one path is at most 30 %
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
        await until(pilot, lambda: main.filter_line.value == "saved:proposed verdict:none")
        await until(pilot, lambda: len(main.parts.arranging.shown) == 1)
        await pilot.press("a")
        await until(pilot, lambda: "1 of 2 · walking 1 short" in screen(pilot.app))
        await until(pilot, lambda: "all judged · P goes on" in screen(pilot.app))
        await pilot.press("x")
        await until(pilot, lambda: "x  export what was accepted  1 thread" in screen(pilot.app))
        assert "export what the list shows" not in screen(pilot.app), "it shows none"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
        await pilot.press("X")
        await until(pilot, lambda: ACCEPTED in screen(pilot.app))
        await pilot.press("escape", "P")
        await until(pilot, lambda: "x export accepted" in screen(pilot.app))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExportChoiceScreen))
        await until(pilot, lambda: ACCEPTED in screen(pilot.app))


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


async def test_the_queue_stands_in_its_order_and_a_verdict_goes_on_to_the_next(
    workspace: Workspace, until: Until, add_thread: Callable[..., str]
):
    first, second, third = (add_thread(number) for number in range(1, 4))
    queue = [second, third, first]
    keep_filter(workspace, f'id:"{",".join(queue)}"', QUEUE)
    async with opened(workspace, (120, 30)) as (pilot, main):
        await pilot.press("1", "slash", *f"saved:{QUEUE} verdict:none", "enter")
        await until(pilot, lambda: [summary.stem for summary in main.parts.arranging.shown] == queue)
        await pilot.press("g")
        for number, stem in enumerate(queue):
            await until(pilot, lambda stem=stem: getattr(main.parts.arranging.current, "stem", "") == stem)
            await pilot.press("a")
            await until(pilot, lambda left=queue[number + 1 :]: [s.stem for s in main.parts.arranging.shown] == left)
        await pilot.press("slash", "escape")
        await until(pilot, lambda: [summary.stem for summary in main.parts.arranging.shown] == [third, second, first])


async def test_what_the_goal_lacks_is_made_from_the_screen(
    tmp_path: Path, until: Until, screen: Callable[[App[Any]], str]
):
    workspace = motion_workspace(tmp_path)
    new_thread(workspace)
    set_goal(workspace, Goal(label=1, calls=0))
    async with opened(workspace, (120, 30)) as (pilot, main):
        await pilot.press("1", "slash", *"label:nowhere", "enter", "P")
        await until(pilot, lambda: "m make 2 new threads" in screen(pilot.app))
        await pilot.press("m")
        await until(pilot, lambda: main.filter_line.value == "verdict:none")  # the new ones show as they come
        await until(pilot, lambda: len(thread_files.stems(workspace.threads)) == 3 and not main.parts.making.busy)
        await until(pilot, lambda: "2 threads made" in screen(pilot.app))

        def labels() -> set[str]:
            return {each.truth for each in main.parts.arranging.shown if each.status == "finished"}

        await until(pilot, lambda: labels() == {"walking", "sitting"})
        set_goal(workspace, Goal(label=2, calls=0, path=0))
        await pilot.press("P")
        await until(pilot, lambda: "m make 2 new threads" in screen(pilot.app))
        main.parts.making.make([("motion", "s02_2"), ("motion", "s02_0")])  # as `m` a moment ago would have
        await until(pilot, lambda: "4 threads to judge" in screen(pilot.app))  # the dialog looks again by itself
        await pilot.press("escape")
