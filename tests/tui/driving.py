"""Driving the real app through turns: opening it on a workspace, and waiting for what its keys set off."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from core.storage import store
from core.storage.store import Stored
from core.workspace import Workspace
from tests.tui.motion import until
from tui.app import SensorloomApp
from tui.screens.main import MainScreen


@asynccontextmanager
async def opened(
    workspace: Workspace, size: tuple[int, int] = (150, 45)
) -> AsyncGenerator[tuple[Pilot[Any], MainScreen]]:
    app = SensorloomApp(workspace)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MainScreen) and getattr(app.screen, "ready", False))
        screen = app.screen
        assert isinstance(screen, MainScreen)
        await until(pilot, lambda: screen.parts.thread.work is not None)
        await pilot.press("2")
        yield pilot, screen


def work(screen: MainScreen) -> Any:
    thread_work = screen.parts.thread.work
    assert thread_work is not None
    return thread_work


def on_disk(workspace: Workspace, stem: str) -> Stored:
    return store.read(workspace.threads, stem)


def notices(pilot: Pilot[Any]) -> list[Any]:
    return list(pilot.app._notifications)  # pyright: ignore[reportPrivateUsage] - what a person was told


async def proposed(pilot: Pilot[Any], screen: MainScreen, key: str = "r") -> None:
    await pilot.press(key)
    await until(pilot, lambda: work(screen).shown is not None and not work(screen).run)


async def finished(pilot: Pilot[Any], screen: MainScreen) -> None:
    await pilot.press("R")
    await until(pilot, lambda: work(screen).stored.thread.status == "finished" and not work(screen).run)
