"""Small questions, answered as fast as a connection brings the keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import App
from textual.events import Key
from textual.screen import Screen

from tests.tui.motion import until
from tui.dialogs.ask import AskTextScreen
from tui.dialogs.asking_option import ask_for, change
from tui.dialogs.listed import ListedScreen, TicksScreen
from tui.dialogs.option_rows import Option
from tui.dialogs.words import Words, WordsScreen


@pytest.mark.parametrize(
    ("screen", "before", "answer"),
    [
        (lambda: AskTextScreen("goal", "label=10"), "", "label=1x6"),
        (lambda: WordsScreen("why", {"l": "leak"}, (), "a note", "label=10"), "tab", Words((), "label=1x6")),
    ],
    ids=["text", "words"],
)
async def test_letters_that_come_in_one_go_with_enter_belong_to_the_answer(
    screen: Callable[[], Screen[object]], before: str, answer: object
):
    app: App[None] = App()
    answers: list[object] = []
    async with app.run_test() as pilot:
        app.push_screen(screen(), answers.append)
        await pilot.press(*filter(None, [before]), "end")
        for key, character in (("backspace", "\x7f"), ("x", "x"), ("6", "6"), ("enter", "\r")):
            app.post_message(Key(key, character))
        await until(pilot, lambda: answers)
    assert answers == [answer]


@pytest.mark.parametrize(
    ("option", "stepped", "opened"),
    [
        (Option("a", "a", "", (("", "all"), ("x", "ex"), ("y", "why"))), [("a", "y")], [ListedScreen]),
        (Option("a", "a", "", (("x", "all"),), asks="which"), [], [AskTextScreen, AskTextScreen]),
        (Option("a", "a", "", (("x", "all"), ("y", "why")), screen=True), [], [TicksScreen, TicksScreen]),
        (Option("a", "a", "", (("x", "the only one"),)), [], []),
    ],
    ids=["several", "typed", "ticked", "one"],
)
async def test_an_option_is_stepped_over_or_asked_for_and_one_without_a_choice_opens_nothing(
    option: Option, stepped: list[tuple[str, str]], opened: list[type]
):
    app: App[None] = App()
    answers: list[tuple[str, str]] = []

    def choose(name: str, value: str) -> None:
        answers.append((name, value))

    async with app.run_test() as pilot:
        change(app, option, {"a": "x"}, 1, (), choose)
        ask_for(app, option, {"a": "x"}, (), choose)
        await until(pilot, lambda: all(screen.is_mounted for screen in app.screen_stack))
        assert answers == stepped and [type(screen) for screen in app.screen_stack[1:]] == opened
