from __future__ import annotations

from typing import Any

import pytest
from textual.app import App

from core.thread.compare import compare
from core.thread.value import Message
from tests.tui.motion import on_screen, until
from tui.screens.compare import CompareScreen, Side
from tui.terminal.textual_private import drawn_rows
from tui.widgets.compare_lines import lay_out
from tui.widgets.lines import cells, plain_text


def talk(*texts: str) -> list[Message]:
    return [{"role": "user" if not index else "assistant", "content": text} for index, text in enumerate(texts)]


LEFT: Side = ("the left one", talk("what is it?", "it walks slowly", "same words", "walking"))
RIGHT: Side = ("the right one", talk("what is it?", "it walks fast", "same words", "running"))


class Page(App[None]):
    ENABLE_COMMAND_PALETTE = False


def drawn(width: int, *, whole: bool = False) -> list[str]:
    comparison = compare(LEFT[1], RIGHT[1])
    return [plain_text(line) for line in lay_out(LEFT[1], RIGHT[1], comparison, width, whole=whole).lines]


def test_what_is_the_same_takes_a_line_and_what_differs_stands_side_by_side():
    rows = drawn(80)
    assert rows[0].split() == ["=", "USER", "what", "is", "it?"]
    assert rows[1] == "▼ here they part: difference 1 of 2"
    assert next(row for row in rows if "slowly" in row).split() == "− it walks slowly ┋ + it walks fast".split()
    assert sum("same words" in row for row in rows) == 1
    assert any(row.count("same words") == 2 for row in drawn(80, whole=True))


@pytest.mark.parametrize("width", [20, 40, 63, 64, 78, 156])
def test_no_line_is_wider_than_the_screen(width: int):
    comparison = compare(LEFT[1], RIGHT[1])
    for whole in (False, True):
        laid = lay_out(LEFT[1], RIGHT[1], comparison, width, whole=whole)
        assert all(cells(line) <= max(width, 40) for line in laid.lines)


def test_only_the_words_that_differ_are_marked_each_as_its_sides():
    spans = [span for line in lay_out(LEFT[1], RIGHT[1], compare(LEFT[1], RIGHT[1]), 100).lines for span in line]
    assert [text for text, kind in spans if kind == "removed"] == ["slowly", "walking"]
    assert [text for text, kind in spans if kind == "added"] == ["fast", "running"]
    assert {("− ", "bad"), ("+ ", "good")} <= set(spans)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_keys_go_from_difference_to_difference(size: tuple[int, int]):
    page = Page()
    async with page.run_test(size=size) as pilot:
        page.push_screen(CompareScreen([LEFT, RIGHT]))
        await until(pilot, lambda: "difference 1 of 2, in 4 messages" in on_screen(page))
        assert "▶ here they part" in on_screen(page)
        await pilot.press("n")
        await until(pilot, lambda: "▶ difference 2 of 2" in on_screen(page))
        await pilot.press("n", "N")
        await until(pilot, lambda: "▶ here they part" in on_screen(page))
        top = on_screen(page).split("\n")
        bar = top[0].index("┃")
        assert top[0].index("+ the right one") == bar + 2 and "┋" in {row[bar] for row in top[2:] if len(row) > bar}
        assert "esc back" in on_screen(page)


async def test_any_two_of_several_are_compared():
    page = Page()
    third: Side = ("a third", talk("something else"))
    async with page.run_test(size=(100, 30)) as pilot:
        page.push_screen(CompareScreen([LEFT, RIGHT, third]))
        await until(pilot, lambda: "− 1 the left one" in on_screen(page) and "+ 2 the right one" in on_screen(page))
        await pilot.press("3")
        await until(pilot, lambda: "something else" in on_screen(page))
        await pilot.press("1")
        await until(pilot, lambda: on_screen(page).split("\n")[0].split("┃")[0].strip() == "− 3 a third")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(page.screen, CompareScreen))


async def test_hostile_text_is_only_text(hostile: str):
    page = Page()
    sides: list[Side] = [(hostile, talk(hostile)), ("plain", talk("what", hostile))]
    async with page.run_test(size=(90, 30)) as pilot:
        page.push_screen(CompareScreen(sides))
        await until(pilot, lambda: "difference" in on_screen(page))
        strips: Any = drawn_rows(page.screen)
        assert all(segment.text.isprintable() for strip in strips for segment in strip)
