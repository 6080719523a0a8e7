"""Turns put in, moved, parted and joined, on a real thread and through the acts that keys and commands call."""

from __future__ import annotations

import json

import pytest

from core import curate
from core.errors import UsageError
from core.storage.store import Stored
from core.thread.structure import moved_to
from core.thread.turns import broken_calls
from core.thread.value import calls_of, text_of
from core.workspace import Workspace
from tests.core.curate.world import FINAL, add_turn, assistant, stale, tools_at


@pytest.fixture
def plain(workspace: Workspace) -> Stored:
    """question · 1 crop and its result · 3 two means and their results · 6 the final answer."""
    stored = curate.create_thread(workspace, "demo", "a", "what is it?")
    stored = add_turn(workspace, stored, "cut it", ("crop", {"start_sec": 0, "end_sec": 5}))
    stored = add_turn(workspace, stored, "two means", ("mean_of", {}), ("mean_of", {"artifact_id": "session"}))
    return add_turn(workspace, stored, FINAL)


def texts(stored: Stored) -> list[str]:
    return [text_of(message) for message in stored.thread.messages if message["role"] != "tool"]


def test_what_the_user_says_is_put_in_and_taken_back_as_one_step(workspace: Workspace, plain: Stored):
    after = curate.insert_turn(workspace, plain, 3, {"role": "user", "content": "look closer"})
    assert texts(after)[2] == "look closer" and stale(after.thread) == [4, 7]
    assert after.thread.question == "what is it?", "the question is the first one"
    undone = curate.undo(workspace, after.stem)
    assert undone.stored is not None and undone.stored.thread.messages == plain.thread.messages


def test_a_call_that_is_put_in_is_carried_out(workspace: Workspace, plain: Stored):
    message = assistant("and once more", ("mean_of", {}))
    message["tool_calls"][0]["id"] = ""
    after = curate.insert_turn(workspace, plain, 3, message, tools_at)
    assert json.loads(text_of(after.thread.messages[4]))["mean"] == 4.95
    assert not broken_calls(after.thread.messages) and stale(after.thread) == [5, 8]
    with pytest.raises(UsageError, match="the call: "):
        curate.insert_turn(workspace, after, 3, assistant("", ("no_tool", {})), tools_at)
    with pytest.raises(UsageError, match="session cannot be read"):
        curate.insert_turn(workspace, after, 3, assistant("", ("mean_of", {}), turn=9))


def test_what_cannot_stand_there_is_refused_with_the_way_out(workspace: Workspace, plain: Stored):
    for position, message, reason in (
        (0, {"role": "user", "content": "x"}, "the question stays first"),
        (1, {"role": "user", "content": "x"}, "edit the one that is there"),
        (2, {"role": "user", "content": "x"}, "belongs to the turn before it"),
        (3, {"role": "assistant", "content": "x"}, "give the first a call"),
        (7, {"role": "user", "content": "x"}, "after the final answer"),
    ):
        with pytest.raises(UsageError, match=reason):
            curate.insert_turn(workspace, plain, position, message)


def test_a_turn_moves_with_its_results_where_nothing_rests_on_it(workspace: Workspace, plain: Stored):
    assert moved_to(plain.thread, 4, -1) == 2
    after = curate.move_turn(workspace, plain, 4, -1)
    assert texts(after)[1:3] == ["two means", "cut it"] and not broken_calls(after.thread.messages)
    assert stale(after.thread) == [1, 4, 6]
    back = curate.move_turn(workspace, after, 1, 1)
    assert texts(back) == texts(plain)


def test_an_order_that_would_not_hold_is_refused(workspace: Workspace, finished: Stored, plain: Stored):
    with pytest.raises(UsageError, match=r"turn 2 works on ts_\w+, which turn 1 makes"):
        curate.move_turn(workspace, finished, 3, -1)
    for index, by, reason in (
        (0, 1, "question that opens"), (1, -1, "stays first"), (3, 1, "final answer closes"), (6, 1, "last one"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=reason):
            curate.move_turn(workspace, plain, index, by)


def test_parallel_calls_are_parted_and_joined_again(workspace: Workspace, plain: Stored):
    parted = curate.split_calls(workspace, plain, 4)
    assert [len(calls_of(message)) for message in parted.thread.messages if message["role"] == "assistant"] == [
        1,
        1,
        1,
        0,
    ]
    assert not broken_calls(parted.thread.messages) and not stale(parted.thread)
    assert parted.thread.metadata["num_turns"] == 4 and parted.thread.status == "finished"
    whole = curate.join_turns(workspace, parted, 3)
    assert whole.thread.messages[3:6] == plain.thread.messages[3:6]
    with pytest.raises(UsageError, match="no parallel calls"):
        curate.split_calls(workspace, plain, 1)
    with pytest.raises(UsageError, match="calls no tool"):
        curate.join_turns(workspace, plain, 3)


def test_two_answers_in_a_row_are_joined(workspace: Workspace, finished: Stored):
    after = curate.join_turns(workspace, finished, 6)
    assert text_of(after.thread.messages[6]) == f"it seems to rise\n\n{FINAL}" and after.thread.status == "finished"
    with pytest.raises(UsageError, match="works on ts_"):
        curate.join_turns(workspace, finished, 1)


def test_alternatives_go_with_the_turn_they_stand_at(workspace: Workspace, plain: Stored):
    shorter = curate.delete_turn(workspace, plain, 3)  # kept at message 3
    assert [each["position"] for each in shorter.thread.alternatives] == [3]
    after = curate.insert_turn(workspace, shorter, 3, {"role": "user", "content": "go on"})
    assert [each["position"] for each in after.thread.alternatives] == [4]


def test_alternatives_of_a_turn_that_is_joined_stand_at_the_whole_one(workspace: Workspace, plain: Stored):
    parted = curate.split_calls(workspace, plain, 3)
    edited = curate.edit_message(workspace, parted, 5, {**parted.thread.messages[5], "content": "and this"})
    assert [each["position"] for each in edited.thread.alternatives] == [5]
    whole = curate.join_turns(workspace, edited, 3)
    assert [each["position"] for each in whole.thread.alternatives] == [3], "no result has alternatives"


def test_a_say_goes_to_the_end_of_what_is_not_finished(workspace: Workspace, plain: Stored):
    running = curate.delete_turn(workspace, plain, 6)
    after = curate.say(workspace, running, " is it regular? ")
    assert (
        after.thread.messages[-1] == {"role": "user", "content": "is it regular?"} and after.thread.status == "active"
    )
    with pytest.raises(UsageError, match="nothing to say"):
        curate.say(workspace, running, " ")
