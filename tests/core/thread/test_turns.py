from __future__ import annotations

from typing import Any

import pytest

from core.storage.store import Stored
from core.thread.turns import boundary, new_call_ids, results_of, turn_at, turns, with_thread_id
from core.thread.value import Thread
from tests.core.curate.pairing import orphans, unanswered
from tests.core.curate.world import assistant


def thread_of(*messages: dict[str, Any]) -> Thread:
    return Thread({"id": "t", "metadata": {}, "messages": list(messages)})


def user(text: str = "q") -> dict[str, Any]:
    return {"role": "user", "content": text}


def result(call_id: str, text: str = "{}") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "name": "f", "content": text}


def spans(thread: Thread) -> list[tuple[str, int, int, int]]:
    return [(turn.kind, turn.number, turn.start, turn.end) for turn in turns(thread)]


def test_a_thread_is_a_question_and_turns_with_their_results(finished: Stored):
    assert spans(finished.thread) == [
        ("question", 0, 0, 1),
        ("assistant", 1, 1, 3),
        ("assistant", 2, 3, 6),
        ("assistant", 3, 6, 7),
        ("assistant", 4, 7, 8),
    ]


def test_several_leading_user_messages_are_one_question():
    artifact = {"role": "user", "content": {"type": "timeseries", "artifact_id": "ts_1"}}
    thread = thread_of(user("manifest"), artifact, user("what?"), assistant("a"), user("and?"), assistant("b"))
    assert spans(thread) == [
        ("question", 0, 0, 3),
        ("assistant", 1, 3, 4),
        ("user", 1, 4, 5),
        ("assistant", 2, 5, 6),
    ]


def test_broken_threads_have_turns_too():
    thread = thread_of(
        result("x"),
        assistant("a", ("f", {}), ("f", {})),
        result("call_t_turn_1_2"),
        result("nobody"),
        user(),
        result("late"),
    )
    assert spans(thread) == [
        ("stray", 0, 0, 1),
        ("assistant", 1, 1, 4),
        ("user", 1, 4, 5),
        ("stray", 1, 5, 6),
    ]
    assert results_of(thread.messages, 1) == (None, 2)
    assert unanswered(thread) == ((1, 0),)
    assert orphans(thread) == (0, 3, 5)
    assert turns(thread_of()) == () and turns(thread_of(assistant("a")))[0].kind == "assistant"


def test_one_result_answers_one_call_even_when_an_id_stands_twice():
    message = assistant("a", ("f", {}), ("f", {}))
    for call in message["tool_calls"]:
        call["id"] = "same"
    thread = thread_of(user(), message, result("same", "1"), result("same", "2"))
    assert results_of(thread.messages, 1) == (2, 3)
    assert orphans(thread) == () and unanswered(thread) == ()


@pytest.mark.parametrize(("position", "cut"), [(0, 0), (1, 1), (2, 3), (3, 3), (4, 6), (5, 6), (7, 7), (8, 8), (99, 8)])
def test_a_cut_never_parts_a_call_from_its_result(finished: Stored, position: int, cut: int):
    assert boundary(finished.thread, position) == cut


def test_turn_at_refuses_what_is_not_there(finished: Stored):
    assert turn_at(finished.thread, 4).number == 2
    with pytest.raises(IndexError):
        turn_at(finished.thread, 8)


def test_new_ids_keep_clear_of_those_there_are(finished: Stored):
    stem = finished.stem
    assert new_call_ids(finished.thread, 2) == [f"call_{stem}_turn_5", f"call_{stem}_turn_5_2"]
    assert new_call_ids(finished.thread, 1, turn=2) == [f"call_{stem}_turn_3"]


def test_ids_of_a_copy_name_the_copy_and_stay_matched():
    odd = assistant("a", ("f", {}), ("f", {}))
    odd["tool_calls"][0]["id"] = odd["tool_calls"][1]["id"] = "chatcmpl-x"
    other = {**assistant("b", ("f", {})), "note": "kept"}
    thread = thread_of(user(), odd, result("chatcmpl-x", "1"), result("orphan"), other, result("call_t_turn_1"))
    copied = with_thread_id(thread.messages, "new")
    assert [call["id"] for call in copied[1]["tool_calls"]] == ["call_new_turn_1", "call_new_turn_1_2"]
    assert [copied[at]["tool_call_id"] for at in (2, 3, 5)] == ["call_new_turn_1", "orphan", "call_new_turn_2"]
    assert copied[4]["note"] == "kept"
    assert thread.messages[5]["tool_call_id"] == "call_t_turn_1"
