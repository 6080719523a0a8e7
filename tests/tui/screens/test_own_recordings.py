"""Importing recordings of one's own on the screen: where they are, how they are read, and what is left when stopped."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.pilot import Pilot

from core.datasets.importing import ImportReport, import_dataset
from core.datasets.standard import dataset_names, open_dataset
from core.storage import store, thread_files
from core.workspace import Workspace, open_workspace
from tests.phone import phone_recording
from tests.tui.motion import on_screen, until
from tui.app import SensorloomApp
from tui.dialogs.ask_path import AskPathScreen
from tui.screens.data import DataScreen
from tui.screens.first_run import FirstRunScreen
from tui.screens.main import MainScreen
from tui.screens.new_thread import NewThreadScreen
from tui.screens.own_recordings import OwnRecordingsScreen


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace that holds a folder of recordings and nothing else, and is the current folder."""
    phone_recording(tmp_path / "space" / "phone")
    monkeypatch.chdir(tmp_path / "space")
    return open_workspace(str(tmp_path / "space"), environ={})


@asynccontextmanager
async def welcomed(workspace: Workspace, size: tuple[int, int] = (120, 40)) -> AsyncGenerator[Pilot[Any]]:
    app = SensorloomApp(workspace)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        yield pilot


def showing(pilot: Pilot[Any], screen: type[object], text: str = "") -> Callable[[], bool]:
    return lambda: isinstance(pilot.app.screen, screen) and text in on_screen(pilot.app)


async def proposed(pilot: Pilot[Any]) -> None:
    """Go to the proposal for the folder."""
    await pilot.press("o")
    await until(pilot, showing(pilot, AskPathScreen, "phone/"))
    await pilot.press("enter")
    await until(pilot, showing(pilot, OwnRecordingsScreen, "up to 8 sessions"))


def threads(workspace: Workspace) -> list[str]:
    every = (store.read(workspace.threads, stem).thread for stem in thread_files.stems(workspace.threads))
    return [thread.id for thread in every if thread.status == "finished"]


async def test_ten_keys_lead_from_a_phones_files_to_a_dataset_a_thread_and_an_export(empty: Workspace):
    pressed: list[str] = []
    async with welcomed(empty) as pilot:

        async def press(key: str, then: Callable[[], object]) -> None:
            pressed.append(key)
            await pilot.press(key)
            await until(pilot, then)

        await press("o", showing(pilot, AskPathScreen, "phone/"))
        await press("enter", showing(pilot, OwnRecordingsScreen, "up to 8 sessions"))
        await press("enter", showing(pilot, MainScreen, "8 sessions imported"))
        await press("n", showing(pilot, NewThreadScreen, "phone"))
        await press("R", lambda: threads(empty) and "threads 1" in on_screen(pilot.app))
        await press(
            "x", lambda: any(part in on_screen(pilot.app) for part in ("training_data_openai_", "answer wrong"))
        )
        if "answer wrong" in on_screen(pilot.app):
            await press("x", showing(pilot, object, "training_data_openai_"))
        await until(pilot, showing(pilot, object, "exported  1"))
    assert len(pressed) <= 10
    dataset = open_dataset(empty, "phone")
    assert sorted(label for own in dataset.labels.values() for label in own).count("walking") == 4
    rows = [json.loads(line) for path in empty.exports.glob("*.jsonl") for line in path.read_text().splitlines()]
    assert [row["id"] for row in rows] == threads(empty)


async def test_what_was_decided_is_changed_by_keys_and_looked_at_again(empty: Workspace):
    async with welcomed(empty) as pilot:
        await proposed(pilot)
        assert "recorded at 50 Hz, interpolated" in on_screen(pilot.app) and "walking" in on_screen(pilot.app)
        await pilot.press("j", "space", "ctrl+u", *"jogging", "enter")
        await until(pilot, showing(pilot, OwnRecordingsScreen, "1 label"))
        assert "all are jogging" in on_screen(pilot.app)
        await pilot.press("j", "space", *"ann", "enter")
        await until(pilot, showing(pilot, OwnRecordingsScreen, "of 1 subject"))
        await pilot.press("j", "l", "l")
        await until(pilot, showing(pilot, OwnRecordingsScreen, "recorded at different times"))
        assert "subjects  ann" in on_screen(pilot.app), "the rest stays visible"
        await pilot.press("h", "h", "h")
        await until(pilot, showing(pilot, OwnRecordingsScreen, "of 1 subject"))
        await pilot.press("g", "space", "ctrl+u", *"mine", "enter", "enter")
        await until(pilot, showing(pilot, MainScreen))
    dataset = open_dataset(empty, "mine")
    assert dataset.activities == ("jogging",) and {*dataset.subjects.values()} == {"ann"}


async def test_an_import_that_is_stopped_leaves_nothing_and_tomorrows_recordings_are_read_as_todays(
    empty: Workspace, monkeypatch: pytest.MonkeyPatch
):
    begun, go_on = Event(), Event()

    def slow(*arguments: Any, **options: Any) -> ImportReport:
        begun.set()
        go_on.wait(60)
        return import_dataset(*arguments, **options)

    monkeypatch.setattr("tui.screens.recordings_work.import_dataset", slow)
    phone_recording(empty.root / "phone_2")
    async with welcomed(empty) as pilot:
        await proposed(pilot)
        await pilot.press("enter")
        await until(pilot, begun.is_set)
        await pilot.press("escape")
        await until(pilot, showing(pilot, OwnRecordingsScreen, "stopping"))
        go_on.set()
        await until(pilot, showing(pilot, OwnRecordingsScreen, "stopped; nothing was imported"))
        assert dataset_names(empty) == [] and not list(empty.data.iterdir())
        await pilot.press("j", "j", "space", *"ann", "enter")
        await until(pilot, showing(pilot, OwnRecordingsScreen, "of 1 subject"))
        await pilot.press("enter")
        await until(pilot, showing(pilot, MainScreen, "8 sessions imported"))
        await pilot.press("O")
        await until(pilot, showing(pilot, DataScreen, "8 sessions of 1 subject"))
        monkeypatch.chdir("/")  # where the last ones lay is remembered, wherever the program is started
        await pilot.press("i", "enter")
        await until(pilot, showing(pilot, AskPathScreen, "phone_2/"))
        await pilot.press(*"phone_2", "enter")
        await until(pilot, showing(pilot, OwnRecordingsScreen, "up to 8 sessions of unknown subjects"))
        await pilot.press("j", "l")
        await until(pilot, showing(pilot, OwnRecordingsScreen, "up to 8 sessions of 1 subject"))
        await pilot.press("enter")
        await until(pilot, showing(pilot, DataScreen, "phone_2: 8 sessions imported"))
    assert {*open_dataset(empty, "phone_2").subjects.values()} == {"ann"}
    assert (empty.data / "phone_2" / "import.toml").read_text() == (empty.data / "phone" / "import.toml").read_text()
