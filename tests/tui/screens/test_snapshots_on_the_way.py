"""Further screens as they are drawn, all of them from one start of the app: what a thread's neighbours are, what fails,
what is said in a run, and what of the data there is to see.

As in `test_snapshots.py`, `make snapshots` writes them down.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core import curate
from core.storage import store
from core.thread.value import Thread
from core.workspace import Workspace
from tests.tui.driving import opened
from tests.tui.motion import motion_workspace, on_screen, until
from tests.tui.screens.test_snapshots import as_looked_at, thread
from tui.dialogs.say import SayScreen
from tui.screens.main import MainScreen
from tui.screens.new_thread import NewThreadScreen
from tui.screens.plot import PlotScreen

pytestmark = pytest.mark.every_frame


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """Threads about one session of a dataset, some of them branches and some wrong."""
    workspace = motion_workspace(tmp_path)
    workspace.threads.mkdir()
    for number, (final, truth) in enumerate([("walking", "walking"), ("sitting", "walking"), ("lying", "walking")], 1):
        plain = thread(number, final, truth)
        metadata = {**plain.metadata, "dataset": "motion", "session": "s01_0"}
        store.create(workspace.threads, Thread({**plain.document, "metadata": metadata}))
    first = store.read(workspace.threads, "demo_s01_v4_0001")
    curate.branch(workspace, curate.branch(workspace, first, 4), 2)
    yield workspace


async def shows(pilot: Pilot[Any], *texts: str) -> None:
    await until(pilot, lambda: all(text in on_screen(pilot.app) for text in texts))


def findings_in_list(pilot: Pilot[Any]) -> int:
    """How many of the five threads have the mark of what the checks see in them."""
    return sum("!" in row[:40] for row in on_screen(pilot.app).splitlines()[1:6])


async def back(pilot: Pilot[Any]) -> None:
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))


@pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])
async def test_the_screens_on_the_way_are_as_they_were_looked_at(
    size: tuple[int, int], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    """All of them in the smallest terminal; in a large one those that lay themselves out otherwise there."""
    at = f"{size[0]}x{size[1]}"
    monkeypatch.setattr("tui.screens.question_request.random.randrange", lambda _: 7)
    async with opened(workspace, size) as (pilot, main):
        await until(pilot, lambda: main.listed.count == 5)
        main.parts.arranging.go_to("demo_s01_v4_0001")
        await until(pilot, lambda: findings_in_list(pilot) == 4)
        await pilot.press("3")
        await shows(pilot, "128 samples", "max min")
        if size == (80, 24):
            await beside_a_thread(pilot, main)
        await pilot.press("3", "p")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlotScreen))
        await shows(pilot, "dominant", "acc_z")
        if size == (80, 24):
            await as_looked_at(pilot, f"plot-{at}")
        await pilot.press("f")
        await shows(pilot, "/√Hz")
        await as_looked_at(pilot, f"spectrum-{at}")
        await back(pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, NewThreadScreen))
        await shows(pilot, "16 sessions")
        await pilot.press("g")
        await shows(pilot, "▸ s01_0", "2.5 s")
        await as_looked_at(pilot, f"sessions-{at}")


async def beside_a_thread(pilot: Pilot[Any], main: MainScreen) -> None:
    await as_looked_at(pilot, "sensors-80x24")
    await pilot.press("y")
    await shows(pilot, "↕")
    await as_looked_at(pilot, "sensors-by-unit-80x24")
    await pilot.press("1", "backslash")
    await shows(pilot, "· 5 threads")
    await as_looked_at(pilot, "tree-80x24")
    await back(pilot)
    await pilot.press("percent_sign")
    await shows(pilot, "walking → lying", "⏎ dataset:motion")
    await as_looked_at(pilot, "failures-80x24")
    await back(pilot)
    await pilot.press("tilde")
    await until(pilot, lambda: main.listed.likeness and "100% like it" in on_screen(pilot.app))
    await as_looked_at(pilot, "similar-80x24")
    await pilot.press("escape")
    await until(pilot, lambda: not main.listed.likeness)
    pilot.app.push_screen(SayScreen("", running=True))
    await shows(pilot, "stops after this turn")
    await as_looked_at(pilot, "say-80x24")
    await back(pilot)
    await pilot.press("ctrl+o")
    await shows(pilot, "first token timeout")
    await as_looked_at(pilot, "model-80x24")
    await back(pilot)
    await pilot.press("O", "enter")
    await shows(pilot, "acc_z  ")
    await as_looked_at(pilot, "dataset-80x24")
    await pilot.press("escape", "escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
