"""Calls and results that do not fit together: unanswered, orphan, duplicate ids."""

from __future__ import annotations

from collections.abc import Iterator

from core.lint.finding import Check, Context, Finding
from core.thread.turns import block_end, calls_with_results, turns
from core.thread.value import Thread, call_name, calls_of


def _unanswered(thread: Thread, context: Context) -> Iterator[Finding]:
    messages = thread.messages
    for index in range(len(messages)):
        for call, answer in calls_with_results(messages, index):
            if answer is not None:
                continue
            end = block_end(messages, index)
            when = "never answered" if end == len(messages) else f"not answered before message {end + 1}"
            sentence = f"the call {call.get('id') or 'without an id'} of {call_name(call)} is {when}"
            yield Finding("unanswered", index, sentence, "run the call again, or delete the turn")


def _orphan(thread: Thread, context: Context) -> Iterator[Finding]:
    messages = thread.messages
    for turn in turns(thread):
        pairs = calls_with_results(messages, turn.start)
        answers = {answer for _, answer in pairs}
        asked = {str(call.get("id")) for call, _ in pairs if call.get("id")}
        for index in range(turn.start, turn.end):
            call_id = str(messages[index].get("tool_call_id") or "")
            # a second result of a call is no orphan: `duplicate_id` has it
            if messages[index].get("role") == "tool" and index not in answers and call_id not in asked:
                sentence = f"the result answers {call_id or 'no call id'}, which the turn before it did not ask"
                yield Finding("orphan", index, sentence, "delete the result, or give it the id of its call")


def _duplicate_id(thread: Thread, context: Context) -> Iterator[Finding]:
    first: dict[str, int] = {}
    answered: set[str] = set()
    for index, message in enumerate(thread.messages):
        for call in calls_of(message):
            call_id = str(call.get("id") or "")
            if not call_id:
                yield Finding(
                    "duplicate_id", index, f"the call of {call_name(call)} has no id", "give it one of its own"
                )
            elif call_id in first:
                sentence = f"the call id {call_id} stands already in message {first[call_id] + 1}"
                yield Finding("duplicate_id", index, sentence, "give one of the calls, and its result, another id")
            first.setdefault(call_id, index)
        if message.get("role") == "tool":
            call_id = str(message.get("tool_call_id") or "")
            if call_id in answered:
                sentence = f"the call {call_id} is answered a second time"
                yield Finding("duplicate_id", index, sentence, "delete one of the results")
            answered.add(call_id)


UNANSWERED = Check("unanswered", "a call without a result", _unanswered)
ORPHAN = Check("orphan", "a result without a call", _orphan)
DUPLICATE_ID = Check("duplicate_id", "a call id that stands twice, or is missing", _duplicate_id)
