from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from core.listing.statistics import statistics
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.app import SensorloomApp
from tui.screens.main import MainScreen
from tui.screens.statistics import Board, StatisticsScreen
from tui.widgets.lines import cells, plain_text
from tui.widgets.statistics_lines import lay_out

Add = Callable[..., str]
Text = Callable[[Any], str]
LABELS = ("walking", "sitting", "walking upstairs")


def many(count: int, labels: int = 3) -> list[Summary]:
    """Threads of two datasets, every fourth answered wrongly; numbers and tools vary."""
    names = [*LABELS, *(f"a label called {number}" for number in range(labels - 3))]
    threads: list[Summary] = []
    for number in range(count):
        truth, other = names[number % labels], names[(number + 1) % labels]
        wrong = number % 4 == 0
        threads.append(
            Summary(
                f"t{number}", dataset=f"set{number % 2}", shape="v4", status="finished", truth=truth,
                answer=other if wrong else truth, correct=not wrong, confidence=("high", "low", "")[number % 3],
                turns=number % 30, calls=number % 17, tools_used=tuple(f"tool_{n}" for n in range(number % 5)),
            )
        )  # fmt: skip
    return threads


@pytest.mark.parametrize("width", [40, 77, 157])
@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("labels", [3, 25])
def test_every_row_fits(width: int, blind: bool, labels: int):
    rows = lay_out(statistics(many(400, labels)), width, blind=blind)
    assert all(cells(row.line) <= width for row in rows) and len(rows) > 30
    text = "\n".join(plain_text(row.line) for row in rows)
    assert ("too many labels for this width" in text) == (labels == 25 and not blind and width < 157)


def test_with_the_truth_hidden_only_what_was_answered_is_told():
    """Answers, confidence and tools are the model's own words; two folders that differ in their labels look alike."""
    first = [*many(60), *(replace(each, dataset="third", answer="Walking") for each in many(1))]
    other = [replace(each, truth="sitting", correct=None) for each in first]
    shown = [[plain_text(row.line) for row in lay_out(statistics(some), 100, blind=True)] for some in (first, other)]
    assert shown[0] == shown[1]
    rows = lay_out(statistics(first), 100, blind=True)
    assert not any(term.startswith(("truth", "correct")) for row in rows for term in row.terms)


async def opened(pilot: Any, until: Any, count: int) -> MainScreen:
    main = pilot.app.screen
    assert isinstance(main, MainScreen)
    await until(pilot, lambda: main.ready and main.parts.folder.scanned and main.listed.count == count)
    await pilot.press("i")
    await until(pilot, lambda: isinstance(pilot.app.screen, StatisticsScreen) and pilot.app.screen.board.rows)
    return main


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_board_counts_what_the_list_shows_and_a_row_becomes_a_filter(
    workspace: Workspace, add_thread: Add, until: Any, screen: Text, size: tuple[int, int]
):
    for number in range(1, 9):
        add_thread(number, answer="sitting" if number > 5 else "walking", messages=number % 3)
    add_thread(9, answer="sitting", ground_truth="sitting", review={"verdict": "reject"})
    add_thread(10, answer=None)
    app = SensorloomApp(workspace)
    async with app.run_test(size=size) as pilot:
        main = await opened(pilot, until, 10)
        assert "all 10 threads" in screen(app) and "6 right (67 %)" in screen(app) and "3 wrong" in screen(app)
        board = app.screen.query_one(Board)
        assert "needs 8 more to match walking (8 ready)" in screen(app) and board.current.terms == ("truth:sitting",)
        await pilot.press("tab", "tab")
        await until(pilot, lambda: "walking → sitting" in screen(app))
        assert board.current.terms == ("truth:walking", "answer:sitting")
        await pilot.press("enter")
        await until(
            pilot, lambda: app.screen is main and len(main.parts.arranging.shown) == 3
        )  # the open thread keeps its row
        assert main.filter_line.value == "truth:walking answer:sitting" and main.listed.has_focus
        await pilot.press("i")
        await until(pilot, lambda: "3 of 10 threads · truth:walking answer:sitting" in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is main)
        assert main.filter_line.value == "truth:walking answer:sitting"


async def test_the_board_tells_how_varied_the_threads_are(
    workspace: Workspace, add_thread: Add, until: Any, screen: Text
):
    for number in range(1, 4):
        add_thread(number)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(120, 70)) as pilot:
        await opened(pilot, until, 3)
        await until(pilot, lambda: "final message cites a measurement" in screen(app))
        await pilot.press("G")
        await until(pilot, lambda: "the same tool was called again" in screen(app))


async def test_the_board_hides_what_the_list_hides_and_counts_again(
    workspace: Workspace, add_thread: Add, until: Any, screen: Text
):
    add_thread(1)
    add_thread(2, answer="sitting")
    app = SensorloomApp(workspace)
    async with app.run_test(size=(120, 40)) as pilot:
        main = app.screen
        assert isinstance(main, MainScreen)
        await until(pilot, lambda: main.ready and main.listed.count == 2)
        await pilot.press("w")
        await until(pilot, lambda: main.listed.blind)
        await opened(pilot, until, 2)
        text = screen(app)
        assert "the truth is hidden" in text and "right" not in text and "wrong" not in text and "needs" not in text
        await pilot.press("G", "g", "j", "k", "shift+tab")
        add_thread(3)
        await until(pilot, lambda: len(main.parts.folder.summaries) == 3)
        await pilot.press("r")
        await until(pilot, lambda: "all 3 threads" in screen(app))
        await pilot.press("i")
        await until(pilot, lambda: app.screen is main)


async def test_a_board_of_nothing_says_so(workspace: Workspace, until: Any, screen: Text, add_thread: Add):
    workspace.threads.mkdir()
    (workspace.threads / "x.json").write_text(json.dumps([]))
    app = SensorloomApp(workspace)
    async with app.run_test(size=(120, 40)) as pilot:
        main = app.screen
        assert isinstance(main, MainScreen)
        await until(pilot, lambda: main.ready and main.parts.folder.scanned and main.listed.count == 1)
        await pilot.press("i")
        await until(pilot, lambda: "1 not readable" in screen(app))
        await pilot.press("j", "tab", "enter", "escape")
        await until(pilot, lambda: app.screen is main)
