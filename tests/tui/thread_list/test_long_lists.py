"""What very many threads need so that nobody waits: a page that is there at once, rows before all rows."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.filters.language import parse
from core.listing import index, index_cache
from core.listing.order import in_order
from core.listing.summaries import Summaries
from core.listing.summary import summarize
from core.listing.summary_columns import packed, unpacked
from core.thread.summary import Summary
from core.workspace import Workspace
from tests.tui.driving import work
from tests.tui.thread_list.test_thread_list import drawn, main, opened
from tui.app import SensorloomApp
from tui.screens.main import MainScreen
from tui.thread_list import arranged as arranged_module
from tui.thread_list import arranging
from tui.thread_list.arranged import Asked, LastOrder, Order, arranged
from tui.thread_list.feed import FolderFeed

Until = Any
Add = Callable[..., str]


async def test_the_next_start_draws_a_long_list_before_it_has_looked_at_anything(
    workspace: Workspace, add_thread: Add, until: Until, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(index_cache, "LONG", 3)
    for number in range(1, 5):
        add_thread(number)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(150, 45)) as pilot:
        await opened(pilot, until, 4)
        before = drawn(app)
    monkeypatch.setattr(FolderFeed, "start", lambda self: None)  # the folder is never looked at
    app = SensorloomApp(workspace)
    async with app.run_test(size=(150, 45)) as pilot:
        await until(pilot, lambda: main(app).ready and main(app).parts.thread.work is not None)
        assert drawn(app) == before
        assert work(main(app)).stored.stem == main(app).listed.rows[0].summary.stem
        await pilot.press("down")
        await until(pilot, lambda: work(main(app)).stored.stem == main(app).listed.rows[1].summary.stem)


async def test_a_page_of_threads_that_are_gone_goes_with_them(
    workspace: Workspace, add_thread: Add, until: Until, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(index_cache, "LONG", 1)
    add_thread(1)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(150, 45)) as pilot:
        await opened(pilot, until, 1)
    for path in [*workspace.threads.glob("*.json"), *workspace.private.glob("index.cache")]:
        path.unlink()
    app = SensorloomApp(workspace)
    async with app.run_test(size=(150, 45)) as pilot:
        await until(pilot, lambda: any(isinstance(screen, MainScreen) for screen in app.screen_stack))
        screen = next(screen for screen in app.screen_stack if isinstance(screen, MainScreen))
        await until(pilot, lambda: screen.ready and screen.parts.folder.scanned and screen.listed.count == 0)


async def test_an_end_in_the_middle_of_the_first_look_keeps_what_was_read(
    workspace: Workspace, add_thread: Add, until: Until, monkeypatch: pytest.MonkeyPatch
):
    stems = {add_thread(number) for number in range(1, 7)}
    for path in workspace.threads.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    feeds: list[FolderFeed] = []
    read: list[str] = []
    begin = FolderFeed.start

    def start(feed: FolderFeed) -> None:
        feeds.append(feed)
        begin(feed)

    def read_slowly(folder: Path, stem: str) -> Summary:
        read.append(stem)
        if len(read) == 4:
            assert feeds[0]._stop.wait(20)  # pyright: ignore[reportPrivateUsage] - the program is ending
        return summarize(folder, stem)

    monkeypatch.setattr(index, "BATCH", 1)
    monkeypatch.setattr(index, "summarize", read_slowly)
    monkeypatch.setattr(FolderFeed, "start", start)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(150, 45)) as pilot:
        await until(pilot, lambda: len(read) == 4)
    assert len(read) == 4
    assert {summary.stem for summary in index.summaries(workspace)} == stems
    assert sorted(read) == sorted(stems), "none was read twice"


def summaries(count: int) -> list[Summary]:
    return [
        Summary(
            f"s{number:03d}", number, 10**18 + number, "v4", id=f"s{number:03d}" if number % 7 else "another",
            dataset="d", truth=("walking", "lying")[number % 2], correct=(True, False, None)[number % 3],
            branched_at=number % 3 or None, cost=0.5 * (number % 3) or None, tools_used=("a", "b")[: number % 3],
            turns=number % 2, created=f"2026-01-01T00:{number % 60:02d}", question=f"what of {number}? é",
        )
        for number in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 300])
def test_summaries_come_back_from_columns_as_they_were(count: int):
    every = summaries(count)
    back = unpacked(packed(every))
    assert back == every
    for before, after in zip(every, back, strict=True):
        assert [type(value) for value in before.__reduce__()[1]] == [type(value) for value in after.__reduce__()[1]]
    damaged = bytearray(packed(every))
    damaged[-3] ^= 1
    assert unpacked(bytes(damaged)) == []


def asked(text: str, every: list[Summary], current: str = "") -> Asked:
    return Asked(
        parse(text), Order("newest", False, 1), Summaries(every), {}, frozenset(), None, frozenset(), current, 1
    )


def test_the_first_rows_of_a_filter_come_before_all_and_are_the_first_of_all(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arranged_module, "PAGE", 10)
    every, first = summaries(300), list[Any]()
    rows = arranged(Path(), asked("truth:walking", every), LastOrder(), lambda *_: None, lambda: False, first.append)
    assert rows is not None and len(rows.rows) == 150 and [list(page) for page in first] == [rows.rows[:15]]
    assert [row.summary for row in rows.rows] == [each for each in in_order(every, "newest") if each.truth == "walking"]
    first.clear()
    deep = rows.rows[70].summary.stem
    arranged(Path(), asked("truth:walking", every, deep), LastOrder(), lambda *_: None, lambda: False, first.append)
    assert first[0].index_of(deep) == 70 and len(first[0]) < 150, "the cursor's own row is among the first"
    first.clear()
    rows = arranged(Path(), asked("turns>5", every), LastOrder(), lambda *_: None, lambda: False, first.append)
    assert rows is not None and not rows.rows and not first


async def test_a_verdict_is_of_what_is_marked_while_only_the_first_rows_show(
    workspace: Workspace, add_thread: Add, until: Until, monkeypatch: pytest.MonkeyPatch
):
    stems = [add_thread(number) for number in range(1, 7)]
    free, all_kept = threading.Event(), arranged_module._all_kept  # pyright: ignore[reportPrivateUsage]

    def later(*arguments: Any) -> Any:
        assert free.wait(60)
        return all_kept(*arguments)

    monkeypatch.setattr(arranged_module, "PAGE", 2)
    monkeypatch.setattr(arranged_module, "_all_kept", later)
    monkeypatch.setattr(arranging, "AT_ONCE", 0)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(150, 45)) as pilot:
        await until(pilot, lambda: getattr(app.screen, "ready", False))
        screen = app.screen
        assert isinstance(screen, MainScreen)
        await until(pilot, lambda: screen.listed.count == 6)
        await pilot.press("G", "m", "g")
        assert screen.listed.marked == {stems[0]}
        screen.filter_line.value = "verdict:none"
        await until(pilot, lambda: screen.listed.count == 2)
        await pilot.press("a")
        await until(pilot, lambda: screen.parts.folder.summaries[stems[0]].verdict == "accept")
        assert [each.stem for each in screen.parts.folder.summaries.every() if each.verdict] == [stems[0]]
        free.set()


def test_an_order_is_made_anew_only_for_other_threads():
    every, last = summaries(20), LastOrder()
    known, fewer = Summaries(every), Summaries(every[:3])
    order = last.get(known, Order("newest", False, 1))
    assert last.get(Summaries(), Order("newest", False, 1)) is order and order.labels == {"walking", "lying"}
    for sort in ("newest", "oldest"):
        numbers = last.get(fewer, Order(sort, False, 2)).numbers
        assert list(map(fewer.at, numbers)) == in_order(every[:3], sort)
