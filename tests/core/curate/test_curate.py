from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core import curate
from core.errors import ConflictError, DatasetError, SensorloomError, ThreadError, UsageError
from core.listing.index import rescan
from core.storage import history, store, thread_files
from core.storage.store import Stored
from core.thread.edits import with_call, with_text
from core.thread.value import Thread, counted
from core.workspace import Workspace, open_workspace
from tests.core.curate.world import (
    FINAL,
    SCHEMAS,
    TOOLS,
    add_turn,
    artifact_of,
    context_at,
    proposal_for,
    set_tags,
    set_verdict,
    stale,
    tools_at,
)
from tools.registry import Tool


def path_of(workspace: Workspace, stored: Stored) -> Path:
    return workspace.threads / f"{stored.stem}.json"


def edit_text(workspace: Workspace, stored: Stored, index: int, text: str) -> Stored:
    return curate.edit_message(workspace, stored, index, with_text(stored.thread.messages[index], text))


def edit_crop(workspace: Workspace, stored: Stored, end_sec: float) -> Stored:
    message = with_call(stored.thread.messages[1], 0, "crop", json.dumps({"start_sec": 0, "end_sec": end_sec}))
    return curate.edit_message(workspace, stored, 1, message)


def what_was_done(workspace: Workspace, stem: str) -> list[str]:
    return [f"{step.kind}: {step.what}" for step in history.read(workspace, stem).steps]


def test_a_new_thread_has_the_question_and_the_label_apart(workspace: Workspace):
    stored = curate.create_thread(workspace, "demo", "a", "what is it?", max_turns=3, tools=SCHEMAS)
    document = json.loads(path_of(workspace, stored).read_bytes())
    assert list(document) == ["id", "metadata", "messages", "tools"]
    assert document["metadata"]["ground_truth"] == "walking" and document["metadata"]["max_turns"] == 3
    (message,) = document["messages"]
    assert message["content"].endswith("}\n\nUser Query: what is it?")
    with pytest.raises(DatasetError, match="no labelled session 'b'"):
        curate.create_thread(workspace, "demo", "b", "what?")


def test_accepted_turns_follow_one_another(workspace: Workspace, finished: Stored):
    thread = finished.thread
    assert (thread.status, thread.metadata["is_correct"], thread.metadata["num_turns"]) == ("finished", True, 4)
    assert (thread.metadata["model"], thread.metadata["temperature"], thread.tools) == ("scripted", 0.5, SCHEMAS)
    assert what_was_done(workspace, finished.stem) == [
        "done: new thread", "done: turn 1", "done: turn 2", "done: turn 3", "done: turn 4",
    ]  # fmt: skip


def test_a_turn_for_a_thread_that_moved_on_is_refused(workspace: Workspace):
    stored = curate.create_thread(workspace, "demo", "a", "what?")
    proposed = proposal_for(stored.thread, "look", ("mean_of", {}))
    after = curate.accept(workspace, stored, proposed)
    with pytest.raises(ConflictError, match="moved on"):
        curate.accept(workspace, after, proposed)
    with pytest.raises(ConflictError, match="changed by another program"):
        curate.accept(workspace, stored, proposed)
    assert len(history.read(workspace, stored.stem).steps) == 2


def test_an_accepted_turn_never_doubles_an_id(workspace: Workspace, finished: Stored):
    shorter = curate.delete_turn(workspace, finished, 1)
    more = add_turn(workspace, shorter, "again", ("mean_of", {}))
    ids = [call["id"] for message in more.thread.messages for call in message.get("tool_calls") or ()]
    assert len(ids) == len(set(ids)) == 3
    assert more.thread.messages[-1]["tool_call_id"] == ids[-1]


def test_of_samples_one_is_taken_and_the_others_kept_in_one_step(workspace: Workspace):
    stored = curate.create_thread(workspace, "demo", "a", "what?")
    first, second, third = (proposal_for(stored.thread, text, ("mean_of", {})) for text in ("one", "two", "three"))
    sampled = curate.take_sample(workspace, stored, second, [first, third], SCHEMAS)
    assert [message["content"] for message in sampled.thread.messages[1:2]] == ["two"]
    assert [
        (each["reason"], each["position"], each["messages"][0]["content"]) for each in sampled.thread.alternatives
    ] == [
        ("sampled", 1, "one"),
        ("sampled", 1, "three"),
    ]
    assert curate.undo(workspace, stored.stem).sentence == "undid: turn 1, one of 3 samples"
    assert path_of(workspace, stored).read_bytes() == stored.data


def test_an_edit_is_refused_with_the_place_that_is_wrong(workspace: Workspace, finished: Stored):
    message = with_call(finished.thread.messages[1], 0, "crop", '{"start_sec": "x", "end_sec": 1}')
    with pytest.raises(UsageError, match=r"turn 1: tool_calls\[0\]\.arguments\.start_sec: 'x' is not of type"):
        curate.edit_message(workspace, finished, 1, message)
    assert path_of(workspace, finished).read_bytes() == finished.data
    mistaken = curate.edit_message(workspace, finished, 1, message, unchecked=True)
    assert stale(mistaken.thread) == [2, 3, 4, 6, 7]


def test_an_edit_of_a_call_carries_it_out_and_says_when_it_cannot(workspace: Workspace, finished: Stored):
    def no_session(_thread: Thread, _index: int) -> tuple[Sequence[Tool], None]:
        return TOOLS, None

    text = with_text(finished.thread.messages[1], "another thought")
    stored = curate.edit_message(workspace, finished, 1, text, no_session)
    assert not curate.left_unexecuted(finished.thread, stored.thread, 1), "its calls did not change"
    call = with_call(stored.thread.messages[1], 0, "crop", '{"start_sec": 0, "end_sec": 2}')
    unread = curate.edit_message(workspace, stored, 1, call, no_session)
    assert curate.left_unexecuted(stored.thread, unread.thread, 1)
    assert unread.thread.messages[2]["content"] == stored.thread.messages[2]["content"]


def test_a_proposal_is_edited_like_a_turn(workspace: Workspace, finished: Stored):
    stored = add_turn(workspace, finished, "look again")
    proposal = proposal_for(stored.thread, "crop it", ("crop", {"start_sec": 0, "end_sec": 1}))
    index = proposal.position
    call = with_call(proposal.messages[0], 0, "crop", '{"start_sec": 0, "end_sec": 2}')
    saved, edited = curate.edit_proposal(workspace, stored, proposal, index, call, tools_at)
    assert json.loads(edited.messages[1]["content"])["samples"] == 20 and edited.edited
    assert saved.thread.alternatives[-1]["reason"] == "edited", "what the model made is kept"
    accepted = curate.accept(workspace, saved, edited)
    assert json.loads(accepted.thread.messages[index + 1]["content"])["samples"] == 20


def test_save_and_execute_is_one_step(workspace: Workspace, finished: Stored):
    message = with_call(finished.thread.messages[1], 0, "crop", '{"start_sec": 0, "end_sec": 2}')
    edited = curate.edit_message(workspace, finished, 1, message, tools_at)
    assert json.loads(edited.thread.messages[2]["content"])["samples"] == 20
    assert stale(edited.thread) == [3, 4, 6, 7]
    assert curate.undo(workspace, edited.stem).sentence == "undid: edit of turn 1"
    assert path_of(workspace, finished).read_bytes() == finished.data


def test_saving_alone_executes_nothing(workspace: Workspace, finished: Stored):
    edited = edit_crop(workspace, finished, 2)
    assert edited.thread.messages[2]["content"] == finished.thread.messages[2]["content"]
    assert 2 in stale(edited.thread)
    run = curate.reexecute(workspace, edited, 1, TOOLS, context_at(edited.thread, 1))
    assert json.loads(run.thread.messages[2]["content"])["samples"] == 20 and 2 not in stale(run.thread)


def test_stale_turns_run_again_from_the_first_one(workspace: Workspace, finished: Stored):
    edited = edit_crop(workspace, finished, 2)
    with pytest.raises(UsageError, match="turn 1 must be executed again"):
        curate.settle_stale(workspace, edited, "rerun")
    settled = curate.settle_stale(workspace, edited, "rerun", tools=TOOLS, context=context_at(edited.thread, 1))
    assert stale(settled.thread) == [] and len(settled.thread.messages) == 3
    assert json.loads(settled.thread.messages[2]["content"])["samples"] == 20
    more = add_turn(workspace, settled, FINAL)
    assert more.thread.status == "finished"
    assert [alternative["reason"] for alternative in more.thread.alternatives] == ["edited", "superseded"]


def test_stale_turns_are_accepted_as_they_are(workspace: Workspace, finished: Stored):
    edited = edit_text(workspace, finished, 4, '{"mean": 2}')
    settled = curate.settle_stale(workspace, edited, "accept")
    assert stale(settled.thread) == [] and len(settled.thread.messages) == 8
    assert curate.settle_stale(workspace, settled, "accept") is settled


def test_stale_turns_move_to_a_branch_where_they_still_hold(workspace: Workspace, finished: Stored):
    edited = edit_crop(workspace, finished, 2)
    edited = curate.reexecute(workspace, edited, 1, TOOLS, context_at(edited.thread, 1))
    settled = curate.settle_stale(workspace, edited, "branch")
    assert len(settled.thread.messages) == 3 and stale(settled.thread) == []
    (child,) = (stem for stem in thread_files.stems(workspace.threads) if stem != finished.stem)
    branch = store.read(workspace.threads, child).thread
    assert [message["content"] for message in branch.messages] == [
        message["content"] for message in finished.thread.messages
    ]
    assert stale(branch) == [] and branch.status == "finished"
    assert (branch.metadata["parent_id"], branch.metadata["branched_at"]) == (finished.stem, 1)
    undone = curate.undo(workspace, finished.stem)
    assert undone.sentence == f"undid: stale turns moved to {child} of 2 threads"
    assert thread_files.stems(workspace.threads) == [finished.stem]
    assert path_of(workspace, finished).read_bytes() == edited.data
    assert set(curate.redo(workspace, finished.stem).stems) == {finished.stem, child}
    assert store.read(workspace.threads, child).thread == branch


def test_stale_turns_that_were_edited_move_with_their_marks(workspace: Workspace, finished: Stored):
    edited = edit_text(workspace, edit_text(workspace, finished, 4, "x"), 7, "Final Answer: laying")
    settled = curate.settle_stale(workspace, edited, "branch")
    assert len(settled.thread.messages) == 6
    (child,) = (stem for stem in thread_files.stems(workspace.threads) if stem != finished.stem)
    assert stale(store.read(workspace.threads, child).thread) == [6]


def test_a_branch_is_a_thread_of_its_own(workspace: Workspace, finished: Stored):
    tagged = set_tags(workspace, set_verdict(workspace, finished, "accept", "good"), ["gold"])
    document = {**tagged.thread.document, "mine": {"x": 1}}
    path_of(workspace, tagged).write_text(json.dumps(document))
    tagged = curate.take_theirs(workspace, tagged)
    branch = curate.branch(workspace, tagged, 4)
    assert branch.stem == "demo_a_v4_0002" and branch.thread.id == branch.stem
    assert len(branch.thread.messages) == 6, "the cut moves to the turn's end"
    calls = [call["id"] for message in branch.thread.messages for call in message.get("tool_calls") or ()]
    assert calls == [f"call_{branch.stem}_turn_1", f"call_{branch.stem}_turn_2", f"call_{branch.stem}_turn_2_2"]
    assert [m["tool_call_id"] for m in branch.thread.messages if m["role"] == "tool"] == calls
    metadata = branch.thread.metadata
    assert (metadata["parent_id"], metadata["branched_at"], metadata["status"]) == (tagged.stem, 6, "active")
    assert metadata["num_turns"] == 2 and "review" not in metadata and "tags" not in metadata
    assert branch.thread.document["mine"] == {"x": 1} and branch.thread.tools == SCHEMAS
    assert store.read(workspace.threads, tagged.stem).thread == tagged.thread
    assert curate.undo(workspace, branch.stem).sentence == f"undid: branch of {tagged.stem}"
    assert thread_files.stems(workspace.threads) == [tagged.stem]


@pytest.mark.parametrize("position", [0, 1])
def test_a_branch_at_the_question_asks_another(workspace: Workspace, finished: Stored, position: int):
    branch = curate.branch(workspace, finished, position, question="is it lying?")
    (message,) = branch.thread.messages
    assert message["content"].endswith("User Query: is it lying?")
    assert message["content"].startswith("Dataset Information:")
    assert branch.thread.question == "is it lying?" and branch.thread.metadata["branched_at"] == 0
    assert "model" not in branch.thread.metadata
    with pytest.raises(UsageError, match="user's turn"):
        curate.branch(workspace, finished, 4, question="x")


def test_a_branch_of_a_thread_with_several_leading_messages(workspace: Workspace):
    workspace.threads.mkdir()
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Dataset Information:\n{}"},
        {"role": "user", "content": {"type": "timeseries", "artifact_id": "ts_1"}},
        {"role": "user", "content": "what is it?"},
        {"role": "assistant", "content": "Final Answer: walking"},
    ]
    metadata = {"dataset": "demo", "session": "a", "user_query": "what is it?"}
    document = {"id": "x", "metadata": metadata, "messages": messages}
    (workspace.threads / "x.json").write_text(json.dumps(document))
    branch = curate.branch(workspace, store.read(workspace.threads, "x"), 1, question="and now?")
    assert [message["content"] for message in branch.thread.messages] == [
        *(message["content"] for message in messages[:2]),
        "and now?",
    ]
    assert branch.thread.metadata["branched_at"] == 2


def test_a_turn_taken_out_and_the_loss_flag_are_steps(workspace: Workspace, finished: Stored):
    changed = curate.set_loss(workspace, finished, 3, False)
    assert changed.thread.messages[3]["train"] is False
    changed = curate.delete_turn(workspace, changed, 1)
    assert len(changed.thread.messages) == len(finished.thread.messages) - 2
    assert what_was_done(workspace, changed.stem)[-2:] == ["done: turn 2 out of the loss", "done: deletion of turn 1"]
    for _ in range(2):
        curate.undo(workspace, changed.stem)
    assert store.read(workspace.threads, changed.stem).digest == finished.digest


def test_verdicts_and_tags_come_and_go(workspace: Workspace, finished: Stored):
    judged = set_verdict(workspace, finished, "reject", "wrong window")
    review = judged.thread.metadata["review"]
    assert (review["verdict"], review["note"]) == ("reject", "wrong window") and review["at"]
    assert set_verdict(workspace, judged, "reject", "wrong window") is judged
    assert "review" not in set_verdict(workspace, judged, None).thread.metadata
    tagged = set_tags(workspace, store.read(workspace.threads, finished.stem), [" a ", "b", "a", ""])
    assert tagged.thread.metadata["tags"] == ["a", "b"]
    assert "tags" not in set_tags(workspace, tagged, []).thread.metadata


def test_a_bulk_action_is_one_step_and_says_what_failed(workspace: Workspace, finished: Stored):
    other = curate.branch(workspace, finished, 3)
    (workspace.threads / "broken.json").write_text("{")
    done = curate.set_verdicts(workspace, [finished.stem, other.stem, "broken", "absent"], "accept")
    assert done.changed == (finished.stem, other.stem)
    assert [problem.split(":")[0].split(",")[0] for problem in done.problems] == ["broken.json", "absent.json"]
    undone = curate.undo(workspace, other.stem)
    assert undone.sentence == "undid: verdict accept of 2 threads" and len(undone.stems) == 2
    assert path_of(workspace, finished).read_bytes() == finished.data
    assert len(curate.redo(workspace, finished.stem).stems) == 2
    tagged = curate.change_tags(workspace, [finished.stem, other.stem], add=["x", "y"], remove=["y"])
    assert tagged.changed == (finished.stem, other.stem)
    assert store.read(workspace.threads, other.stem).thread.metadata["tags"] == ["x"]


def test_undo_of_a_bulk_action_leaves_the_thread_that_moved_on(workspace: Workspace, finished: Stored):
    other = curate.branch(workspace, finished, 3)
    curate.set_verdicts(workspace, [finished.stem, other.stem], "accept")
    moved = set_tags(workspace, store.read(workspace.threads, other.stem), ["x"])
    undone = curate.undo(workspace, finished.stem)
    assert undone.sentence == "undid: verdict accept; 1 changed since and stays"
    assert store.read(workspace.threads, other.stem) == moved


def test_deleted_threads_come_back_byte_for_byte(workspace: Workspace, finished: Stored):
    (workspace.threads / "broken.json").write_bytes(b"{ not json")
    done = curate.delete(workspace, [finished.stem, "broken"])
    assert done.changed == (finished.stem, "broken") and thread_files.stems(workspace.threads) == []
    assert curate.list_trash(workspace) == ["broken", finished.stem]
    assert (workspace.private / "trash" / f"{finished.stem}.json").read_bytes() == finished.data
    undone = curate.undo_latest(workspace)
    assert undone.sentence == "undid: deletion of 2 threads" and curate.list_trash(workspace) == []
    assert path_of(workspace, finished).read_bytes() == finished.data
    assert (workspace.threads / "broken.json").read_bytes() == b"{ not json"
    curate.redo(workspace, "broken")
    restored = curate.restore(workspace, [finished.stem, "absent"])
    assert restored.changed == (finished.stem,) and restored.problems == ("absent is not in the trash",)
    assert path_of(workspace, finished).read_bytes() == finished.data
    assert curate.list_trash(workspace) == ["broken"]


def test_the_id_of_a_deleted_thread_is_not_given_again(workspace: Workspace, finished: Stored):
    curate.delete(workspace, [finished.stem])
    assert curate.create_thread(workspace, "demo", "a", "what?").stem == "demo_a_v4_0002"


def test_another_programs_change_reloads_as_one_step(workspace: Workspace, finished: Stored):
    theirs = path_of(workspace, finished).read_text().replace("two means", "2 means").encode() + b"\n\n"
    path_of(workspace, finished).write_bytes(theirs)
    with pytest.raises(ConflictError):
        set_verdict(workspace, finished, "accept")
    theirs_read = curate.take_theirs(workspace, finished)
    assert theirs_read.data == theirs and theirs_read.thread.messages[3]["content"] == "2 means"
    assert curate.take_theirs(workspace, theirs_read) == theirs_read
    assert curate.undo(workspace, theirs_read.stem).sentence == "undid: change by another program"
    assert path_of(workspace, finished).read_bytes() == finished.data
    assert curate.redo(workspace, theirs_read.stem).sentence == "did again: change by another program"
    assert path_of(workspace, finished).read_bytes() == theirs


def test_what_the_list_read_is_taken_as_it_is_unless_it_was_written_again(workspace: Workspace, finished: Stored):
    path = path_of(workspace, finished)
    path.write_bytes(finished.data.replace(b"two means", b"2 means"))
    (listed,) = rescan(workspace.threads, {}, [finished.stem]).threads
    assert curate.take_theirs(workspace, finished, listed) is listed
    path.write_bytes(finished.data.replace(b"two means", b"some means"))
    assert curate.take_theirs(workspace, listed, listed).thread.messages[3]["content"] == "some means"
    curate.undo(workspace, finished.stem)
    assert path.read_bytes() == listed.data


def test_a_file_nobody_touched_before_reloads_as_one_step_too(workspace: Workspace, finished: Stored):
    odd = b' {"id": "x", "metadata": {"dataset": "d"}, "messages": []}'
    path = workspace.threads / "x.json"
    path.write_bytes(odd)
    seen = store.read(workspace.threads, "x")
    path.write_bytes(odd.replace(b'"d"', b'"e"'))
    curate.take_theirs(workspace, seen)
    curate.undo(workspace, "x")
    assert path.read_bytes() == odd


def test_an_unseen_change_is_noted_before_anything_is_undone(workspace: Workspace, finished: Stored):
    theirs = b'{"id": "x", "metadata": {}, "messages": []}'
    path_of(workspace, finished).write_bytes(theirs)
    with pytest.raises(ConflictError, match="look at that first"):
        curate.undo(workspace, finished.stem, seen=finished.digest)
    assert path_of(workspace, finished).read_bytes() == theirs
    assert curate.undo(workspace, finished.stem).sentence == "undid: change by another program"
    assert path_of(workspace, finished).read_bytes() == finished.data


def test_a_half_written_file_is_not_taken(workspace: Workspace, finished: Stored):
    path_of(workspace, finished).write_bytes(finished.data[:100])
    with pytest.raises(ThreadError, match="line"):
        curate.take_theirs(workspace, finished)
    assert what_was_done(workspace, finished.stem)[-1] == "done: turn 4"


def test_a_file_deleted_outside_comes_back_by_undo(workspace: Workspace, finished: Stored):
    path_of(workspace, finished).unlink()
    with pytest.raises(ThreadError, match="no such thread"):
        curate.take_theirs(workspace, finished)
    assert curate.undo_latest(workspace).sentence == "undid: change by another program"
    assert path_of(workspace, finished).read_bytes() == finished.data


@pytest.mark.parametrize("gone", [False, True])
def test_mine_over_theirs_keeps_both(workspace: Workspace, finished: Stored, gone: bool):
    path = path_of(workspace, finished)
    theirs = finished.data.replace(b"two means", b"their means")
    if gone:
        path.unlink()
    else:
        path.write_bytes(theirs)
    mine = set_verdict(open_workspace(str(workspace.root), environ={}), finished, None)
    assert mine is finished
    from core.thread.edits import edited

    work = edited(finished.thread, 6, with_text(finished.thread.messages[6], "my thought"))
    mine = curate.keep_mine(workspace, finished, work, "edit of turn 3")
    assert mine.thread.messages[6]["content"] == "my thought"
    assert curate.undo(workspace, mine.stem).sentence == "undid: edit of turn 3"
    assert path.exists() is not gone and (gone or path.read_bytes() == theirs)
    curate.undo(workspace, mine.stem)
    assert path.read_bytes() == finished.data


def test_mine_as_a_branch_leaves_theirs(workspace: Workspace, finished: Stored):
    theirs = finished.data.replace(b"two means", b"their means")
    path_of(workspace, finished).write_bytes(theirs)
    from core.thread.edits import edited

    work = edited(finished.thread, 6, with_text(finished.thread.messages[6], "my thought"))
    branch = curate.mine_as_branch(workspace, finished, work)
    assert path_of(workspace, finished).read_bytes() == theirs
    assert branch.thread.messages[6]["content"] == "my thought"
    assert (branch.thread.metadata["parent_id"], branch.thread.metadata["branched_at"]) == (finished.stem, 6)


def test_counts_are_taken_anew_at_every_save(workspace: Workspace, finished: Stored):
    document = json.loads(finished.data)
    document["metadata"] |= {"num_turns": 77, "status": "active", "is_correct": False}
    path_of(workspace, finished).write_text(json.dumps(document))
    stored = set_tags(workspace, store.read(workspace.threads, finished.stem), ["x"])
    metadata = stored.thread.metadata
    assert {key: metadata[key] for key in counted(stored.thread.messages, metadata)} == counted(
        stored.thread.messages, metadata
    )
    assert artifact_of(stored.thread.messages[2]).startswith("ts_")


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(workspace: Workspace, finished: Stored):
    (workspace.root / "file").touch()
    blocked = open_workspace(str(workspace.root), parts={"threads": str(workspace.root / "file/threads")}, environ={})
    with pytest.raises(SensorloomError, match=r"cannot write in .*file/threads: not a directory"):
        curate.undo(blocked, finished.stem)


def test_a_writer_that_does_not_let_go_is_said_in_a_sentence(
    workspace: Workspace, finished: Stored, monkeypatch: pytest.MonkeyPatch
):
    def busy(*_: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr("fcntl.lockf", busy)
    monkeypatch.setattr("core.storage.locks.PATIENCE_SEC", 0.02)
    with pytest.raises(SensorloomError, match="another sensorloom has been writing"):
        set_tags(workspace, finished, ["x"])
