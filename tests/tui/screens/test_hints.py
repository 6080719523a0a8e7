from __future__ import annotations

from collections.abc import Callable

from core.workspace import Workspace
from tests.tui.driving import opened
from tests.tui.motion import on_screen, until
from tui.keys import PANE_ACTIONS
from tui.screens.actions import ACTIONS
from tui.screens.hints import USEFUL, hint_lines
from tui.screens.rebinding import rebound
from tui.widgets.lines import cells, plain_text


def test_hints_say_the_keys_that_a_person_has():
    lines = hint_lines("begun", rebound({"turn.run": "f5"}), 60)
    assert plain_text(lines[0]).split()[:2] == ["f5", "ask"]
    for where in USEFUL:
        assert all(cells(line) <= 30 for line in hint_lines(where, (*PANE_ACTIONS, *ACTIONS), 30))


async def test_much_free_room_says_what_keys_do_and_little_does_not(
    workspace: Workspace, add_thread: Callable[..., str]
):
    add_thread(1, answer=None)
    add_thread(2, messages=60)
    async with opened(workspace, (160, 30)) as (pilot, screen):
        screen.listed.go_to("demo_s01_v4_0001")
        await until(pilot, lambda: "ask the model for the next turn" in on_screen(pilot.app))
        screen.listed.go_to("demo_s02_v4_0002")
        await until(pilot, lambda: "question 2" in on_screen(pilot.app))
        await until(pilot, lambda: "verdict: accept" not in on_screen(pilot.app))
