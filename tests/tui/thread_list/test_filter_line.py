"""The filter line as a person types in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App
from textual.events import Key
from textual.widgets import Input

from core.filters.typed import typed_filters
from core.workspace import Workspace
from tests.tui.conftest import Until
from tests.tui.driving import opened


async def test_a_filter_is_completed_explained_kept_and_cleared(
    workspace: Workspace, until: Until, add_thread: Callable[..., str], screen: Callable[[App[Any]], str]
):
    for number, answer in enumerate(("walking", "sitting", None), 1):
        add_thread(number, answer=answer)
    async with opened(workspace) as (pilot, main):
        line = main.filter_line
        await pilot.press("1", "slash")
        await until(pilot, lambda: "? lists every field" in screen(pilot.app) and line.values)
        await pilot.press(*"answer:si")
        await until(pilot, lambda: "answer: the final answer" in screen(pilot.app))
        await until(pilot, lambda: "tab answer:sitting" in screen(pilot.app))
        await pilot.press("tab", *" OR status:fin", "tab", *" )")
        await until(pilot, lambda: line.value == "answer:sitting OR status:finished )")
        await pilot.press("backspace", "backspace", "enter")
        await until(pilot, lambda: typed_filters(workspace) == ["answer:sitting OR status:finished"])
        assert "threads 2 of 3" in screen(pilot.app)
        await pilot.press("slash", "escape")
        await until(pilot, lambda: "threads 3" in screen(pilot.app) and main.listed.has_focus)
        await pilot.press("slash")
        await until(pilot, lambda: line.has_focus)
        await pilot.press("up")
        await until(pilot, lambda: "threads 2 of 3" in screen(pilot.app))
        await pilot.press("down")
        await until(pilot, lambda: line.value == "" and "threads 3" in screen(pilot.app))


async def test_a_question_mark_lists_the_fields_and_takes_one_over(
    workspace: Workspace, until: Until, add_thread: Callable[..., str], screen: Callable[[App[Any]], str]
):
    add_thread(1)
    async with opened(workspace, (100, 30)) as (pilot, main):
        await pilot.press("1", "slash", *"turns:1 ", "question_mark")
        await until(pilot, lambda: "correct:false" in screen(pilot.app))
        await pilot.press("j", "enter")
        await until(pilot, lambda: main.filter_line.value == "turns:1 correct:false" and main.filter_line.has_focus)
        await pilot.press(*" (")
        await until(pilot, lambda: "at 23: the parenthesis is not" in screen(pilot.app))
        await pilot.press(*"stat")
        await until(pilot, lambda: "tab status:" in screen(pilot.app) and "not" in screen(pilot.app))
        await pilot.press(*["backspace"] * 5, *"model:?")
        await until(pilot, lambda: main.filter_line.value.endswith("model:?"))


@pytest.mark.parametrize("pane", ["1", "2"])
async def test_what_comes_in_one_go_with_the_key_of_a_line_is_text_for_it(
    workspace: Workspace, until: Until, add_thread: Callable[..., str], pane: str
):
    add_thread(1)
    async with opened(workspace) as (pilot, main):
        await pilot.press(pane)
        before = {path: path.read_bytes() for path in workspace.threads.iterdir()}
        for key, character in [("slash", "/"), *((letter, letter) for letter in "radeon")]:
            pilot.app.post_message(Key(key, character))
        line = main.filter_line if pane == "1" else main.query_one("#search", Input)
        await until(pilot, lambda: line.value == "radeon" and line.has_focus)
        assert {path: path.read_bytes() for path in workspace.threads.iterdir()} == before
