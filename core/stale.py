"""Which messages rest on something that changed since, and the ways out.

A mark says one of two things. On an assistant message: something before it that it was written after is now
different. On a tool message: it is no longer what its call answers, because the call's name or arguments
were edited, or name an artifact whose making changed. The results of a stale assistant message are not
stale for that alone: tools are pure, the same call still gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.thread import (
    Message,
    Thread,
    call_arguments,
    calls_of,
    is_assistant,
    timestamp,
    with_alternatives,
    with_messages,
)
from core.turns import artifacts_made, results_of, turn_at

SESSION = "session"
"""The artifact id of the thread's own session, which no call makes."""


def stale_messages(thread: Thread) -> tuple[int, ...]:
    """The indexes of the messages that are marked stale."""
    return tuple(index for index, message in enumerate(thread.messages) if message.get("stale"))


def first_stale_turn(thread: Thread) -> int | None:
    """Where the first turn begins whose assistant message is stale; a run goes on from here."""
    return next((index for index, one in enumerate(thread.messages) if is_assistant(one) and one.get("stale")), None)


def calls_to_repeat(thread: Thread) -> dict[int, tuple[int, ...]]:
    """The calls whose results are stale or missing, by message: numbers of the calls in it, from 0."""
    found: dict[int, tuple[int, ...]] = {}
    for index, message in enumerate(thread.messages):
        places = results_of(thread.messages, index) if calls_of(message) else ()
        numbers = tuple(
            number for number, place in enumerate(places) if place is None or thread.messages[place].get("stale")
        )
        if numbers:
            found[index] = numbers
    return found


def without(message: Message, *marks: str) -> Message:
    """The message without these marks; the same message when it has none of them."""
    if not any(mark in message for mark in marks):
        return message
    return {key: value for key, value in message.items() if key not in marks}


def marked(message: Message) -> Message:
    """The message marked stale."""
    return message if message.get("stale") is True else {**message, "stale": True}


def made_by(call: Mapping[str, Any], result: Message) -> frozenset[str]:
    """The artifacts that a call's result newly names; one that it was given is not its own."""
    arguments = call_arguments(call)
    return frozenset(one for one in artifacts_made(result) if one != SESSION and one not in arguments)


def mark_after(messages: Sequence[Message], start: int, artifacts: Iterable[str] = ()) -> list[Message]:
    """Mark what rests on a change before `start`: every assistant message from there on, and the results of calls
    that name one of the changed `artifacts`, or one that was made from them."""
    made = list(messages)
    gone = set(artifacts)
    for index in range(start, len(made)):
        message = made[index]
        if not is_assistant(message):
            continue
        made[index] = marked(message)
        for call, place in zip(calls_of(message), results_of(made, index), strict=True):
            if place is None:
                continue
            if any(one in call_arguments(call) for one in gone):
                made[place] = marked(made[place])
            if made[place].get("stale"):
                gone |= made_by(call, made[place])
    return made


def accepted_as_is(thread: Thread) -> Thread:
    """The thread with every mark taken off. A result that is kept although its call would now answer something else
    counts as edited by hand from then on, so that a replay does not take it for the tool's own."""

    def settled(message: Message) -> Message:
        if not message.get("stale"):
            return message
        plain = without(message, "stale")
        return {**plain, "edited": True} if message.get("role") == "tool" else plain

    return with_messages(thread, map(settled, thread.messages))


def cut(thread: Thread, position: int) -> Thread:
    """The thread up to a turn's start, what followed kept among the alternatives as superseded.

    The entry's `context` is empty: the messages it was generated after are no longer these, so no preference pair
    can be made of it.
    """
    start = turn_at(thread, position).start
    gone = [without(message, "stale") for message in thread.messages[start:]]
    entry = {
        "position": start,
        "context": "",
        "reason": "superseded",
        "model": str(thread.metadata.get("model") or ""),
        "created_at": timestamp(),
        "messages": gone,
    }
    return with_alternatives(with_messages(thread, thread.messages[:start]), [*thread.alternatives, entry])
