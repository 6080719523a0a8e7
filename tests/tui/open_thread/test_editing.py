"""The editor in the real app: its keys, its drafts, hostile text, other programs' changes, a crash."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets import TextArea

from core import curate
from core.runs.toolbox import open_toolbox
from core.storage import thread_files
from core.storage.drafts import load_drafts
from core.storage.store import Stored
from core.thread.proposal import Generation, Proposal
from core.workspace import Workspace
from tests.tui.driving import finished, notices, on_disk, opened, work
from tests.tui.motion import motion_workspace, new_thread, on_screen, until
from tests.tui.terminal.test_in_a_terminal import DEADLINE_SECONDS, Terminal
from tui.screens.main import MainScreen
from tui.terminal.textual_private import drawn_rows
from tui.widgets.conversation import Conversation
from tui.widgets.editor import MessageEditor, NameField
from tui.widgets.text_field import MOST_PASTED


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "ws"
    root.mkdir()
    return motion_workspace(root)


def with_call(workspace: Workspace, content: str = "I look.", name: str = "show_channel_stats") -> Stored:
    """A thread whose one turn calls a tool."""
    stored = new_thread(workspace)
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": '{"artifact_id": "session"}'}}
    turn = (
        {"role": "assistant", "content": content, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "name": name, "content": '{"mean": 1.10}'},
    )
    return curate.accept(workspace, stored, Proposal(1, turn, Generation("m")))


async def editing(pilot: Pilot[Any], screen: MainScreen, index: int) -> MessageEditor:
    screen.query_one(Conversation).focus_message(index)
    await pilot.press("e")
    await until(pilot, lambda: screen.query(MessageEditor) and screen.query_one(MessageEditor).query(TextArea))
    return screen.query_one(MessageEditor)


async def test_the_key_bar_has_the_editors_keys_whole_at_80_columns(workspace: Workspace):
    with_call(workspace)
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await editing(pilot, screen, 1)
        await until(pilot, lambda: screen.key_bar.situation == "editor")
        bar = on_screen(pilot.app).split("\n")[-1]
        for key in ("ctrl+t save", "ctrl+r save and re-run", "tab next", "ctrl+g $EDITOR", "esc keep draft"):
            assert key in bar
        await pilot.press("escape")
        await until(pilot, lambda: screen.key_bar.situation == "conversation")


async def test_tab_stays_in_the_editor_where_letters_are_letters(workspace: Workspace):
    stem = with_call(workspace).stem
    async with opened(workspace) as (pilot, screen):
        editor = await editing(pilot, screen, 1)
        seen: list[str | None] = []
        for _ in range(4):
            await pilot.press("tab")
            seen.append(pilot.app.focused.id if pilot.app.focused else None)
        assert seen == ["text", "name-0", "arguments-0", "text"]
        await pilot.press("shift+tab", "tab", "x", "d", "q")
        await until(pilot, lambda: "xdq" in editor.query_one("#text", TextArea).text)
        assert isinstance(pilot.app.screen, MainScreen) and not on_disk(workspace, stem).thread.metadata.get("review")


async def test_keys_that_come_at_once_reach_the_field_they_were_meant_for(workspace: Workspace):
    stem = with_call(workspace).stem
    async with opened(workspace) as (pilot, screen):
        editor = await editing(pilot, screen, 1)
        for name in ("#text", "#arguments-0"):
            editor.query_one(name, TextArea).text = ""
        burst = [*"1" * 40, "tab", *"first", "tab", "end", *"x2", "tab", *"{}", "shift+tab", "3", "ctrl+t"]
        for key in burst:  # all of them are there before the first is looked at
            driver = pilot.app._driver  # pyright: ignore[reportPrivateUsage] - where keys come from
            assert driver is not None
            driver.send_message(Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: editor.query_one("#problems").render() or not screen.query(MessageEditor))
        fields = editor.fields
        assert fields == {"text": "first", "name-0": "show_channel_statsx23", "arguments-0": "1" * 40 + "{}"}
        assert on_disk(workspace, stem).thread.messages[1]["content"] == "I look.", "such a call is not saved unasked"


async def test_hostile_text_is_only_text_in_the_editor_and_its_error_line(workspace: Workspace, hostile: str):
    with_call(workspace, content=hostile, name=hostile)
    async with opened(workspace) as (pilot, screen):
        editor = await editing(pilot, screen, 1)
        editor.query_one("#arguments-0", TextArea).text = ""
        for name in ("#text", "#name-0", "#arguments-0"):
            editor.query_one(name).focus()
            await pilot.pause()
            editor.query_one(name).post_message(Paste('{"' + hostile))
        await until(pilot, lambda: editor.query_one("#arguments-0", TextArea).text.startswith('{"'))
        await until(pilot, lambda: "✗" in str(editor.query_one("#problems").render()))
        strips: Any = drawn_rows(screen)
        for strip in strips:
            for segment in strip:
                assert segment.text.isprintable()
                assert "@click" not in (segment.style.meta if segment.style else {})
        await pilot.press("escape")
        await until(pilot, lambda: not screen.query(MessageEditor))


async def test_a_paste_that_would_stop_the_screen_is_kept_in_a_file_and_said(workspace: Workspace):
    with_call(workspace)
    pasted = "much ü\n" * (MOST_PASTED // 7 + 1)
    async with opened(workspace) as (pilot, screen):
        await pilot.press("2", "G", "e")
        await until(pilot, lambda: screen.query(MessageEditor) and screen.query_one(MessageEditor).ready)
        field = screen.query_one("#text", TextArea)
        before = field.text
        field.post_message(Paste(pasted))
        await until(pilot, lambda: any("they are kept in" in notice.message for notice in notices(pilot)))
        assert (workspace.private / "pasted.txt").read_text(encoding="utf-8") == pasted and field.text == before
        await pilot.press("escape")


async def test_hostile_text_that_was_not_touched_is_saved_as_it_was(workspace: Workspace, hostile: str):
    stem = with_call(workspace, content=hostile).stem
    async with opened(workspace) as (pilot, screen):
        editor = await editing(pilot, screen, 1)
        editor.query_one("#arguments-0", TextArea).text = "{}"
        await pilot.press("ctrl+t")
        await until(pilot, lambda: not screen.query(MessageEditor))
        message = on_disk(workspace, stem).thread.messages[1]
        assert message["content"] == hostile and message["tool_calls"][0]["function"]["arguments"] == "{}"


async def test_an_edited_result_keeps_its_digits_and_is_marked(workspace: Workspace):
    stem = with_call(workspace).stem
    async with opened(workspace) as (pilot, screen):
        editor = await editing(pilot, screen, 2)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: not screen.query(MessageEditor))
        assert on_disk(workspace, stem).thread.messages[2]["content"] == '{"mean": 1.10}'
        editor = await editing(pilot, screen, 2)
        editor.query_one("#text", TextArea).text = '{"mean": 2}'
        await pilot.press("ctrl+t")
        await until(pilot, lambda: on_disk(workspace, stem).thread.messages[2].get("edited"))
        await until(pilot, lambda: "✎ edited" in screen.query_one(Conversation).text)


async def test_going_to_another_thread_keeps_what_was_typed(workspace: Workspace):
    first = with_call(workspace).stem
    second = new_thread(workspace, "s02_1").stem
    async with opened(workspace) as (pilot, screen):
        screen.parts.arranging.go_to(first)
        await until(pilot, lambda: work(screen).stored.stem == first)
        editor = await editing(pilot, screen, 1)
        editor.query_one("#text", TextArea).text = "half a thou"
        screen.parts.arranging.go_to(second)
        await until(pilot, lambda: work(screen).stored.stem == second and not screen.query(MessageEditor))
        await until(pilot, lambda: load_drafts(workspace, first).edit is not None)
        screen.parts.arranging.go_to(first)
        await until(pilot, lambda: "✎ an edit is not saved" in screen.query_one(Conversation).text)
        editor = await editing(pilot, screen, 1)
        assert editor.query_one("#text", TextArea).text == "half a thou"
        assert on_disk(workspace, second).thread.question != "half a thou"
        await editor.query(NameField).remove()  # as while it is opened: a call's name comes after the other fields
        assert not editor.ready


async def test_an_edit_that_is_not_saved_is_not_lost_to_another(workspace: Workspace):
    with_call(workspace)
    async with opened(workspace) as (pilot, screen):
        editor = await editing(pilot, screen, 1)
        editor.query_one("#text", TextArea).text = "half a thou"
        await pilot.press("escape")
        await until(pilot, lambda: work(screen).unsaved == 1)
        screen.query_one(Conversation).focus_message(2)
        await pilot.press("e")
        await until(pilot, lambda: "another edit is not saved yet" in on_screen(pilot.app))
        assert "half a thou" in on_screen(pilot.app)
        await pilot.press("e")
        await until(pilot, lambda: screen.query(MessageEditor) and screen.query_one(MessageEditor).query(TextArea))
        assert screen.query_one("#text", TextArea).text == "half a thou"


async def test_the_fields_go_to_another_editor_and_come_back(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    stem = with_call(workspace).stem
    script = tmp_path / "editor.sh"
    script.write_text('#!/bin/sh\nsed -i "s/typed here/typed there/; s/session/ts_0/" "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(script))
    monkeypatch.delenv("VISUAL", raising=False)
    async with opened(workspace) as (pilot, screen):
        monkeypatch.setattr(type(pilot.app), "suspend", lambda self: contextlib.nullcontext())
        editor = await editing(pilot, screen, 1)
        editor.query_one("#text", TextArea).text = "typed here"
        await pilot.press("ctrl+g")
        await until(pilot, lambda: editor.query_one("#text", TextArea).text == "typed there")
        assert "ts_0" in editor.query_one("#arguments-0", TextArea).text
        assert on_disk(workspace, stem).thread.messages[1]["content"] == "I look.", "only a save saves"
        monkeypatch.setenv("EDITOR", "/no/such/editor")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: any("set $EDITOR" in notice.message for notice in notices(pilot)))


async def test_what_another_editor_made_of_a_call_is_not_lost_where_it_cannot_be_saved(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    stem = with_call(workspace).stem
    script = tmp_path / "editor.sh"
    script.write_text('#!/bin/sh\nsed -i "s/I look/I looked/; s/artifact_id/no_such_argument/" "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(script))
    monkeypatch.delenv("VISUAL", raising=False)
    async with opened(workspace) as (pilot, screen):
        tools = await asyncio.to_thread(lambda: [tool.schema for tool in open_toolbox(workspace)])
        path = thread_files.path_of(workspace.threads, stem)
        path.write_text(json.dumps({**json.loads(path.read_text()), "tools": tools}))
        await until(pilot, lambda: work(screen).stored.thread.tools)
        monkeypatch.setattr(type(pilot.app), "suspend", lambda self: contextlib.nullcontext())
        screen.query_one(Conversation).focus_message(1)
        await pilot.press("E")
        await until(pilot, lambda: any("no_such_argument" in notice.message for notice in notices(pilot)))
        assert on_disk(workspace, stem).thread.messages[1]["content"] == "I look."
        editor = await editing(pilot, screen, 1)
        assert editor.query_one("#text", TextArea).text == "I looked."
        assert "no_such_argument" in editor.query_one("#arguments-0", TextArea).text


async def test_another_programs_change_of_another_message_is_saved_upon(workspace: Workspace):
    stem = with_call(workspace).stem
    async with opened(workspace) as (pilot, screen):
        editor = await editing(pilot, screen, 1)
        editor.query_one("#text", TextArea).text = "mine"
        path = thread_files.path_of(workspace.threads, stem)
        path.write_text(path.read_text().replace("What is this person doing?", "theirs"))
        await until(pilot, lambda: work(screen).stored.thread.question == "theirs")
        assert editor.query_one("#text", TextArea).text == "mine"
        await pilot.press("ctrl+t")
        await until(pilot, lambda: on_disk(workspace, stem).thread.messages[1]["content"] == "mine")
        assert on_disk(workspace, stem).thread.question == "theirs"


@asynccontextmanager
async def in_conflict(workspace: Workspace, stem: str) -> AsyncGenerator[tuple[Pilot[Any], MainScreen]]:
    """The question is edited to `mine` here and to `theirs` by another program, and a save asks what to do."""
    async with opened(workspace) as (pilot, screen):
        editor = await editing(pilot, screen, 0)
        editor.query_one("#text", TextArea).text = "mine"
        path = thread_files.path_of(workspace.threads, stem)
        path.write_text(path.read_text().replace("What is this person doing?", "theirs"))
        await until(pilot, lambda: work(screen).stored.thread.question == "theirs")
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "changed from outside" in on_screen(pilot.app))
        assert on_disk(workspace, stem).thread.question == "theirs"
        yield pilot, screen


async def test_in_a_conflict_mine_is_saved_over_theirs_which_undo_brings_back(workspace: Workspace):
    stem = with_call(workspace).stem
    async with in_conflict(workspace, stem) as (pilot, screen):
        await pilot.press("m")
        await until(
            pilot, lambda: on_disk(workspace, stem).thread.question == "mine" and not screen.query(MessageEditor)
        )
        await until(pilot, lambda: load_drafts(workspace, stem).edit is None and work(screen).unsaved is None)
        await pilot.press("u")
        await until(pilot, lambda: on_disk(workspace, stem).thread.question == "theirs")
        await until(pilot, lambda: "theirs" in screen.query_one(Conversation).text)


async def test_in_a_conflict_theirs_stands_and_mine_is_kept_as_a_draft(workspace: Workspace):
    stem = with_call(workspace).stem
    async with in_conflict(workspace, stem) as (pilot, screen):
        before = on_disk(workspace, stem).digest
        await pilot.press("t")
        await until(pilot, lambda: not screen.query(MessageEditor))
        await until(pilot, lambda: "✎ an edit is not saved" in screen.query_one(Conversation).text)
        assert on_disk(workspace, stem).digest == before and thread_files.stems(workspace.threads) == [stem]
        editor = await editing(pilot, screen, 0)
        assert editor.query_one("#text", TextArea).text == "mine"


async def test_in_a_conflict_mine_becomes_a_branch(workspace: Workspace):
    stem = with_call(workspace).stem
    async with in_conflict(workspace, stem) as (pilot, screen):
        await pilot.press("b")
        await until(pilot, lambda: len(thread_files.stems(workspace.threads)) == 2)
        other = next(name for name in thread_files.stems(workspace.threads) if name != stem)
        assert (on_disk(workspace, other).thread.question, on_disk(workspace, stem).thread.question) == (
            "mine",
            "theirs",
        )
        await until(pilot, lambda: work(screen).stored.stem == other and not screen.query(MessageEditor))


async def test_in_a_conflict_the_difference_shows_both_and_decides_nothing(workspace: Workspace):
    stem = with_call(workspace).stem
    async with in_conflict(workspace, stem) as (pilot, screen):
        await pilot.press("d")
        await until(pilot, lambda: "here they part" in on_screen(pilot.app))
        assert all(f"User Query: {whose}" in on_screen(pilot.app) for whose in ("theirs", "mine"))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.query_one("#text", TextArea).text == "mine"
        assert on_disk(workspace, stem).thread.question == "theirs"
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "changed from outside" in on_screen(pilot.app))
        await pilot.press("m")
        await until(pilot, lambda: on_disk(workspace, stem).thread.question == "mine")


async def test_stale_turns_say_their_ways_out_where_they_stand(workspace: Workspace):
    new_thread(workspace)
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await finished(pilot, screen)
        index = next(at for at, message in enumerate(work(screen).stored.thread.messages) if message["role"] == "tool")
        editor = await editing(pilot, screen, index)
        editor.query_one("#text", TextArea).text = '{"tampered": true}'
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "⚠ stale: S re-run, accept, branch" in screen.query_one(Conversation).text)
        await until(pilot, lambda: "S stale …" in on_screen(pilot.app).split("\n")[-1])
        await pilot.press("S")
        for way in ("re-run", "accept as they are", "move to a branch"):
            await until(pilot, lambda way=way: way in on_screen(pilot.app))


def test_what_was_typed_survives_a_kill_and_is_offered_at_the_next_start(workspace: Workspace):
    stem = with_call(workspace).stem
    terminal = Terminal("--workspace", str(workspace.root))
    try:
        terminal.wait("I look.")
        terminal.press("2")
        terminal.wait("e edit")
        terminal.press("ke")
        terminal.wait("keep draft")
        terminal.press("Survives. ")
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (edit := load_drafts(workspace, stem).edit) is None or "Survives." not in str(edit.fields):
            assert time.monotonic() < deadline
            terminal.read(0.05)
        os.killpg(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait()
    finally:
        terminal.close()
    terminal = Terminal("--workspace", str(workspace.root))
    try:
        terminal.wait("kept from before", "an edit is not saved")
    finally:
        terminal.close()


async def test_letters_typed_right_after_e_are_no_commands(workspace: Workspace):
    stem = with_call(workspace).stem
    async with opened(workspace) as (pilot, screen):
        screen.query_one(Conversation).focus_message(1)
        screen.action_do("turn.edit")
        screen.action_do("verdict.reject")
        screen.action_do("thread.delete")
        await until(pilot, lambda: screen.query(MessageEditor) and screen.query_one(MessageEditor).query(TextArea))
        await pilot.press("escape")
        await until(pilot, lambda: not screen.query(MessageEditor))
        assert not on_disk(workspace, stem).thread.metadata.get("review")
        await pilot.press("d")
        await until(pilot, lambda: on_disk(workspace, stem).thread.metadata.get("review"))
