from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from core.errors import UsageError
from core.export import selection
from core.export.report import ExportReport
from core.storage.store import read
from core.thread.review import verdict_of
from core.workspace import Workspace
from tui.app import SensorloomApp
from tui.dialogs.export_options import request_of, usual
from tui.keys import NO_KEYS
from tui.screens.export import ExportScreen, report_lines
from tui.screens.export_choice import ExportChoiceScreen
from tui.screens.help import HelpView
from tui.screens.main import MainScreen

Add = Callable[..., str]
Text = Callable[[Any], str]
Until = Any


async def opened(pilot: Any, until: Until, rows: int) -> MainScreen:
    main = pilot.app.screen
    assert isinstance(main, MainScreen)
    await until(pilot, lambda: main.ready and main.parts.folder.scanned and main.listed.count == rows)
    return main


def marks(main: MainScreen) -> str:
    return "".join(main.listed.render_line(y).text[5] for y in range(main.listed.count))


def exported(workspace: Workspace) -> list[Path]:
    return sorted(workspace.exports.glob("*.jsonl"))


async def test_x_exports_what_the_filter_shows_and_says_what_left(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text, monkeypatch: pytest.MonkeyPatch
):
    add_thread(1)
    add_thread(2, answer="sitting")
    add_thread(3, answer=None)
    add_thread(4, review={"verdict": "reject"})
    app = SensorloomApp(workspace)
    written: list[str] = []
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        main = await opened(pilot, until, 4)
        monkeypatch.setattr(app._driver, "write", written.append)  # pyright: ignore[reportPrivateUsage] - what reaches the terminal
        main.filter_line.value = "-truth:laying"
        await pilot.press("x")
        await until(pilot, lambda: "1 of the 2 finished threads" in screen(app))
        assert not exported(workspace)
        await pilot.press("x")
        await until(pilot, lambda: "the path was copied to" in screen(app))
        shown = screen(app)
        assert re.search(r"total +4 threads", shown) and re.search(r"exported +2", shown)
        assert "1 not finished" in shown and "1 rejected" in shown
        assert "✓ walking → walking · question 1" in shown and "✗ walking → sitting · question 2" in shown
        [path] = exported(workspace)
        assert path.name in shown and path.with_suffix(".manifest.json").exists()
        assert [json.loads(line)["id"][-1] for line in path.read_text().splitlines()] == ["1", "2"]
        assert any(base64.b64encode(str(path).encode()).decode() in sequence for sequence in written)
        assert (workspace.private / "copied.txt").read_text() == str(path)
        await pilot.press("escape")
        await until(pilot, lambda: marks(main) == "  ↑↑")
        main.filter_line.value = "exported:never"
        await until(pilot, lambda: len(main.parts.arranging.shown) == 2)


def test_no_word_of_a_warning_is_cut(workspace: Workspace):
    warning = "17 of the 17 threads to train on that compare with other people may quote some who are held out, or not"
    report = ExportReport("openai_v1", 20, 20, {}, (), (), {}, {}, 0, (warning,))
    for width in (78, 40):
        rows = ["".join(text for text, _ in line) for line in report_lines(workspace, report, width, NO_KEYS)]
        told = rows[next(at for at, row in enumerate(rows) if "warning" in row) :]
        assert " ".join(row[12:] for row in told).split() == warning.split() and max(map(len, rows)) <= width


async def test_one_key_leaves_the_wrong_answers_out_before_anything_is_written(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    add_thread(1)
    add_thread(2, answer="sitting")
    add_thread(3, answer="sitting", review={"verdict": "accept"})
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        await opened(pilot, until, 3)
        await pilot.press("x")
        await until(pilot, lambda: "1 of the 3 finished threads" in screen(app))
        await pilot.press("escape")
        await until(pilot, lambda: "nothing was exported" in screen(app))
        assert not exported(workspace)
        await pilot.press("x")
        await until(pilot, lambda: "1 of the 3 finished threads" in screen(app))
        await pilot.press("w")
        await until(pilot, lambda: "the path was copied to" in screen(app))
        [path] = exported(workspace)
        assert {json.loads(line)["id"][-1] for line in path.read_text().splitlines()} == {"1", "3"}


async def test_nothing_to_export_says_what_to_do(workspace: Workspace, add_thread: Add, until: Until, screen: Text):
    add_thread(1, answer=None)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 40)) as pilot:
        await opened(pilot, until, 1)
        await pilot.press("x")
        await until(pilot, lambda: "no threads found matching the filter" in screen(app).lower())
        assert "in the export dialog" in " ".join(app.screen.query_one(HelpView).text.split())
        assert not exported(workspace)


async def test_keys_pressed_while_it_counts_what_would_leave_go_to_no_thread(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text, monkeypatch: pytest.MonkeyPatch
):
    stem = add_thread(1)
    counted = threading.Event()
    outlook = selection.outlook

    def slowly(*arguments: Any) -> selection.Outlook:
        counted.wait(60)
        return outlook(*arguments)

    monkeypatch.setattr(selection, "outlook", slowly)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        main = await opened(pilot, until, 1)
        await pilot.press("x", "d")
        await until(pilot, lambda: "counting what would leave" in screen(app))
        await pilot.press("q")
        await until(pilot, lambda: app.screen is main and "nothing was exported" in screen(app))
        counted.set()
        await pilot.press("x")
        await until(pilot, lambda: "the path was copied to" in screen(app))
    assert len(exported(workspace)) == 1 and verdict_of(read(workspace.threads, stem).thread) == ""


async def test_leaving_the_program_would_stop_an_export_and_is_said_first(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    add_thread(1)
    workspace.exports.mkdir(parents=True, exist_ok=True)
    other = FileLock(workspace.exports / ".sensorloom.lock")
    other.acquire()
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        main = await opened(pilot, until, 1)
        await pilot.press("x")
        await until(pilot, lambda: "of 1 thread" in screen(app))
        await pilot.press("q")
        await until(pilot, lambda: app.screen is main)
        await pilot.press("q")
        await until(pilot, lambda: "an export is under way" in screen(app))
        other.release()
        await until(pilot, lambda: "1 thread exported to" in screen(app))
    assert len(exported(workspace)) == 1


async def test_an_export_that_is_left_goes_on_and_says_when_it_is_done(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    add_thread(1)
    workspace.exports.mkdir(parents=True, exist_ok=True)
    other = FileLock(workspace.exports / ".sensorloom.lock")
    other.acquire()
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        main = await opened(pilot, until, 1)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is main and "the export goes on" in screen(app))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        await pilot.press("escape")
        other.release()
        await until(pilot, lambda: "1 thread exported to" in screen(app))
    assert len(exported(workspace)) == 1


async def test_a_stopped_export_leaves_nothing(workspace: Workspace, add_thread: Add, until: Until, screen: Text):
    add_thread(1)
    workspace.exports.mkdir(parents=True, exist_ok=True)
    other = FileLock(workspace.exports / ".sensorloom.lock")
    other.acquire()
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 40)) as pilot:
        await opened(pilot, until, 1)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        await pilot.press("s")
        other.release()
        await until(pilot, lambda: "nothing was written" in screen(app))
    assert [path.name for path in workspace.exports.iterdir()] == [".sensorloom.lock"]


async def test_the_dialog_shows_what_would_leave_before_it_does(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    for number in range(1, 6):
        add_thread(number, answer="sitting" if number > 3 else "walking", messages=number)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 48)) as pilot:
        main = await opened(pilot, until, 5)
        await pilot.press("X")
        await until(pilot, lambda: "5 of 5 threads" in screen(app))
        assert '"id": "demo_s05_v4_0005"' in screen(app)
        await pilot.press("e", *"correct:true", "enter")
        await until(pilot, lambda: "3 of 5 threads" in screen(app) and '"id": "demo_s01_v4_0001"' in screen(app))
        await pilot.press("t")
        await until(pilot, lambda: '"id": "demo_s02_v4_0002"' in screen(app))
        await pilot.press("v")
        await until(pilot, lambda: "▌ step 1" in screen(app) and "▌ step 0" in screen(app))
        assert "▌ <|im_start|>" not in screen(app) and "  <|im_start|>user" in screen(app)
        await pilot.press(*"jjjj", "l", "l", "v")
        await until(pilot, lambda: "in the first 3 threads" in screen(app) and "llamafactory" in screen(app))
        await pilot.press(*"jjjjj", "e", *"2x", "enter", "enter")
        await until(pilot, lambda: "`2x` is no whole number" in screen(app))
        assert isinstance(app.screen, ExportChoiceScreen)
        await pilot.press("h", "e", *["backspace"] * 9, "1", "enter")
        await pilot.press(*"kkkkk", "h", "h", "enter")
        await until(pilot, lambda: "the path was copied to" in screen(app))
        [path] = exported(workspace)
        assert path.name.startswith("training_data_openai") and len(path.read_text().splitlines()) == 1
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is main)


async def test_older_threads_are_converted_from_the_list(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    add_thread(1)
    turn = {"action": "respond", "response": "It walks.", "final_answer": "walking"}
    old = {"thread_id": "old_v3_0001", "schema_version": "3.0", "dataset_name": "demo", "session_id": "s02",
           "ground_truth_label": "walking", "conversation": [turn]}  # fmt: skip
    (workspace.threads / "old_v3_0001.json").write_text(json.dumps(old))
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        main = await opened(pilot, until, 2)
        await pilot.press("G")
        await until(pilot, lambda: "so here" in screen(app))
        await pilot.press("V")
        await until(pilot, lambda: "the originals are kept in" in screen(app))
        await pilot.press("y")
        await until(pilot, lambda: {row.summary.shape for row in main.listed.rows} == {"v4"})
        assert main.listed.count == 2 and (workspace.root / "threads_v3_backup" / "old_v3_0001.json").exists()
        await pilot.press("u")
        await until(pilot, lambda: "undid: conversion from v3" in screen(app))
        await until(pilot, lambda: {row.summary.stem for row in main.listed.rows} >= {"old_v3_0001"})
        assert main.listed.count == 2


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_nothing_of_the_count_is_cut(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text, monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
):  # fmt: skip
    add_thread(1)
    reasons = {f"{word} threads that stay where they are for a reason which takes a line": 7 for word in "ABCDEF"}
    report = ExportReport("openai", 43, 1, reasons, (), (), {}, {}, warnings=("a warning " * 8 + "ends",))
    monkeypatch.setattr("tui.screens.export_choice.count", lambda *_: report)
    app = SensorloomApp(workspace)
    async with app.run_test(size=size) as pilot:
        await opened(pilot, until, 1)
        await pilot.press("X")
        await until(pilot, lambda: isinstance(app.screen, ExportChoiceScreen))

        def told() -> str:
            dialog = app.screen.query_one("#count")
            rows = screen(app).split("\n")[dialog.region.y : dialog.region.bottom]
            return " ".join(" ".join(row[dialog.region.x : dialog.region.right] for row in rows).split())

        await until(pilot, lambda: told().startswith("1 of 43") and told().endswith("7 F" + [*reasons][-1][1:]))
        options, seen = app.screen.query_one("#options"), app.screen.query_one("#preview")
        await until(pilot, lambda: options.size.height >= 3 and seen.size.height >= 2)
        assert all(reason in told() for reason in reasons) and "a warning ends" in told()


async def test_the_dialog_counts_as_the_export_does_and_w_leaves_out_wrong_answers(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    for number in range(1, 8):
        add_thread(number, answer="sitting" if number > 5 else "walking")
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 48)) as pilot:
        await opened(pilot, until, 7)
        await pilot.press("X")
        await until(pilot, lambda: "7 of 7 threads · 2 answer wrong: w leaves them out" in screen(app))
        await pilot.press("w")
        await until(pilot, lambda: "5 of 7 threads · 2 wrong answer" in screen(app))
        await pilot.press("w", *"jjjjjjjjj", "e", "3", "enter")
        await until(pilot, lambda: "3 of 7 threads · 4 over the cap of its label" in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "the path was copied to" in screen(app))
    [path] = exported(workspace)
    assert len(path.read_text().splitlines()) == 3


def test_a_choice_that_would_change_nothing_is_said_to():
    with pytest.raises(UsageError, match="`kept together` would change nothing: it takes a split"):
        request_of({**usual(""), "group": "family"})
    with pytest.raises(UsageError, match="`joined results` would change nothing with the profile openai_v1"):
        request_of({**usual(""), "template": "other"})


def test_the_dialog_begins_with_what_x_does():
    request = request_of(usual("status:finished"))
    assert request.filter == "status:finished" and request.finished_only and not request.rejected
    assert (request.profile, request.split, request.dedupe, request.cap) == ("openai_v1", None, "off", None)
