"""Turns put in, moved, parted and joined by key, on a screen of the smallest size."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.curate.steps import commit
from core.storage.store import Stored
from core.thread.updates import recount
from core.thread.value import Thread, calls_of, text_of
from core.workspace import Workspace
from tests.core.curate.world import FINAL, assistant
from tests.tui.driving import notices, on_disk, opened
from tests.tui.motion import motion_workspace, new_thread, on_screen, until


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "ws"
    root.mkdir()
    return motion_workspace(root)


def with_parallel_calls(workspace: Workspace) -> Stored:
    """question · 1 two calls and their results · 4 the answer."""
    stored = new_thread(workspace)
    message = assistant("two looks", ("show_channel_stats", {}), ("compute_spectrum", {"channel_names": ["acc_x"]}))
    results = [
        {"role": "tool", "tool_call_id": call["id"], "name": call["function"]["name"], "content": '{"ok": 1}'}
        for call in calls_of(message)
    ]
    document = {**stored.thread.document, "messages": [*stored.thread.messages, message, *results, assistant(FINAL)]}
    return commit(workspace, stored, recount(Thread(document)), "turns")


def spoken(workspace: Workspace, stem: str) -> list[str]:
    return [text_of(message) for message in on_disk(workspace, stem).thread.messages if message["role"] != "tool"]


async def test_parting_moving_and_joining_are_a_key_each_and_one_undo_each(workspace: Workspace):
    stem = with_parallel_calls(workspace).stem
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await pilot.press("g", "J", "vertical_line")
        await until(pilot, lambda: spoken(workspace, stem)[1:3] == ["two looks", ""])
        await pilot.press("right_parenthesis")
        await until(pilot, lambda: spoken(workspace, stem)[1:3] == ["", "two looks"])
        await until(pilot, lambda: screen.parts.thread.conversation.index == 3)  # the focus went with its turn
        await pilot.press("left_parenthesis", "left_parenthesis")
        await until(pilot, lambda: any("stays first" in note.message for note in notices(pilot)))
        assert spoken(workspace, stem)[1:3] == ["two looks", ""]
        await pilot.press("ampersand")
        await until(pilot, lambda: len(spoken(workspace, stem)) == 3)
        for _ in range(4):
            await pilot.press("u")
        await until(pilot, lambda: len(calls_of(on_disk(workspace, stem).thread.messages[1])) == 2)
        assert not [message for message in on_disk(workspace, stem).thread.messages if message.get("stale")]


async def test_what_the_user_says_is_put_in_after_the_turn_in_focus(workspace: Workspace):
    stem = with_parallel_calls(workspace).stem
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await pilot.press("g", "J", "I")
        await until(pilot, lambda: "the assistant calls" in on_screen(pilot.app))
        await pilot.press("u", *"look closer", "enter")
        await until(pilot, lambda: spoken(workspace, stem)[2:3] == ["look closer"])
        await until(pilot, lambda: screen.parts.thread.conversation.index == 4)
        await pilot.press("g", "J", "I")
        await until(pilot, lambda: "the assistant calls" in on_screen(pilot.app))
        await pilot.press("c", "enter")
        await until(pilot, lambda: len(spoken(workspace, stem)) == 5)
        call = on_disk(workspace, stem).thread.messages[4]
        assert calls_of(call)[0]["function"]["name"] == "show_channel_stats"
        assert "acc_x" in text_of(on_disk(workspace, stem).thread.messages[5])
