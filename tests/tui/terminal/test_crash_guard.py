from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from core.workspace import Workspace
from tests.tui.driving import notices
from tui.app import SensorloomApp
from tui.screens.main import MainScreen
from tui.terminal.crash_guard import GIVE_UP_COUNT
from tui.widgets.thread_list import ThreadList

Until = Any
pytestmark = pytest.mark.mishaps


class MarkedError(Exception):
    pass


def fail(*_: Any) -> Any:
    raise MarkedError("[/nothing] \x1b]0;title\x07")


def logged(workspace: Workspace) -> str:
    path = workspace.private / "log" / "sensorloom.log"
    return path.read_text() if path.exists() else ""


async def begun(pilot: Any, until: Until) -> MainScreen:
    main = pilot.app.screen
    assert isinstance(main, MainScreen)
    await until(pilot, lambda: main.ready and main.parts.folder.scanned and main.listed.count)
    return main


async def test_whatever_fails_is_a_sentence_and_the_app_goes_on(
    workspace: Workspace,
    add_thread: Callable[..., str],
    until: Until,
    screen: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
):
    for number in range(1, 4):
        add_thread(number)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        main = await begun(pilot, until)
        ways: dict[str, Callable[[], Any]] = {
            "worker": lambda: main.run_worker(fail, thread=True),
            "timer": lambda: main.set_timer(0.01, fail),
            "callback": lambda: main.call_after_refresh(fail),
            "action": lambda: monkeypatch.setattr(main.parts.list_screens, "choose_sort", fail),
            "thread": lambda: threading.Thread(target=fail).start(),
            "log": lambda: logging.getLogger("core.anything").error("the run failed", exc_info=MarkedError("x")),
        }
        for way, begin in ways.items():
            before = logged(workspace).count("MarkedError")
            begin()
            if way == "action":
                await pilot.press("o")
            await until(pilot, lambda before=before: logged(workspace).count("MarkedError") > before)
        await until(pilot, lambda: ".sensorloom/log/sensorloom.log" in screen(app))
        assert "Traceback" not in screen(app)
        await pilot.press("j")
        await until(pilot, lambda: main.listed.cursor == 1)
    assert app.crash == "" and not app.return_code


@pytest.mark.every_frame
async def test_a_row_that_cannot_be_drawn_leaves_the_rest(
    workspace: Workspace, add_thread: Callable[..., str], until: Until, monkeypatch: pytest.MonkeyPatch
):
    add_thread(1)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 40)) as pilot:
        main = await begun(pilot, until)
        with monkeypatch.context() as patched:
            patched.setattr(ThreadList, "line", fail)
            main.listed.refresh()
            await until(pilot, lambda: "MarkedError" in logged(workspace))
        main.listed.refresh()
        await pilot.press("2")
        await until(pilot, lambda: main.query_one("#conversation").has_focus)
    assert app.crash == ""


async def test_what_fails_again_and_again_ends_the_app_with_one_line(
    workspace: Workspace, add_thread: Callable[..., str], until: Until
):
    add_thread(1)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 40)) as pilot:
        main = await begun(pilot, until)
        for _ in range(GIVE_UP_COUNT):
            main.call_later(fail)
        await until(pilot, lambda: app.crash)
    assert app.return_code == 1
    assert "\n" not in app.crash and "\x1b" not in app.crash and "MarkedError" in app.crash
    assert not any(thread.name == "folder" and thread.is_alive() for thread in threading.enumerate())


async def test_a_log_that_cannot_be_written_is_no_second_mishap(
    workspace: Workspace, add_thread: Callable[..., str], until: Until
):
    add_thread(1)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        main = await begun(pilot, until)
        workspace.private.mkdir(exist_ok=True)
        (workspace.private / "log").write_text("in the way")
        main.run_worker(fail, thread=True)
        await until(pilot, lambda: any("the log could not be written" in notice.message for notice in notices(pilot)))
    assert app.crash == ""


async def test_work_with_all_threads_at_hand_is_not_written_out_on_the_screens_loop(
    workspace: Workspace, add_thread: Callable[..., str], until: Until
):
    class Long:
        def __repr__(self) -> str:
            raise AssertionError("a hundred thousand threads take a quarter of a second to write out")

    add_thread(1)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 40)) as pilot:
        main = await begun(pilot, until)
        done: list[object] = []
        for part in (app, main, main.listed):
            part.run_worker(partial(done.append, Long()), thread=True)
        await until(pilot, lambda: len(done) == 3)
