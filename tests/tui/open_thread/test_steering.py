"""Something said in the middle of a run: it stops after its turn, and goes on with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key

from core.thread.hint import hint_of
from core.workspace import Workspace, open_workspace
from tests.fake_server import Answer, FakeServer, calls, delta, fake_server, says
from tests.tui.driving import notices, on_disk, opened, work
from tests.tui.motion import motion_workspace, new_thread, on_screen, until

LOOK = calls(("show_channel_stats", "{}"))
FINAL = says("It moves.\n\nConfidence: high\nFinal Answer: walking")
Served = Callable[..., tuple[FakeServer, Workspace]]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    motion_workspace(tmp_path)
    with fake_server() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)

        def scripted(*answers: Answer) -> tuple[FakeServer, Workspace]:
            server.script = list(answers)
            return server, open_workspace(str(tmp_path))

        yield scripted


async def begun(pilot: Any, screen: Any, server: FakeServer) -> None:
    """A run whose first request the server holds, and the dialog over it."""
    server.lock.acquire()
    await pilot.press("R")
    await until(pilot, lambda: work(screen).busy and screen.key_bar.situation == "running")
    await pilot.press("quotation_mark")
    await until(pilot, lambda: "stops after this turn" in on_screen(pilot.app))


async def test_what_the_user_says_stands_after_the_present_turn_and_the_run_goes_on(served: Served):
    server, workspace = served(LOOK, FINAL)
    stem = new_thread(workspace).stem
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await begun(pilot, screen, server)
        driver = pilot.app._driver  # pyright: ignore[reportPrivateUsage] - where keys come from
        assert driver is not None
        for key in (*"is it regular?", "enter"):  # all of them are there before the first is looked at
            driver.send_message(Key(key, key if len(key) == 1 else None))
        server.lock.release()
        await until(pilot, lambda: on_disk(workspace, stem).thread.status == "finished" and not work(screen).busy)
        messages = on_disk(workspace, stem).thread.messages
        assert [message["role"] for message in messages] == ["user", "assistant", "tool", "user", "assistant"]
        assert messages[3]["content"] == "is it regular?" == server.requests[-1]["messages"][-1]["content"]


async def test_a_hint_is_said_stored_nowhere_and_looked_for_afterwards(served: Served):
    server, workspace = served(LOOK, FINAL)
    stem = new_thread(workspace).stem
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await begun(pilot, screen, server)
        await pilot.press(*"mind the gyroscope", "ctrl+t")
        server.lock.release()
        await until(pilot, lambda: any("nothing in the thread shows" in note.message for note in notices(pilot)))
        assert server.requests[-1]["messages"][-1]["content"] == "mind the gyroscope"
        assert "mind the gyroscope" not in on_disk(workspace, stem).data.decode()
        assert hint_of(on_disk(workspace, stem).thread) == "stripped"


async def test_who_says_nothing_lets_the_run_go_on(served: Served):
    server, workspace = served(LOOK, FINAL)
    stem = new_thread(workspace).stem
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await begun(pilot, screen, server)
        server.lock.release()
        await until(pilot, lambda: len(on_disk(workspace, stem).thread.messages) == 3 and not work(screen).busy)
        await pilot.press("escape")
        await until(pilot, lambda: on_disk(workspace, stem).thread.status == "finished")
        assert len(server.requests) == 2


async def test_after_a_stop_what_came_is_put_aside_and_the_run_goes_on_with_what_is_said(served: Served):
    _, workspace = served(Answer([delta(content="I look at")], then="hang"), FINAL)
    stem = new_thread(workspace).stem
    stored = on_disk(workspace, stem)
    assert stored.thread.status == "active"
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await pilot.press("R")
        await until(pilot, lambda: "I look at" in on_screen(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: work(screen).shown is not None and not work(screen).busy)
        await pilot.press("quotation_mark")
        await until(pilot, lambda: "Then it runs to the end" in on_screen(pilot.app))
        await pilot.press(*"think of the steps", "ctrl+t")
        await until(pilot, lambda: on_disk(workspace, stem).thread.status == "finished")
        assert [each["reason"] for each in on_disk(workspace, stem).thread.alternatives] == ["superseded"]
