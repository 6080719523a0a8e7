from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.storage.splits_file import hold_out, read_book
from core.workspace import Workspace
from tui.app import SensorloomApp
from tui.screens.export_choice import ExportChoiceScreen
from tui.screens.held_out import HeldOutScreen
from tui.screens.main import MainScreen

Add = Callable[..., str]
Text = Callable[[Any], str]
ROW = 7
"""The place of `held out` among the options."""


async def opened(pilot: Any, until: Any, screen: Text, threads: int) -> None:
    """The export dialog, at what is held out, with the dialog of its names open."""
    main = pilot.app.screen
    assert isinstance(main, MainScreen)
    await until(pilot, lambda: main.ready and main.parts.folder.scanned and main.listed.count == threads)
    await pilot.press("X")
    await until(pilot, lambda: f"of {threads} threads" in screen(pilot.app))
    await pilot.press(*"j" * ROW, "l")
    await until(pilot, lambda: isinstance(pilot.app.screen, HeldOutScreen) and pilot.app.screen.rows.roster)


async def test_what_is_held_out_is_named_completed_taken_back_and_counted(
    workspace: Workspace, add_thread: Add, until: Any, screen: Text
):
    for number in (1, 2, 3, 4, 12):
        add_thread(number)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 48)) as pilot:
        await opened(pilot, until, screen, 5)
        assert "no session" in screen(app) and "□ demo/subject:s01" in screen(app)
        await pilot.press(*"demo/s1")
        await until(pilot, lambda: "demo/s12" in screen(app))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "demo/s12 is held out: 1 session, 1 thread" in screen(app))
        assert read_book(workspace.root).held_out == ["demo/s12"]
        await pilot.press(*"s01", "enter")
        await until(pilot, lambda: "2 names have `s01` in them" in screen(app))
        await pilot.press("down", "up", "enter")
        await until(pilot, lambda: "demo/subject:s01 is held out" in screen(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "demo/s01 is held out by demo/subject:s01; take that back" in screen(app))
        await pilot.press("escape")
        await until(pilot, lambda: "3 of 5 threads · 2 held out" in screen(app))
        assert "2 sessions, 2 threads: demo/s12" in screen(app)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, HeldOutScreen) and app.screen.rows.roster)
        await pilot.press("down", "up", "enter")
        await until(pilot, lambda: "demo/s12 is trained on again" in screen(app) and "□ demo/s12" in screen(app))
        await pilot.press("escape", *"kk", "e", *"60/20/20", "enter")
        await until(pilot, lambda: "5 of 5 threads · 1 held out, on the test side" in screen(app))
    assert read_book(workspace.root).held_out == ["demo/subject:s01"]


async def test_an_unknown_name_is_refused_and_a_pattern_is_taken(
    workspace: Workspace, add_thread: Add, until: Any, screen: Text
):
    for number in range(1, 4):
        add_thread(number)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, until, screen, 3)
        await pilot.press(*"demo/s99", "enter")
        await until(pilot, lambda: "there is no session or subject `demo/s99`; did you mean" in screen(app))
        assert not (workspace.root / "splits.json").exists()
        await pilot.press(*["backspace"] * 2, *"0*", "enter")
        await until(pilot, lambda: "demo/s0* is held out: 3 sessions, 3 threads" in screen(app))
        await pilot.press("escape")
        await until(pilot, lambda: "0 of 3 threads · 3 held out" in screen(app))
        assert isinstance(app.screen, ExportChoiceScreen)


async def test_names_that_cannot_be_read_are_said_and_left_alone(
    workspace: Workspace, add_thread: Add, until: Any, screen: Text
):
    add_thread(1)
    hold_out(workspace.root, ["demo/s01"])
    (workspace.root / "splits.json").write_text("{")
    app = SensorloomApp(workspace)
    async with app.run_test(size=(120, 40)) as pilot:
        main = app.screen
        assert isinstance(main, MainScreen)
        await until(pilot, lambda: main.ready and main.listed.count == 1)
        main.filter_line.value = "heldout:true"
        await until(pilot, lambda: "splits.json: cannot be read" in screen(app))
        main.filter_line.value = ""
        await until(pilot, lambda: "splits.json" not in screen(app))
        assert main.listed.count == 1
        await pilot.press("X")
        await until(pilot, lambda: "mend it, or move it away" in screen(app))
        await pilot.press(*"j" * ROW, "e")
        await until(pilot, lambda: isinstance(app.screen, HeldOutScreen) and "cannot be read" in screen(app))
    assert (workspace.root / "splits.json").read_text() == "{"
