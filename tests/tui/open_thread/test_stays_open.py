"""A key acts on what the screen shows: the open thread stays open until the person leaves it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.widgets import TextArea

from core.storage import store
from core.storage.drafts import load_drafts
from core.workspace import Workspace
from tests.tui.driving import notices, on_disk, opened, proposed, work
from tests.tui.motion import motion_workspace, new_thread, on_screen, until
from tui.screens.main import MainScreen
from tui.widgets.conversation import Conversation
from tui.widgets.editor import MessageEditor

Add = Callable[..., str]


def told(pilot: Any) -> str:
    return "\n".join(notice.message for notice in notices(pilot))


def shown(screen: MainScreen) -> list[str]:
    return [summary.stem[-1] for summary in screen.parts.arranging.shown]


async def at(pilot: Any, screen: MainScreen, stem: str) -> None:
    screen.parts.arranging.go_to(stem)
    await until(pilot, lambda: screen.parts.thread.work is not None and work(screen).stored.stem == stem)


def verdict(workspace: Workspace, stem: str) -> str:
    return store.read(workspace.threads, stem).thread.metadata.get("review", {}).get("verdict", "")


async def test_an_edit_that_ends_the_match_keeps_the_thread_open_until_the_cursor_leaves_it(
    workspace: Workspace, add_thread: Add
):
    stems = [add_thread(number, answer="sitting") for number in (1, 2, 3)]
    async with opened(workspace) as (pilot, screen):
        screen.filter_line.value = "correct:false"
        await until(pilot, lambda: len(shown(screen)) == 3)
        await at(pilot, screen, stems[1])
        path = workspace.threads / f"{stems[1]}.json"
        path.write_text(path.read_text().replace("Final Answer: sitting", "Final Answer: walking"))
        await until(pilot, lambda: "no longer matches" in on_screen(pilot.app))
        assert shown(screen) == ["3", "1"] and screen.listed.cursor == 1
        assert work(screen).stored.stem == stems[1]
        await pilot.press("d")  # what the screen shows is judged, not the one that follows
        await until(pilot, lambda: verdict(workspace, stems[1]) == "reject")
        assert not verdict(workspace, stems[0]) and not verdict(workspace, stems[2])
        await until(pilot, lambda: work(screen).stored.stem == stems[0])
        await until(pilot, lambda: "no longer matches" not in on_screen(pilot.app) and screen.listed.count == 2)


async def test_a_filter_that_is_typed_leaves_the_open_thread_open(workspace: Workspace, add_thread: Add):
    add_thread(1)
    stem = add_thread(2, answer="sitting")
    async with opened(workspace) as (pilot, screen):
        await at(pilot, screen, stem)
        screen.filter_line.value = "correct:true"
        await until(pilot, lambda: "no longer matches" in on_screen(pilot.app))
        assert "threads 1 of 2" in on_screen(pilot.app) and work(screen).stored.stem == stem


async def test_a_file_that_another_program_deletes_leaves_the_thread_on_the_screen(
    workspace: Workspace, add_thread: Add
):
    stem, other = add_thread(1), add_thread(2)
    async with opened(workspace) as (pilot, screen):
        await at(pilot, screen, stem)
        (workspace.threads / f"{stem}.json").unlink()
        await until(pilot, lambda: "its file is gone" in on_screen(pilot.app))
        assert work(screen).stored.stem == stem
        await pilot.press("1", "d")
        await until(pilot, lambda: stem in told(pilot))
        assert not verdict(workspace, other)


async def test_a_thread_with_a_proposal_keeps_its_row_under_any_filter(tmp_path: Path):
    workspace = motion_workspace(tmp_path)
    first, second = new_thread(workspace).stem, new_thread(workspace, "s02_1").stem
    async with opened(workspace) as (pilot, screen):
        await at(pilot, screen, first)
        await proposed(pilot, screen)
        await at(pilot, screen, second)
        screen.filter_line.value = "truth:sitting"
        await until(pilot, lambda: [summary.stem for summary in screen.parts.arranging.shown] == [second])
        assert first in screen.listed.aside
        assert "◆" in "".join(screen.listed.render_line(row).text for row in range(screen.listed.count))


async def test_marks_that_the_filter_hides_are_not_acted_on(workspace: Workspace, add_thread: Add):
    stems = [add_thread(number, answer="sitting" if number == 3 else "walking") for number in (1, 2, 3)]
    async with opened(workspace) as (pilot, screen):
        await pilot.press("1", "g", "m", "m", "G")
        await until(pilot, lambda: work(screen).stored.stem == stems[0])
        screen.filter_line.value = "correct:true"
        await until(pilot, lambda: "2 marked, 1 hidden" in on_screen(pilot.app))
        await pilot.press("d")
        await until(pilot, lambda: verdict(workspace, stems[1]) == "reject")
        await until(pilot, lambda: "1 marked thread that the filter hides" in told(pilot))
        assert not verdict(workspace, stems[2]) and not verdict(workspace, stems[0])
        assert screen.listed.marked == {stems[2]}


async def test_undo_acts_where_the_keys_go_and_leaves_the_filter(workspace: Workspace, add_thread: Add):
    first, second = add_thread(1, messages=1), add_thread(2)
    async with opened(workspace) as (pilot, screen):
        screen.filter_line.value = "verdict:none"
        await until(pilot, lambda: len(shown(screen)) == 2)
        await at(pilot, screen, second)
        await pilot.press("1", "a")
        await until(pilot, lambda: verdict(workspace, second) == "accept" and work(screen).stored.stem == first)
        screen.query_one(Conversation).focus_message(1)
        await pilot.press("2", "l")
        await until(pilot, lambda: on_disk(workspace, first).thread.messages[1].get("train") is False)
        await pilot.press("u")
        await until(pilot, lambda: "train" not in on_disk(workspace, first).thread.messages[1])
        assert verdict(workspace, second) == "accept", "in the conversation, only its own steps are undone"
        await until(pilot, lambda: f"· {first}" in told(pilot))
        await pilot.press("1", "u")
        await until(pilot, lambda: not verdict(workspace, second) and f"· {second}" in told(pilot))
        assert screen.parts.filter_line.text == "verdict:none"
        await pilot.press("ctrl+r")
        await until(pilot, lambda: verdict(workspace, second) == "accept")


async def test_undo_in_the_list_does_not_take_back_what_was_done_in_a_conversation(
    workspace: Workspace, add_thread: Add
):
    stem = add_thread(1, messages=1)
    async with opened(workspace) as (pilot, screen):
        screen.query_one(Conversation).focus_message(1)
        await pilot.press("l")
        await until(pilot, lambda: on_disk(workspace, stem).thread.messages[1].get("train") is False)
        await pilot.press("1", "u")
        await until(pilot, lambda: "in its conversation" in told(pilot))
        assert on_disk(workspace, stem).thread.messages[1].get("train") is False


async def test_a_sibling_that_the_filter_hides_is_gone_to_and_greyed(workspace: Workspace, add_thread: Add):
    parent = add_thread(1, messages=1)
    data = json.loads((workspace.threads / f"{parent}.json").read_text())
    branch = "demo_s01_v4_0002"
    data["metadata"] |= {"parent_id": parent, "branched_at": 1, "ground_truth": "laying"}
    data["messages"][-1]["content"] = "Final Answer: sitting"
    (workspace.threads / f"{branch}.json").write_text(json.dumps({**data, "id": branch}))
    async with opened(workspace) as (pilot, screen):
        await until(pilot, lambda: screen.listed.count == 2)
        await at(pilot, screen, parent)
        screen.filter_line.value = "truth:walking"
        await until(pilot, lambda: shown(screen) == ["1"])
        await pilot.press("2", "right_square_bracket")
        await until(pilot, lambda: work(screen).stored.stem == branch)
        await until(pilot, lambda: "does not match" in on_screen(pilot.app))
        assert screen.parts.filter_line.text == "truth:walking"


async def test_a_key_that_does_not_apply_says_why(workspace: Workspace, add_thread: Add):
    add_thread(1)
    async with opened(workspace) as (pilot, screen):
        await until(pilot, lambda: not screen.parts.thread.sensors.reading)
        for key, sentence in (
            ("t", "nothing is proposed here; r asks"),
            ("S", "nothing in this thread is stale"),
            ("space", "there is no session to show here"),
            ("right_square_bracket", "no other branch leaves this thread"),
        ):
            await pilot.press(key)
            await until(pilot, lambda sentence=sentence: sentence in told(pilot))
        await pilot.press("1", "delete")
        await until(pilot, lambda: screen.listed.count == 0 and screen.parts.thread.work is None)
        for key, sentence in (("r", "no thread is open"), ("a", "no thread in the list")):
            await pilot.press(key)
            await until(pilot, lambda sentence=sentence: sentence in told(pilot))


async def test_the_editor_survives_a_narrower_screen(tmp_path: Path):
    workspace = motion_workspace(tmp_path)
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await pilot.press("1", "e")
        await until(pilot, lambda: screen.query(MessageEditor) and screen.query_one(MessageEditor).query(TextArea))
        await pilot.resize_terminal(60, 20)
        editor = screen.query_one(MessageEditor)
        await until(pilot, lambda: screen.size.width == 60 and 3 < editor.region.height <= 18)
        await until(pilot, lambda: editor.region.bottom <= screen.size.height)
        await pilot.press(*"dad")
        await until(pilot, lambda: "dad" in screen.query_one("#text", TextArea).text)
        assert not verdict(workspace, stem)


async def test_the_editor_survives_the_deletion_of_its_file(tmp_path: Path):
    workspace = motion_workspace(tmp_path)
    stem, other = new_thread(workspace).stem, new_thread(workspace, "s02_1").stem
    async with opened(workspace) as (pilot, screen):
        await at(pilot, screen, stem)
        await pilot.press("2", "e")
        await until(pilot, lambda: screen.query(MessageEditor) and screen.query_one(MessageEditor).query(TextArea))
        (workspace.threads / f"{stem}.json").unlink()
        await until(pilot, lambda: "its file is gone" in on_screen(pilot.app))
        await pilot.press(*"dad")
        await until(pilot, lambda: "dad" in screen.query_one("#text", TextArea).text)
        before = len(notices(pilot))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: len(notices(pilot)) > before)
        assert screen.query(MessageEditor), "what was typed is not thrown away"
        await until(pilot, lambda: (draft := load_drafts(workspace, stem).edit) and "dad" in str(draft.fields))
        assert not verdict(workspace, other)
