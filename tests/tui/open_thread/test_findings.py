from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from core.lint import Finding, record, survey
from core.storage import store
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.app import SensorloomApp
from tui.screens.main import MainScreen
from tui.thread_list.duplicates import Duplicates, Pace

Add = Callable[..., str]
Text = Callable[[Any], str]
Until = Any


async def opened(pilot: Any, until: Until, rows: int) -> MainScreen:
    main = pilot.app.screen
    assert isinstance(main, MainScreen)
    await until(pilot, lambda: main.ready and main.parts.folder.scanned and main.listed.count == rows)
    return main


def rows(main: MainScreen) -> list[str]:
    return [main.listed.render_line(y).text.rstrip() for y in range(main.listed.count)]


def spoil(workspace: Workspace, stem: str, text: str) -> None:
    """A number nobody computed, and counts that are off."""
    path = workspace.threads / f"{stem}.json"
    data = json.loads(path.read_text())
    data["messages"][-1]["content"] = f"{text}\n\nFinal Answer: walking"
    data["metadata"] |= {"num_turns": 7}
    path.write_text(json.dumps(data))


async def test_what_the_checks_find_shows_is_walked_and_fixed(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    spoil(workspace, add_thread(1), "The standard deviation is 3.14159.")
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 30), notifications=True) as pilot:
        main = await opened(pilot, until, 1)
        await until(pilot, lambda: main.parts.thread.work is not None)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "1/2 counts" in screen(app))
        await until(pilot, lambda: "●✓  ! walking" in rows(main)[0])
        await until(pilot, lambda: "2 findings: ! shows, ctrl+f fixes 1" in screen(app))
        assert "the whole thread" in screen(app)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "2/2 grounding" in screen(app) and "3.14159" in screen(app))
        assert main.parts.thread.conversation.index == 1
        await pilot.press("ctrl+f")
        await until(pilot, lambda: "1 finding: ! shows" in screen(app) and "1/1 grounding" in screen(app))
        stored = store.read(workspace.threads, "demo_s01_v4_0001")
        assert stored.thread.metadata["num_turns"] == 1
        await until(pilot, lambda: "●✓  ! walking" in rows(main)[0])
        await pilot.press("ctrl+f")
        await until(pilot, lambda: "without a decision" in screen(app))
        await pilot.press("2", "u")
        await until(pilot, lambda: "2 findings" in screen(app))
        assert store.read(workspace.threads, stored.stem).thread.metadata["num_turns"] == 7
        await pilot.press("exclamation_mark", "exclamation_mark")
        await until(pilot, lambda: not main.query_one("#finding").display)


async def test_a_filter_finds_what_the_checks_find(workspace: Workspace, add_thread: Add, until: Until):
    spoil(workspace, add_thread(1), "It is 3.14159.")
    add_thread(2)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 30)) as pilot:
        main = await opened(pilot, until, 2)
        main.filter_line.value = "lint:grounding"
        await until(pilot, lambda: len(main.parts.arranging.shown) == 1)
        main.filter_line.value = "-lint:grounding"
        await until(pilot, lambda: [thread.stem for thread in main.parts.arranging.shown] == ["demo_s02_v4_0002"])


async def test_a_thread_that_repeats_another_is_marked_until_its_twin_goes(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    first, other = add_thread(1), add_thread(2)
    data = json.loads((workspace.threads / f"{first}.json").read_text())
    again = f"{first}_again"
    (workspace.threads / f"{again}.json").write_text(json.dumps({**data, "id": again}))
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 30)) as pilot:
        main = await opened(pilot, until, 3)
        await until(pilot, lambda: main.parts.thread.work is not None)
        main.parts.arranging.go_to(again)

        def marks() -> dict[str, bool]:
            return {row.summary.stem: "!" in text for row, text in zip(main.listed.rows, rows(main), strict=True)}

        await until(pilot, lambda: marks() == {first: False, again: True, other: False})
        await until(pilot, lambda: "1 finding: ! shows" in screen(app))
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "1/1 duplicates" in screen(app) and f"it says exactly what {first}" in screen(app))
        main.filter_line.value = "lint:duplicates"
        await until(pilot, lambda: [thread.stem for thread in main.parts.arranging.shown] == [again])
        (workspace.threads / f"{first}.json").unlink()
        await until(pilot, lambda: not main.parts.arranging.shown)
        main.filter_line.value = ""
        await until(pilot, lambda: marks() == {again: False, other: False})
        await until(pilot, lambda: "1 finding" not in screen(app))


async def test_keys_are_answered_while_the_folder_is_looked_at(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text, monkeypatch: pytest.MonkeyPatch
):
    for number in range(1, 7):  # the folder is read from its newest file on
        written = 1_700_000_000 + number
        os.utime(workspace.threads / f"{add_thread(number)}.json", (written, written))
    go_on = threading.Event()
    look_at = record.look_at

    def waiting(file: record.ReadFile, labels: tuple[str, ...]) -> record.Record | None:
        if file.stem.endswith("4"):
            go_on.wait(20)
        return look_at(file, labels)

    monkeypatch.setattr(record, "look_at", waiting)
    monkeypatch.setattr(survey, "PART", 1)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 30)) as pilot:
        main = await opened(pilot, until, 6)
        main.filter_line.value = "lint:none"
        await until(pilot, lambda: re.search(r"looking \d of \d …", screen(app)))
        cursor = main.listed.cursor
        await pilot.press("j", "j")
        assert main.listed.cursor == cursor + 2 and not go_on.is_set()
        go_on.set()
        await until(pilot, lambda: "looking" not in screen(app))
        assert "lint:none" in screen(app)


async def test_blind_hides_the_truth_in_rows_and_in_the_conversation(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    add_thread(1, answer="sitting")
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 30)) as pilot:
        main = await opened(pilot, until, 1)
        await until(pilot, lambda: main.parts.thread.work is not None)
        assert "●✗    walking → sitting" in rows(main)[0]
        await pilot.press("w")
        await until(pilot, lambda: "●     s01 → sitting" in rows(main)[0])
        assert "walking" not in screen(app)
        await pilot.press("2", "w")
        await until(pilot, lambda: "walking → sitting" in rows(main)[0])


async def test_a_look_at_the_folder_waits_while_keys_are_pressed_unless_a_filter_needs_it(
    workspace: Workspace, add_thread: Add, until: Until
):
    for number in range(1, 4):
        add_thread(number)
    begun, pressed, went_on = threading.Event(), threading.Event(), threading.Event()

    def look(
        _workspace: Workspace, _every: Sequence[Summary], cancelled: Callable[[], bool]
    ) -> Mapping[str, Finding] | None:
        begun.set()
        pressed.wait(20)
        cancelled()
        went_on.set()
        return {}

    clock = Clock()
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 30)) as pilot:
        main = await opened(pilot, until, 3)
        main.parts.duplicates = Duplicates(
            main, workspace, main.parts.folder, lambda: main.parts.arranging.looking, main.parts.duplicates_known,
            pace=Pace(0.01, 1e9, clock.monotonic, clock.sleep), look_at=look,
        )  # fmt: skip
        main.parts.duplicates.look()
        await until(pilot, begun.is_set)
        await pilot.press("j")
        pressed.set()
        for _ in range(3):
            await pilot.press("j", "k")
        assert not went_on.is_set()
        main.parts.arranging.looking = True
        await until(pilot, went_on.is_set)
        await until(pilot, lambda: main.parts.duplicates.rests_until)
        assert clock.now > 0 and abs(main.parts.duplicates.rests_until - clock.now) < 1e-6  # to wait is not to work
        main.parts.arranging.looking = False
        begun.clear()
        main.parts.duplicates.look()
        for _ in range(3):
            await pilot.press("j", "k")
        assert not begun.is_set()
        main.parts.arranging.looking = True
        await until(pilot, begun.is_set)


class Clock:
    """Time that passes for whoever waits."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        time.sleep(0.001)
