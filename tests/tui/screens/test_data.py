from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.app import App

from core.datasets.check import CheckReport, check_dataset
from core.datasets.mend import Mends, mends_in
from core.datasets.standard import dataset_names
from core.errors import UsageError
from tests.tui.conftest import Until
from tests.tui.driving import notices, opened
from tests.tui.motion import motion_workspace, new_thread


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_dataset_is_imported_checked_mended_and_put_back(
    tmp_path: Path, until: Until, screen: Callable[[App[Any]], str], size: tuple[int, int]
):
    workspace = motion_workspace(tmp_path)
    new_thread(workspace)
    channels = workspace.data / "motion" / "manifest.json"
    before = channels.read_bytes()
    async with opened(workspace, size) as (pilot, _):
        await pilot.press("1", "O")
        await until(pilot, lambda: "16 sessions of 4 subjects, 2 labels" in screen(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: "dataset · motion" in screen(pilot.app) and "labels" in screen(pilot.app))
        await pilot.press("escape", "c")
        await until(pilot, lambda: "motion: 16 sessions read" in screen(pilot.app))
        await pilot.press("m", "ctrl+u", *"--drop acc_q", "enter")
        await until(pilot, lambda: "acc_q" in screen(pilot.app) and "--drop" not in screen(pilot.app))
        await pilot.press("m", "ctrl+u", *"--drop acc_z", "enter")
        await until(pilot, lambda: "motion is mended" in screen(pilot.app))
        assert b"acc_z" not in channels.read_bytes()
        await pilot.press("u")
        await until(pilot, lambda: "as it was before" in screen(pilot.app))
        assert channels.read_bytes() == before
        await pilot.press("i")
        await until(pilot, lambda: "recordings of one's own" in screen(pilot.app) and "uci_har" in screen(pilot.app))
        await pilot.press("j", "j", "enter", *"/no/where")
        await until(pilot, lambda: "/no/: no such file or directory" in screen(pilot.app))
        await pilot.press("ctrl+u", *f"{tmp_path}/data/mot", "tab", "enter")
        await until(pilot, lambda: "train/y_train.txt" in screen(pilot.app))
        assert dataset_names(workspace) == ["motion"]


async def test_what_goes_on_after_the_screen_is_left_is_told_in_the_end(
    tmp_path: Path, until: Until, screen: Callable[[App[Any]], str], monkeypatch: pytest.MonkeyPatch
):
    begun, go_on = Event(), Event()

    def slow(*arguments: Any) -> CheckReport:
        begun.set()
        go_on.wait(60)
        return check_dataset(*arguments)

    monkeypatch.setattr("core.datasets.check.check_dataset", slow)
    workspace = motion_workspace(tmp_path)
    new_thread(workspace)
    async with opened(workspace, (100, 30)) as (pilot, main):
        await pilot.press("1", "O")
        await until(pilot, lambda: "16 sessions of 4 subjects, 2 labels" in screen(pilot.app))
        await pilot.press("c")
        await until(pilot, begun.is_set)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is main)
        go_on.set()
        await until(pilot, lambda: any("motion: 16 sessions read" in note.message for note in notices(pilot)))


def test_mends_are_written_as_the_command_takes_them():
    wanted = Mends(True, False, "ms", "sort", {"acc": "g"}, ("label", "x"))
    assert mends_in("--numbers --time-unit ms --times=sort --unit acc=g --drop label --drop x") == wanted
    for wrong in ("--time-unit h", "--unit acc", "--drop", "sort", "--drop 'left open"):
        with pytest.raises(UsageError):
            mends_in(wrong)
