"""Small questions, answered as fast as a connection brings the keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import App
from textual.events import Key
from textual.screen import Screen

from tests.tui.motion import until
from tui.dialogs.ask import AskTextScreen
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
