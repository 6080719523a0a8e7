from __future__ import annotations

import re
from typing import Any

from core.thread.call_ids import with_neutral_ids
from core.thread.value import Message, calls_of


def _turn(*ids: str) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": call_id, "function": {"name": "f"}} for call_id in ids],
    }


def _result(call_id: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": "{}"}


def _call_ids(message: Message) -> list[str]:
    return [str(call["id"]) for call in calls_of(message)]


def test_calls_and_results_stay_together_under_ids_that_say_nothing():
    messages = [{"role": "user", "content": "?"}, _turn("call_uci_har_7_a", "b"), _result("b"),
                _result("call_uci_har_7_a"), _turn("b"), _result("b"), _result("nobody's")]  # fmt: skip
    neutral = with_neutral_ids(messages)
    calls = [_call_ids(message) for message in neutral]
    results = [message.get("tool_call_id") for message in neutral]
    assert results[2:4] == [calls[1][1], calls[1][0]] and results[5] == calls[4][0]
    every = [*calls[1], *calls[4], results[6]]
    assert len(set(every)) == 4 and all(re.fullmatch("[A-Za-z0-9]{9}", str(call_id)) for call_id in every)
    assert _call_ids(messages[1]) == ["call_uci_har_7_a", "b"]


def test_an_orphan_after_a_turn_that_called_nothing_is_not_given_an_earlier_calls_id():
    turn, _, orphan = with_neutral_ids([_turn("a"), {"role": "assistant", "content": "So."}, _result("a")])
    assert orphan["tool_call_id"] not in _call_ids(turn)
