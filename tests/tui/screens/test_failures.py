from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from core.listing.failures import FailureGroup
from core.workspace import Workspace
from tests.tui.conftest import Until
from tests.tui.driving import opened
from tui.screens.failures import rows
from tui.screens.main import MainScreen
from tui.widgets.lines import plain_text


async def test_a_way_that_is_longer_than_a_row_says_that_it_was_cut():
    tools = ("show_channel_stats", "estimate_orientation", "segment_session")
    group = FailureGroup("demo", "walking", "sitting", tools, "conclusion", ("a",))
    lines = [plain_text(row.line) for row in rows([group], 60)]
    assert max(map(len, lines)) == 60 and lines[-1].endswith("…")


async def test_a_group_of_failures_opens_as_a_filter_and_blind_mode_tells_none(
    workspace: Workspace, until: Until, add_thread: Callable[..., str], screen: Callable[[App[Any]], str]
):
    add_thread(1)
    for number, answer in ((2, "sitting"), (3, "sitting"), (4, "lying")):
        add_thread(number, answer=answer)
    async with opened(workspace, (80, 24)) as (pilot, main):
        await pilot.press("1", "percent_sign")
        await until(pilot, lambda: "walking → sitting" in screen(pilot.app))
        assert "failures · 3 of 4 threads" in screen(pilot.app)
        await until(pilot, lambda: "2 threads, 1 way · ⏎ dataset:demo truth:walking" in screen(pilot.app))
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
        await until(pilot, lambda: len(main.parts.arranging.shown) == 2)
        assert "answer:sitting path:none first_wrong:conclusion" in main.filter_line.value
        main.filter_line.value = ""
        await until(pilot, lambda: len(main.parts.arranging.shown) == 4)
        await pilot.press("w", "percent_sign")
        await until(pilot, lambda: "none of these threads failed" in screen(pilot.app))
        assert "3 not judged" in screen(pilot.app) and "walking" not in screen(pilot.app)
