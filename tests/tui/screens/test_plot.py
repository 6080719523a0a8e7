from __future__ import annotations

from pathlib import Path

from core.datasets.whole.marks import Mark
from core.datasets.whole.marks_file import read_marks
from tests.tui.driving import notices, opened
from tests.tui.motion import motion_workspace, new_thread, on_screen, until, with_recording
from tui.screens.data import DataScreen
from tui.screens.main import MainScreen
from tui.screens.marking import MarkScreen


async def test_the_plot_of_a_session_pans_zooms_reads_lays_over_and_is_saved(tmp_path: Path):
    workspace = motion_workspace(tmp_path)
    new_thread(workspace)
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await until(pilot, lambda: screen.parts.thread.sensors.view is not None)
        await pilot.press("p")
        await until(pilot, lambda: "0.00 to 2.54 s" in on_screen(pilot.app) and "Hz" in on_screen(pilot.app))
        assert all(f"acc_{axis}" in on_screen(pilot.app) for axis in "xyz"), "all axes are there at 80×24"
        await pilot.press("right")
        await pilot.press("plus", "l")
        await until(pilot, lambda: "0.00 to 2.54 s" not in on_screen(pilot.app))
        await pilot.press("t", "y", "y")
        await until(pilot, lambda: "one scale for all of a unit" in on_screen(pilot.app))
        await pilot.press("r")
        await until(pilot, lambda: "a label of motion" in on_screen(pilot.app))
        await pilot.press(*"walk", "enter")
        await until(pilot, lambda: "90 % of walking" in on_screen(pilot.app))
        await pilot.press("v")
        await until(pilot, lambda: "a session of motion" in on_screen(pilot.app))
        await pilot.press(*"s02_1", "enter")
        await until(pilot, lambda: "dashed: s02_1" in on_screen(pilot.app))
        await pilot.press("f")
        await until(pilot, lambda: "g/√Hz" in on_screen(pilot.app) and "1.9" in on_screen(pilot.app))
        await pilot.press("f")
        await until(pilot, lambda: "Hz over seconds" in on_screen(pilot.app))
        await pilot.press("S", "enter")
        await until(pilot, lambda: (workspace.exports / "plot-s01_0.svg").exists())
        assert "acc_y (g)" in (workspace.exports / "plot-s01_0.svg").read_text()
        await pilot.press("m")
        await until(pilot, lambda: any("is a window with a label of its own" in n.message for n in notices(pilot)))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))


async def test_a_recording_is_marked_by_keys_snapped_to_its_change_and_undone(tmp_path: Path):
    workspace = motion_workspace(tmp_path)
    folder = with_recording(tmp_path)
    new_thread(workspace)
    async with opened(workspace, (100, 30)) as (pilot, _):
        await pilot.press("1", "O")
        await until(pilot, lambda: "16 sessions" in on_screen(pilot.app))
        await pilot.press("r")
        await until(pilot, lambda: "◆ changes at 30.0" in on_screen(pilot.app))
        await pilot.press("s", "n")
        await until(pilot, lambda: "begun at 0.00 s" in on_screen(pilot.app))
        await pilot.press("2", "n", "1")
        await until(pilot, lambda: len(read_marks(folder).marks.stretches) == 2)
        first, second = read_marks(folder).marks.stretches
        assert (first.label, second.label) == ("sitting", "walking") and first.start_sec == 0
        assert abs(first.end_sec - 30) < 0.3 and first.end_sec == second.start_sec
        assert second.end_sec == 60, "the last sample is a part of it"
        await until(pilot, lambda: "─sitting─" in on_screen(pilot.app) and "─walking─" in on_screen(pilot.app))
        await pilot.press("h", "N", "s", "w", "enter", *"falling", "enter")
        await until(pilot, lambda: "falling" in read_marks(folder).marks.labels)
        await pilot.press("u", "u", "ctrl+r")
        await until(pilot, lambda: read_marks(folder).marks.stretches == (first, second))
        (folder / "intervals.csv").write_text("start_sec,end_sec,label\n1,2,theirs\n")
        await pilot.press("u")
        await until(pilot, lambda: any("changed by somebody else" in n.message for n in notices(pilot)))
        assert read_marks(folder).marks.stretches == (Mark(1, 2, "theirs"),)
        screen = pilot.app.screen
        assert isinstance(screen, MarkScreen)
        await until(pilot, lambda: screen.drawing and screen.drawing.stretches == (Mark(1, 2, "theirs"),))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, DataScreen))
        await pilot.press("escape", "w", "O")
        await until(pilot, lambda: "16 sessions" in on_screen(pilot.app))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, MarkScreen))
        blind = pilot.app.screen
        assert isinstance(blind, MarkScreen)
        await until(pilot, lambda: blind.drawing is not None and blind.drawing.findings is not None)
        await pilot.press("right", "s")
        await until(pilot, lambda: "begun at 1.00 s" in on_screen(pilot.app))
        await pilot.press("a", "s")
        await until(pilot, lambda: "begun at 0.69 s" in on_screen(pilot.app))
        assert blind.drawing and [mark.label for mark in blind.drawing.stretches or ()] == ["label hidden"]
