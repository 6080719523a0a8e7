"""Work that goes on in a process of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from core.runs.background import Background


async def saves_when_stopped(tell: Callable[[str], object], go_on: Path) -> None:
    """Goes on until it is stopped, and takes a while to save what came."""
    tell("begun")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        tell("saving")
        while not await asyncio.to_thread(go_on.exists):
            pass
        tell("saved")
        raise


def test_what_is_stopped_twice_saves_what_came(tmp_path: Path) -> None:
    told: list[str] = []
    over = threading.Event()

    def hear(word: str) -> None:
        told.append(word)
        if word != "saved":
            work.stop()  # as a key does, and then the end of the program
        if word == "saving":
            (tmp_path / "go on").touch()

    def ended(problem: str) -> None:
        told.append(problem)
        over.set()

    work = Background("the work", saves_when_stopped, tmp_path / "go on", heard=hear, ended=ended)
    work.start()
    assert over.wait(60)
    assert told == ["begun", "saving", "saved", ""] and work.stopping
