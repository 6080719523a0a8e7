from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import UsageError
from core.storage.store import Stored
from core.thread.call_checks import call_problems, message_problems
from core.thread.edits import (
    answered,
    edited,
    reexecuted,
    same_result,
    with_call,
    with_text,
)
from core.thread.proposal import context_hash
from core.thread.stale import accepted_as_is, calls_to_repeat, cut
from core.thread.turn_edits import deleted, with_loss
from core.thread.updates import with_messages
from core.thread.value import Thread, call_arguments, calls_of
from tests.core.curate.pairing import orphans, unanswered
from tests.core.curate.world import SCHEMAS, TOOLS, artifact_of, assistant, context_at, stale, without_call


@pytest.fixture
def thread(finished: Stored) -> Thread:
    return finished.thread


def edit_text(thread: Thread, index: int, text: str) -> Thread:
    return edited(thread, index, with_text(thread.messages[index], text))


def test_another_question_makes_every_turn_stale_and_is_told_to_the_metadata(thread: Thread):
    asked = thread.messages[0]["content"].replace("what is it?", "is it rising?")
    after = edit_text(thread, 0, asked)
    assert stale(after) == [1, 3, 6, 7]
    assert after.question == "is it rising?"


def test_a_changed_result_makes_stale_what_came_after_it_and_not_before(thread: Thread):
    after = edit_text(thread, 4, '{"mean": 99}')
    assert stale(after) == [6, 7]
    assert after.messages[4]["edited"] is True and "edited" not in after.messages[5]
    assert thread.messages[4].get("edited") is None


def test_the_final_text_makes_nothing_else_stale_but_is_counted(thread: Thread):
    after = edit_text(thread, 7, "no.\nConfidence: low\nFinal Answer: laying")
    assert stale(after) == []
    assert (after.metadata["final_answer"], after.metadata["is_correct"], after.metadata["confidence"]) == (
        "laying",
        False,
        "low",
    )


def test_the_text_beside_calls_makes_nothing_stale_but_a_thought_of_its_own_does(thread: Thread):
    assert stale(edit_text(thread, 3, "better put")) == []
    assert stale(edit_text(thread, 6, "it falls")) == [7]


def test_an_edited_argument_makes_its_own_result_stale_and_what_follows(thread: Thread):
    message = with_call(thread.messages[3], 1, "mean_of", '{"artifact_id": "session"}')
    after = edited(thread, 3, message)
    assert stale(after) == [5, 6, 7]
    spaced = with_call(thread.messages[3], 1, "mean_of", "{ }")
    assert stale(edited(thread, 3, spaced)) == []


def test_a_call_that_names_a_changed_artifact_is_stale_with_its_result(thread: Thread):
    message = with_call(thread.messages[1], 0, "crop", '{"start_sec": 1, "end_sec": 2}')
    after = edited(thread, 1, message)
    # the mean of the whole session (5) still stands, that of the cut (4) does not
    assert stale(after) == [2, 3, 4, 6, 7]


def test_artifacts_made_from_a_changed_artifact_are_changed_too(thread: Thread):
    made_of = artifact_of(thread.messages[2])
    call = ("crop", {"start_sec": 1, "end_sec": 3, "artifact_id": made_of})
    between = assistant("cut again", call, thread=thread.id, turn=9)
    chain = with_messages(thread, [*thread.messages[:3], between, *thread.messages[3:]])
    chain = accepted_as_is(reexecuted(chain, 3, TOOLS, context_at(chain, 3)))
    second = artifact_of(chain.messages[4])
    chain = edited(chain, 5, with_call(chain.messages[5], 0, "mean_of", json.dumps({"artifact_id": second})))
    chain = accepted_as_is(reexecuted(chain, 5, TOOLS, context_at(chain, 5)))
    assert stale(chain) == []
    after = edited(chain, 1, with_call(chain.messages[1], 0, "crop", '{"start_sec": 2, "end_sec": 9}'))
    assert stale(after) == [2, 3, 4, 5, 6, 8, 9]


def test_the_turn_as_it_was_becomes_an_alternative_once(thread: Thread):
    after = edit_text(thread, 3, "better put")
    (alternative,) = after.alternatives
    assert (alternative["position"], alternative["reason"]) == (3, "edited")
    assert alternative["messages"] == list(thread.messages[3:6])
    assert alternative["context"] == context_hash(after.messages[:3])
    back = edit_text(after, 3, thread.messages[3]["content"])
    again = edit_text(back, 3, "better put")
    assert [alternative["messages"][0]["content"] for alternative in again.alternatives] == ["two means", "better put"]


def test_marks_are_no_part_of_what_a_turn_follows(thread: Thread):
    assert context_hash(with_loss(thread, 1, False).messages) == context_hash(thread.messages)


def test_unknown_keys_of_an_edited_message_stay(thread: Thread):
    message = {**thread.messages[3], "mine": {"a": [1]}}
    message["tool_calls"] = [
        {**call, "note": 1, "function": {**call["function"], "x": 2}} for call in calls_of(message)
    ]
    renamed = edited(thread, 3, message)
    assert stale(renamed) == []
    after = edited(renamed, 3, with_call(with_text(renamed.messages[3], "t"), 0, "mean_of", "{}"))
    call = after.messages[3]["tool_calls"][0]
    assert (after.messages[3]["mine"], call["note"], call["function"]["x"]) == ({"a": [1]}, 1, 2)


def test_calls_can_be_added_and_taken_away(thread: Thread):
    more = edited(thread, 3, with_call(thread.messages[3], 2, "mean_of", "{}"))
    ids = [call["id"] for call in calls_of(more.messages[3])]
    assert ids == [f"call_{thread.id}_turn_2", f"call_{thread.id}_turn_2_2", f"call_{thread.id}_turn_2_3"]
    assert unanswered(more) == ((3, 2),) and calls_to_repeat(more) == {3: (2,)}
    run = reexecuted(more, 3, TOOLS, context_at(more, 3), [2])
    assert unanswered(run) == () and run.messages[6]["tool_call_id"] == ids[2]
    less = edited(thread, 3, without_call(thread.messages[3], 0))
    assert [message["role"] for message in less.messages[3:]] == ["assistant", "tool", "assistant", "assistant"]
    assert orphans(less) == () and unanswered(less) == () and stale(less) == [5, 6]
    none = edited(less, 3, without_call(less.messages[3], 0))
    assert none.messages[3]["tool_calls"] is None and len(none.messages) == 6


@pytest.mark.parametrize(
    "change",
    [
        {"role": "user"},
        {"tool_calls": [{"id": "call_demo_a_v4_0001_turn_1", "type": "function", "function": {"name": "f"}}]},
    ],
)
def test_an_edit_cannot_make_a_message_another_or_double_an_id(thread: Thread, change: dict[str, Any]):
    with pytest.raises(UsageError):
        edited(thread, 3, {**thread.messages[3], **change})
    with pytest.raises(UsageError):
        edited(thread, 4, {**thread.messages[4], "tool_call_id": "another"})
    with pytest.raises(UsageError, match="no number 9"):
        edited(thread, 8, {})


def test_executing_again_changes_nothing_when_the_result_is_the_same(thread: Thread):
    assert reexecuted(thread, 3, TOOLS, context_at(thread, 3)) == thread
    wrong = edit_text(thread, 4, '{"mean": 99}')
    mended = reexecuted(wrong, 3, TOOLS, context_at(thread, 3))
    assert mended.messages[:6] == thread.messages[:6]
    assert stale(mended) == [6, 7]


def test_executing_edited_arguments_replaces_the_result_and_its_name(thread: Thread):
    after = edited(thread, 1, with_call(thread.messages[1], 0, "mean_of", "{}"))
    after = reexecuted(after, 1, TOOLS, context_at(after, 1))
    assert json.loads(after.messages[2]["content"]) == {"artifact_id": "session", "mean": 4.95}
    assert after.messages[2]["name"] == "mean_of"
    assert stale(after) == [3, 4, 6, 7]


def test_object_results_of_threads_made_elsewhere_compare_as_values(thread: Thread):
    value = json.loads(thread.messages[2]["content"])
    messages = [*thread.messages[:2], {**thread.messages[2], "content": value}, *thread.messages[3:]]
    foreign = Thread({**thread.document, "messages": messages})
    again = reexecuted(foreign, 1, TOOLS, context_at(foreign, 1))
    assert again.messages[2]["content"] == value and stale(again) == []
    assert same_result({"content": value}, json.dumps(value)) and not same_result({"content": "1"}, "2")
    after = edited(foreign, 2, {**foreign.messages[2], "content": {"artifact_id": "ts_x"}})
    assert stale(after) == [3, 4, 6, 7]


def test_a_missing_result_goes_where_its_call_stands(thread: Thread):
    broken = Thread({**thread.document, "messages": [*thread.messages[:4], *thread.messages[5:]]})
    assert unanswered(broken) == ((3, 0),)
    after = answered(broken, 3, {0: "1"})
    assert [message.get("tool_call_id") for message in after.messages] == [
        message.get("tool_call_id") for message in thread.messages
    ]
    with pytest.raises(UsageError, match="calls no tool"):
        reexecuted(thread, 6, TOOLS, context_at(thread, 6))


def test_a_deleted_turn_is_kept_and_what_used_it_is_stale(thread: Thread):
    after = deleted(thread, 2)
    assert [message["role"] for message in after.messages] == [
        "user",
        "assistant",
        "tool",
        "tool",
        "assistant",
        "assistant",
    ]
    assert stale(after) == [1, 2, 4, 5]
    (alternative,) = after.alternatives
    assert (alternative["reason"], alternative["position"], alternative["messages"]) == (
        "discarded",
        1,
        list(thread.messages[1:3]),
    )
    with pytest.raises(UsageError, match="question"):
        deleted(thread, 0)


def test_what_uses_an_artifact_is_stale_even_when_the_result_that_named_it_was_edited(thread: Thread):
    after = accepted_as_is(edit_text(thread, 2, "words of one's own"))
    after = reexecuted(after, 3, TOOLS, context_at(after, 3))
    assert after.messages[4] == thread.messages[4], "its call still makes the artifact"
    assert 2 in stale(deleted(after, 1)), "and no longer once it is gone"


def test_alternatives_move_along_with_the_turns_they_stand_at(thread: Thread):
    after = edit_text(edit_text(thread, 1, "one"), 7, "Final Answer: laying")
    after = deleted(after, 3)
    assert [alternative["position"] for alternative in after.alternatives] == [1, 4, 3]


def test_the_loss_flag_is_on_the_assistant_message(thread: Thread):
    after = with_loss(thread, 4, False)
    assert after.messages[3]["train"] is False
    assert with_loss(after, 3, True) == thread
    with pytest.raises(UsageError):
        with_loss(thread, 0, False)


def test_a_result_that_is_accepted_as_it_is_counts_as_edited(thread: Thread):
    after = accepted_as_is(
        edited(thread, 1, with_call(thread.messages[1], 0, "crop", '{"start_sec": 1, "end_sec": 2}'))
    )
    assert stale(after) == []
    assert [index for index, message in enumerate(after.messages) if message.get("edited")] == [2, 4]


def test_stale_turns_taken_off_are_kept_without_a_context(thread: Thread):
    after = cut(edit_text(thread, 4, "x"), 6)
    assert len(after.messages) == 6 and after.status == "active"
    alternative = after.alternatives[-1]
    assert (alternative["reason"], alternative["position"], alternative["context"]) == ("superseded", 6, "")
    assert alternative["messages"] == list(thread.messages[6:])


@pytest.mark.parametrize(
    ("name", "arguments", "path", "text"),
    [
        ("crap", '{"start_sec": 0, "end_sec": 1}', "name", "did you mean crop"),
        ("", "{}", "name", "needs"),
        ("crop", '{"start_sec": "a", "end_sec": 1}', "arguments.start_sec", "not of type 'number'"),
        ("crop", '{"start_sec": 0}', "arguments", "'end_sec' is a required property"),
        ("crop", '{"start_sec": 0, "end_sec": 1, "x": 1}', "arguments", "'x' was unexpected"),
        ("crop", '{"start_sec": 0,\n "end_sec": }', "arguments", "line 2, column 13"),
        ("crop", "[1]", "arguments", "must be a JSON object"),
        ("crop", "[" * 100_000, "arguments", "deep"),
    ],
)
def test_arguments_are_checked_against_the_threads_own_tools(name: str, arguments: str, path: str, text: str):
    (problem,) = call_problems(SCHEMAS, name, arguments)
    assert problem.path == path and text in problem.text and "\n" not in problem.text


def test_without_tools_only_the_form_is_checked():
    assert call_problems(None, "anything", '{"a": 1}') == ()
    assert [problem.path for problem in call_problems(None, "anything", "x")] == ["arguments"]
    nested = [{"type": "function", "function": {"name": "f", "parameters": {"$ref": "http://127.0.0.1:9/x"}}}]
    assert call_problems(nested, "f", "{}") == ()
    assert call_problems([{"function": {"name": "f", "parameters": {"type": "nonsense"}}}], "f", "{}") == ()


def test_only_the_calls_that_were_edited_are_checked(thread: Thread):
    mistaken = with_call(thread.messages[3], 0, "mean_of", '{"wrong": 1}')
    (problem,) = message_problems(thread, mistaken, thread.messages[3])
    assert problem.path == "tool_calls[0].arguments"
    assert message_problems(thread, with_text(mistaken, "t"), mistaken) == ()
    assert call_arguments(calls_of(mistaken)[0]) == '{"wrong": 1}'
