"""Turns as spans of messages, and what a turn's calls and results are.

Everything here tolerates broken threads, which is what folders written by other programs hold: results that
answer no call, calls that nobody answered, an id that stands twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.thread.cost import finite
from core.thread.value import Message, Thread, call_name, calls_of, is_assistant

Kind = Literal["question", "assistant", "user", "stray"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A span of a thread's messages: `messages[start:end]`."""

    kind: Kind
    """`question`: the messages before the assistant first speaks; `assistant`: one assistant message with the results
    that follow it; `user`: what a user says later; `stray`: tool messages that follow no assistant message."""
    number: int
    """Counts the assistant turns from 1; another kind has the number of the assistant turn before it, or 0."""
    start: int
    end: int


def turns(thread: Thread) -> tuple[Turn, ...]:
    """The thread's turns, in order and without gaps."""
    return tuple(each_turn(thread.messages))


def each_turn(messages: Sequence[Message]) -> Iterator[Turn]:
    """The turns of a conversation one after the other, for whoever needs only the first ones."""
    number = start = 0
    while start < len(messages):
        kind = _kind(messages[start], start)
        number += kind == "assistant"
        end = start + 1
        while end < len(messages) and _belongs(kind, messages[end]):
            end += 1
        yield Turn(kind, number, start, end)
        start = end


def _kind(message: Message, start: int) -> Kind:
    if is_assistant(message):
        return "assistant"
    if message.get("role") == "tool":
        return "stray"
    return "user" if start else "question"


def _belongs(kind: Kind, message: Message) -> bool:
    role = message.get("role")
    return role == "tool" if kind in ("assistant", "stray") else role not in ("assistant", "tool")


def turn_at(thread: Thread, index: int) -> Turn:
    """The turn that message `index` belongs to. Raises IndexError for a message that is not there."""
    for turn in each_turn(thread.messages):
        if turn.start <= index < turn.end:
            return turn
    raise IndexError(f"the thread has {len(thread.messages)} messages, no number {index + 1}")


def boundary(thread: Thread, position: int) -> int:
    """Where a thread can be cut nearest to `position` without parting a turn: the end of the turn it falls into."""
    for turn in each_turn(thread.messages):
        if position <= turn.start:
            return turn.start
        if position < turn.end:
            return turn.end
    return len(thread.messages)


def is_error(text: str) -> bool:
    """Whether a result says that its call failed: it is an object with a key `error` that says something."""
    if '"error"' not in text:
        return False
    try:
        result = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(result, dict) and bool(result.get("error"))


def seconds_of(messages: Sequence[Message]) -> float | None:
    """What turns took together, in seconds; None where none says, as with the built-in analyst."""
    origins = [origin for message in messages if isinstance(origin := message.get("made_by"), Mapping)]
    seconds = [spent for origin in origins if (spent := finite(origin.get("seconds"))) is not None]
    return sum(seconds) if seconds else None


def results_of(messages: Sequence[Message], index: int) -> tuple[int | None, ...]:
    """For each call of the assistant message at `index`, the message that answers it, or None.

    Only the tool messages directly after it count, and each answers one call.
    """
    free = list(range(index + 1, block_end(messages, index)))
    answers: list[int | None] = []
    for call in calls_of(messages[index]):
        answer = next((at for at in free if messages[at].get("tool_call_id") == call.get("id")), None)
        if answer is not None:
            free.remove(answer)
        answers.append(answer)
    return tuple(answers)


def calls_with_results(messages: Sequence[Message], index: int) -> list[tuple[Mapping[str, Any], int | None]]:
    """Each call of message `index` with the message that answers it, or None; empty where nothing is called."""
    calls = calls_of(messages[index])
    return list(zip(calls, results_of(messages, index), strict=True)) if calls else []


def block_end(messages: Sequence[Message], index: int) -> int:
    """Where the tool messages directly after message `index` end."""
    end = index + 1
    while end < len(messages) and messages[end].get("role") == "tool":
        end += 1
    return end


def broken_calls(messages: Sequence[Message]) -> str:
    """The first breach of "every call is answered once, before anything else is said"; empty when there is none."""
    if _is_answered_in_order(messages):
        return ""
    seen: set[str] = set()
    index = 0
    while index < len(messages):
        end = block_end(messages, index)
        calls = calls_of(messages[index])
        for call in calls:
            if problem := _id_problem(call, seen):
                return f"message {index + 1}: the call of {call_name(call)} has {problem}"
        answers = results_of(messages, index) if calls else ()
        alone = messages[index].get("role") == "tool"
        stray = index if alone else next((at for at in range(index + 1, end) if at not in answers), None)
        if stray is not None:
            answered = messages[stray].get("tool_call_id") or "without an id"
            return f"message {stray + 1} answers the call {answered}, which nobody made"
        if None in answers:
            call = calls[answers.index(None)]
            return f"the call {call['id']} of {call_name(call)} is not answered"
        index = end
    return ""


def _is_answered_in_order(messages: Sequence[Message]) -> bool:
    """Whether every call is answered in the order of the calls, which is how nearly all are: found out in a third of
    the time, and asked for every file of a folder."""
    asked: list[object] = []
    answered: list[object] = []
    for message in messages:
        if message.get("role") == "tool":
            answered.append(message.get("tool_call_id"))
            continue
        if len(asked) != len(answered):
            return False
        if message.get("tool_calls"):
            asked += [call.get("id") for call in calls_of(message)]
    return asked == answered and len(set(asked)) == len(asked) and all(asked)


def _id_problem(call: Mapping[str, Any], seen: set[str]) -> str:
    """What is wrong with a call's id, which joins those that were `seen`."""
    call_id = str(call.get("id") or "")
    if not call_id:
        return "no id"
    if call_id in seen:
        return f"the id {call_id}, which another call has"
    seen.add(call_id)
    return ""


def call_ids(messages: Sequence[Message]) -> list[str]:
    """The ids of all calls, in order."""
    return [str(call.get("id", "")) for message in messages for call in calls_of(message)]


def call_id(thread_id: str, turn: int, number: int) -> str:
    """A call's id as FORMAT.md has it: `call_{thread}_turn_{n}`, `_{k}` appended from the second parallel call on.

    `turn` counts from 1, `number` is the call's place in its message from 0.
    """
    return f"call_{thread_id}_turn_{turn}" + (f"_{number + 1}" if number else "")


def new_call_ids(thread: Thread, count: int, turn: int | None = None) -> list[str]:
    """Ids for the calls of one more turn that no call of the thread has; turn number `turn`, the next unless told."""
    present = set(call_ids(thread.messages))
    chosen = turn or sum(is_assistant(message) for message in thread.messages) + 1
    while any(call_id(thread.id, chosen, number) in present for number in range(count)):
        chosen += 1
    return [call_id(thread.id, chosen, number) for number in range(count)]


def with_call_ids(messages: Sequence[Message], ids: Sequence[str]) -> list[Message]:
    """One turn's messages (the assistant's first) with other call ids, its results following."""
    results = results_of(messages, 0)
    renamed = list(messages)
    calls = [{**call, "id": chosen} for call, chosen in zip(calls_of(messages[0]), ids, strict=True)]
    if calls:
        renamed[0] = {**messages[0], "tool_calls": calls}
    for answer, chosen in zip(results, ids, strict=True):
        if answer is not None:
            renamed[answer] = {**renamed[answer], "tool_call_id": chosen}
    return renamed


def with_ids_of(thread: Thread, turn_messages: Sequence[Message]) -> list[Message]:
    """A turn made for `thread`, with ids of its own when one is missing, or stands twice or in the thread already."""
    ids = call_ids(turn_messages[:1])
    present = set(call_ids(thread.messages))
    if all(ids) and len(set(ids)) == len(ids) and not present.intersection(ids):
        return list(turn_messages)
    return with_call_ids(turn_messages, new_call_ids(thread, len(ids)))


def with_thread_id(messages: Sequence[Message], thread_id: str) -> list[Message]:
    """Messages copied into another thread: every call and its result get the ids they would have had there."""
    copied = list(messages)
    turn = 0
    for index, message in enumerate(messages):
        if not is_assistant(message):
            continue
        turn += 1
        end = block_end(messages, index)
        ids = [call_id(thread_id, turn, number) for number in range(len(calls_of(message)))]
        copied[index:end] = with_call_ids(messages[index:end], ids)
    return copied


def artifacts_in(text: str) -> frozenset[str]:
    """The ids of the artifacts that JSON text names as such, in the spellings that real threads have."""
    return frozenset(named or plain for named, plain in _ARTIFACT.findall(text))


_ARTIFACT = re.compile(r'"(?:\w*artifact_id"\s*:\s*"([^"\\]+)"|id"\s*:\s*"(ts_\w+)")')
