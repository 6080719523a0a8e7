from __future__ import annotations

from textual.pilot import Pilot

from core.workspace import Workspace
from tests.tui.driving import opened
from tests.tui.motion import motion_workspace, new_thread, on_screen, until
from tui.keys import PANE_ACTIONS
from tui.screens.actions import ACTIONS
from tui.screens.help import HelpScreen, help_lines
from tui.widgets.lines import plain_text


def text_of_help(wanted: str = "") -> str:
    return "\n".join(plain_text(line) for line in help_lines((*PANE_ACTIONS, *ACTIONS), 90, wanted))


def test_words_of_the_screen_are_explained():
    assert "no training file ever has" in text_of_help("held out")
    assert "re-run, accept as they are" in text_of_help("settle")


def test_only_what_is_looked_for_is_shown():
    shown_lines = text_of_help("BRANCH")
    assert "copy the thread up to this turn" in shown_lines and "real time" not in shown_lines
    assert "nothing here has" in text_of_help("no such word")


async def test_slash_searches_and_esc_ends_the_search_before_it_leaves(workspace: Workspace):
    new_thread(motion_workspace(workspace.root))
    async with opened(workspace, (80, 24)) as (pilot, _):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen) and "one down" in on_screen(pilot.app))
        await pilot.press("slash", *"trash")
        await until(pilot, lambda: "one down" not in on_screen(pilot.app) and "move to the trash" in shown(pilot))
        await pilot.press("enter", "escape")
        await until(pilot, lambda: "one down" in on_screen(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen))


def shown(pilot: Pilot[None]) -> str:
    return on_screen(pilot.app)
