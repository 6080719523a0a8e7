from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from textual.widgets import TextArea

from core import curate
from core.listing.index import Changes
from core.storage import thread_files
from core.thread.proposal import Generation, Proposal
from core.workspace import Workspace
from tests.tui.driving import finished, notices, on_disk, opened, proposed, work
from tests.tui.motion import motion_workspace, new_thread, on_screen, until
from tui.screens.main import MainScreen
from tui.widgets.conversation import Conversation
from tui.widgets.editor import MessageEditor, NameField


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "ws"
    root.mkdir()
    return motion_workspace(root)


async def test_a_run_is_a_proposal_until_it_is_accepted(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await proposed(pilot, screen)
        assert len(on_disk(workspace, stem).thread.messages) == 1
        await until(pilot, lambda: "proposal" in on_screen(pilot.app))
        await pilot.press("y")
        await until(pilot, lambda: len(on_disk(workspace, stem).thread.messages) > 1)
        await until(pilot, lambda: "proposal" not in screen.query_one(Conversation).text)
        assert on_disk(workspace, stem).thread.tools


async def test_running_to_the_end_shows_the_verdict(workspace: Workspace):
    new_thread(workspace)
    async with opened(workspace) as (pilot, screen):
        await finished(pilot, screen)
        await until(pilot, lambda: "✓ correct" in on_screen(pilot.app) or "✗ wrong" in on_screen(pilot.app))


async def test_retry_and_discard_keep_what_was_proposed(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await proposed(pilot, screen)
        first = work(screen).shown
        await pilot.press("t")
        await until(pilot, lambda: work(screen).shown not in (None, first) and not work(screen).run)
        await pilot.press("backspace")
        await until(pilot, lambda: len(on_disk(workspace, stem).thread.alternatives) == 2)
        assert [turn["reason"] for turn in on_disk(workspace, stem).thread.alternatives] == ["retried", "discarded"]
        assert len(on_disk(workspace, stem).thread.messages) == 1


async def test_samples_are_one_key_apart_and_the_others_are_kept(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await pilot.press("s")
        await until(pilot, lambda: len(work(screen).proposals) == 3 and not work(screen).run)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "proposal 2/3" in on_screen(pilot.app))
        await pilot.press("3")
        await until(pilot, lambda: len(on_disk(workspace, stem).thread.messages) > 1)
        assert len(on_disk(workspace, stem).thread.alternatives) == 2


async def test_a_proposal_survives_the_end_of_the_program(workspace: Workspace):
    new_thread(workspace)
    async with opened(workspace) as (pilot, screen):
        await proposed(pilot, screen)
        notices = work(screen).shown.messages
        await until(pilot, lambda: list(workspace.private.rglob("*drafts*/*.json")))
    async with opened(workspace) as (pilot, screen):
        await until(pilot, lambda: work(screen).shown is not None)
        assert json.dumps(work(screen).shown.messages) == json.dumps(notices)


async def test_the_wording_of_a_turn_is_edited_in_place(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await finished(pilot, screen)
        screen.query_one(Conversation).focus_message(1)
        await pilot.press("e")
        await until(pilot, lambda: screen.query(MessageEditor))
        screen.query_one("#text", TextArea).text = "My own words."
        await pilot.press("ctrl+t")
        await until(pilot, lambda: on_disk(workspace, stem).thread.messages[1]["content"] == "My own words.")
        await until(pilot, lambda: not screen.query(MessageEditor))
        assert not any(message.get("stale") for message in on_disk(workspace, stem).thread.messages)
        await pilot.press("u")
        await until(pilot, lambda: on_disk(workspace, stem).thread.messages[1]["content"] != "My own words.")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: on_disk(workspace, stem).thread.messages[1]["content"] == "My own words.")


async def test_edited_arguments_are_checked_executed_and_make_the_rest_stale(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await finished(pilot, screen)
        index = next(i for i, message in enumerate(work(screen).stored.thread.messages) if message.get("tool_calls"))
        before = on_disk(workspace, stem).thread.messages[index + 1]["content"]
        screen.query_one(Conversation).focus_message(index)
        await pilot.press("e")
        await until(pilot, lambda: screen.query(MessageEditor))
        screen.query_one("#name-0", NameField).value = "select_channels"
        screen.query_one("#arguments-0", TextArea).text = '{"channel_names": 5}'
        await until(pilot, lambda: "channel_names" in str(screen.query_one("#problems").render()))
        screen.query_one("#arguments-0", TextArea).text = '{"channel_names": ["acc_x"]}'
        await until(pilot, lambda: not str(screen.query_one("#problems").render()))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: on_disk(workspace, stem).thread.messages[index + 1]["content"] != before)
        result = json.loads(on_disk(workspace, stem).thread.messages[index + 1]["content"])
        assert "error" not in result
        await until(pilot, lambda: "⚠ stale" in screen.query_one(Conversation).text)
        await pilot.press("S")
        await until(pilot, lambda: "accept as they are" in on_screen(pilot.app))
        await pilot.press("y")
        await until(
            pilot, lambda: not any(message.get("stale") for message in on_disk(workspace, stem).thread.messages)
        )


async def test_escape_keeps_what_was_typed_for_the_next_start(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await pilot.press("e")
        await until(pilot, lambda: screen.query(MessageEditor))
        assert screen.query_one("#text", TextArea).text == "What is this person doing?"
        screen.query_one("#text", TextArea).text = "Half a quest"
        await pilot.press("escape")
        await until(pilot, lambda: not screen.query(MessageEditor))
        await until(pilot, lambda: list(workspace.private.rglob("*drafts*/*.json")))
    async with opened(workspace) as (pilot, screen):
        await pilot.press("e")
        await until(pilot, lambda: screen.query(MessageEditor))
        assert screen.query_one("#text", TextArea).text == "Half a quest"
        await pilot.press("ctrl+t")
        await until(pilot, lambda: on_disk(workspace, stem).thread.question == "Half a quest")
        assert on_disk(workspace, stem).thread.messages[0]["content"].startswith("Dataset Information:")


async def test_a_change_from_outside_shows_at_once_and_keeps_the_place(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await finished(pilot, screen)
        screen.query_one(Conversation).focus_message(1)
        path = thread_files.path_of(workspace.threads, stem)
        path.write_text(path.read_text().replace("What is this person doing?", "Is it resting?"))
        await until(pilot, lambda: "Is it resting?" in screen.query_one(Conversation).text)
        assert screen.query_one(Conversation).index == 1


async def test_a_branch_opens_and_its_siblings_are_a_key_apart(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await finished(pilot, screen)
        screen.query_one(Conversation).focus_message(1)
        await pilot.press("b")
        await until(pilot, lambda: work(screen).stored.stem != stem)
        await until(pilot, lambda: "└ branch 2/2" in screen.query_one(Conversation).text)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: work(screen).stored.stem == stem)
        await until(pilot, lambda: "└ branch 1/2" in screen.query_one(Conversation).text)


async def test_a_branch_at_the_question_asks_another(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await pilot.press("b")
        await until(pilot, lambda: "ask this instead" in on_screen(pilot.app))
        pilot.app.screen.query_one(TextArea).text = "Is this rest?"
        await pilot.press("enter")
        await until(pilot, lambda: work(screen).stored.stem != stem)
        assert work(screen).stored.thread.question == "Is this rest?"


async def test_the_loss_flag_is_a_key(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await finished(pilot, screen)
        screen.query_one(Conversation).focus_message(2)
        await pilot.press("l")
        await until(pilot, lambda: on_disk(workspace, stem).thread.messages[1].get("train") is False)
        await until(pilot, lambda: "⊘ out of the loss" in screen.query_one(Conversation).text)
        await pilot.press("l")
        await until(pilot, lambda: "train" not in on_disk(workspace, stem).thread.messages[1])


async def test_a_turn_is_taken_out_by_a_key_and_comes_back_by_undo(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await finished(pilot, screen)
        before = on_disk(workspace, stem)
        screen.query_one(Conversation).focus_message(2)
        screen.action_do("turn.delete")
        screen.action_do("turn.delete")  # a key that repeats takes one turn out, not two
        await until(pilot, lambda: any("taken out" in notice.message for notice in notices(pilot)))
        after = on_disk(workspace, stem).thread
        assert after.metadata["num_turns"] == before.thread.metadata["num_turns"] - 1
        assert list(after.alternatives[-1]["messages"]) == list(before.thread.messages[1:3])
        await until(pilot, lambda: "⚠ stale" in screen.query_one(Conversation).text)
        await pilot.press("u")
        await until(pilot, lambda: on_disk(workspace, stem).digest == before.digest)
        screen.query_one(Conversation).focus_message(0)
        await pilot.press("T")
        await until(pilot, lambda: any("cannot be deleted" in notice.message for notice in notices(pilot)))
        assert on_disk(workspace, stem).digest == before.digest


async def test_the_calls_of_a_turn_are_executed_anew_by_a_key(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await finished(pilot, screen)
        honest = on_disk(workspace, stem)
        result = honest.thread.messages[2]
        screen.query_one(Conversation).focus_message(2)
        await pilot.press("ctrl+e")
        await until(pilot, lambda: any("what they were" in notice.message for notice in notices(pilot)))
        assert on_disk(workspace, stem).digest == honest.digest
        curate.edit_message(workspace, honest, 2, {**result, "content": "{}"})
        await until(pilot, lambda: work(screen).stored.thread.messages[2]["content"] == "{}")
        await pilot.press("ctrl+e")
        await until(pilot, lambda: on_disk(workspace, stem).thread.messages[2]["content"] == result["content"])
        assert "edited" not in on_disk(workspace, stem).thread.messages[2]


async def test_two_proposals_compare_side_by_side(workspace: Workspace):
    new_thread(workspace)
    async with opened(workspace) as (pilot, screen):
        await pilot.press("s")
        await until(pilot, lambda: len(work(screen).proposals) == 3 and not work(screen).run)
        await pilot.press("v")
        await until(pilot, lambda: "1 proposal 1" in on_screen(pilot.app) and "2 proposal 2" in on_screen(pilot.app))
        await pilot.press("3")
        await until(pilot, lambda: "3 proposal 3" in on_screen(pilot.app))
        assert "2 proposal 2" not in on_screen(pilot.app)
        await pilot.press("tab")
        await until(pilot, lambda: "3 proposal 3" in on_screen(pilot.app).partition("1 proposal 1")[0])
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))


async def test_two_marked_threads_compare_whichever_is_open(workspace: Workspace):
    stems = [new_thread(workspace, session).stem for session in ("s01_0", "s02_1", "s03_0")]
    for stem in stems[:2]:
        stored = on_disk(workspace, stem)
        curate.accept(
            workspace, stored, Proposal(1, ({"role": "assistant", "content": f"seen {stem}"},), Generation("m"))
        )
    async with opened(workspace) as (pilot, screen):
        await until(pilot, lambda: len(screen.listed.rows) == 3)
        for stem in stems[:2]:
            screen.parts.arranging.go_to(stem)
            await pilot.press("1", "m")
        screen.parts.arranging.go_to(stems[2])
        await until(pilot, lambda: work(screen).stored.stem == stems[2] and len(screen.listed.marked) == 2)
        await pilot.press("v")
        await until(pilot, lambda: all(f"seen {stem}" in on_screen(pilot.app) for stem in stems[:2]))
        assert not isinstance(pilot.app.screen, MainScreen) and stems[2] not in on_screen(pilot.app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
        assert screen.listed.marked == set(stems[:2]), "looking takes no mark away"


async def test_the_external_editor_gets_the_message_and_gives_it_back(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    stem = new_thread(workspace).stem
    script = tmp_path / "my editor.sh"
    script.write_text('#!/bin/sh\nprintf "From outside" > "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("EDITOR", f"'{script}'")
    monkeypatch.delenv("VISUAL", raising=False)
    async with opened(workspace) as (pilot, _):
        monkeypatch.setattr(type(pilot.app), "suspend", lambda self: __import__("contextlib").nullcontext())
        await pilot.press("E")
        await until(pilot, lambda: on_disk(workspace, stem).thread.question == "From outside")


async def test_another_thread_is_read_while_one_runs(workspace: Workspace):
    new_thread(workspace)
    second = new_thread(workspace, "s02_1").stem
    async with opened(workspace) as (pilot, screen):
        first = work(screen).stored.stem
        await pilot.press("R", "1", "down")
        await until(pilot, lambda: work(screen).stored.stem != first)
        await until(pilot, lambda: on_disk(workspace, first).thread.status == "finished")
        assert second in (first, work(screen).stored.stem)
        await pilot.press("up")
        await until(
            pilot, lambda: work(screen).stored.stem == first and work(screen).stored.thread.status == "finished"
        )


async def test_undo_takes_back_a_verdict_though_the_list_went_on(workspace: Workspace):
    new_thread(workspace)
    new_thread(workspace, "s02_1")
    async with opened(workspace) as (pilot, screen):
        first = work(screen).stored.stem
        await pilot.press("1", "a")
        await until(pilot, lambda: on_disk(workspace, first).thread.metadata.get("review"))
        await until(pilot, lambda: work(screen).stored.stem != first)
        await pilot.press("u")
        await until(pilot, lambda: not on_disk(workspace, first).thread.metadata.get("review"))
        await until(pilot, lambda: work(screen).stored.stem == first)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: on_disk(workspace, first).thread.metadata.get("review"))


async def test_a_deleted_thread_comes_back_by_undo(workspace: Workspace):
    stem = new_thread(workspace).stem
    new_thread(workspace, "s02_1")
    async with opened(workspace) as (pilot, screen):
        screen.parts.arranging.go_to(stem)
        await until(pilot, lambda: work(screen).stored.stem == stem)
        await pilot.press("1", "delete")
        await until(pilot, lambda: any("moved to the trash" in notice.message for notice in notices(pilot)))
        assert stem not in thread_files.stems(workspace.threads)
        await pilot.press("u")
        await until(pilot, lambda: stem in thread_files.stems(workspace.threads))
        await until(pilot, lambda: screen.parts.thread.work and work(screen).stored.stem == stem)


async def test_a_late_report_of_a_deletion_does_not_keep_the_cursor_from_what_came_back(workspace: Workspace):
    stem = new_thread(workspace).stem
    new_thread(workspace, "s02_1")
    async with opened(workspace) as (pilot, screen):
        await until(pilot, lambda: len(screen.listed.rows) == 2)
        screen.parts.arranging.go_to(stem)
        screen.parts.arranging.saved(on_disk(workspace, stem))
        there = screen.parts.folder.summaries[stem]
        await until(pilot, lambda: work(screen).stored.stem == stem)
        screen.parts.arranging.change(Changes((), (stem,)), True)
        screen.parts.arranging.change(Changes((there,)), True)
        assert screen.parts.arranging.current is not None and screen.parts.arranging.current.stem == stem


async def test_a_thread_deleted_before_a_restart_comes_back_from_the_trash(workspace: Workspace):
    stem, other = new_thread(workspace).stem, new_thread(workspace, "s02_1").stem
    before = on_disk(workspace, stem)
    new_thread(workspace, "s03_0")
    curate.delete(workspace, [other])
    curate.delete(workspace, [stem])
    async with opened(workspace) as (pilot, screen):
        await pilot.press("U")
        await until(pilot, lambda: "2 deleted, newest first" in on_screen(pilot.app))
        shown = on_screen(pilot.app)
        assert shown.index(stem) < shown.index(other) and f"{datetime.now():%Y-%m-%d}" in shown
        await pilot.press("enter")
        await until(pilot, lambda: any("brought back" in notice.message for notice in notices(pilot)))
        assert on_disk(workspace, stem).digest == before.digest
        await until(pilot, lambda: screen.parts.thread.work and work(screen).stored.stem == stem)
        await pilot.press("u")
        await until(pilot, lambda: stem not in thread_files.stems(workspace.threads))
        assert sorted(curate.list_trash(workspace)) == sorted([stem, other])


async def test_replay_marks_a_result_that_was_tampered_with(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await finished(pilot, screen)
        await pilot.press("c")
        await until(pilot, lambda: "≡ replays" in screen.query_one(Conversation).text)
        assert "≠" not in screen.query_one(Conversation).text
        path = thread_files.path_of(workspace.threads, stem)
        document = json.loads(path.read_text())
        result = next(message for message in document["messages"] if message["role"] == "tool")
        result["content"] = result["content"].replace("128", "129", 1)
        path.write_text(json.dumps(document, indent=2) + "\n")
        await until(pilot, lambda: "129" in work(screen).stored.thread.messages[2]["content"])
        assert "≡ replays" not in screen.query_one(Conversation).text, "marks of an older value must go"
        await pilot.press("c")
        await until(pilot, lambda: "≠ replays differently" in screen.query_one(Conversation).text)


async def test_the_sensors_follow_a_session_that_grows(workspace: Workspace):
    import pyarrow as pa
    from pyarrow import parquet

    new_thread(workspace)
    async with opened(workspace) as (pilot, screen):
        await until(pilot, lambda: screen.parts.thread.sensors.view is not None)
        view = screen.parts.thread.sensors.view
        assert view is not None and view.path is not None and view.samples == 128
        before = parquet.read_table(view.path)
        later = before.set_column(
            0, "timestamp_sec", pa.array([seconds + 2.56 for seconds in before["timestamp_sec"].to_pylist()])
        )
        parquet.write_table(pa.concat_tables([before, later]), view.path)
        await until(pilot, lambda: getattr(screen.parts.thread.sensors.view, "samples", 0) == 256)


async def test_a_change_from_outside_while_a_proposal_waits_asks(workspace: Workspace):
    stem = new_thread(workspace).stem
    async with opened(workspace) as (pilot, screen):
        await proposed(pilot, screen)
        path = thread_files.path_of(workspace.threads, stem)
        path.write_text(path.read_text().replace("What is this person doing?", "theirs"))
        await until(pilot, lambda: "changed from outside" in on_screen(pilot.app))
        await pilot.press("b")
        await until(pilot, lambda: len(thread_files.stems(workspace.threads)) == 2)
        other = next(name for name in thread_files.stems(workspace.threads) if name != stem)
        assert len(on_disk(workspace, other).thread.messages) > 1
        assert (on_disk(workspace, stem).thread.question, len(on_disk(workspace, stem).thread.messages)) == (
            "theirs",
            1,
        )
