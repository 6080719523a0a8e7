"""Which messages rest on something that changed since, and the ways out.

A mark says one of two things. On an assistant message: something before it that it was written after is now
different. On a tool message: it is no longer what its call answers, because the call's name or arguments
were edited, or name an artifact whose making changed. The results of a stale assistant message are not
stale for that alone: tools are pure, the same call still gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.thread.alternatives import entry
from core.thread.turns import artifacts_in, calls_with_results, turn_at
from core.thread.updates import with_alternatives, with_messages
from core.thread.value import Message, Thread, call_arguments, is_assistant, text_of

SESSION = "session"
"""The artifact id of the thread's own session, which no call makes."""


_LISTS_ARTIFACTS = "available_artifacts"
"""Stands in the result of a call that named no artifact there is: it tells the model those there are."""


def stale_messages(thread: Thread) -> tuple[int, ...]:
    """The indexes of the messages that are marked stale."""
    return tuple(index for index, message in enumerate(thread.messages) if message.get("stale"))


def first_stale_turn(thread: Thread) -> int | None:
    """Where the first turn begins whose assistant message is stale; a run goes on from here."""
    return next(
        (index for index, message in enumerate(thread.messages) if is_assistant(message) and message.get("stale")), None
    )


def calls_to_repeat(thread: Thread) -> dict[int, tuple[int, ...]]:
    """The calls whose results are stale or missing, by message: numbers of the calls in it, from 0."""
    repeats: dict[int, tuple[int, ...]] = {}
    for index in range(len(thread.messages)):
        numbers = tuple(
            number
            for number, (_, answer) in enumerate(calls_with_results(thread.messages, index))
            if answer is None or thread.messages[answer].get("stale")
        )
        if numbers:
            repeats[index] = numbers
    return repeats


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
    return frozenset(
        artifact for artifact in artifacts_in(text_of(result)) if artifact != SESSION and artifact not in arguments
    )


def mark_after(
    messages: Sequence[Message],
    index: int,
    start: int,
    artifacts: Iterable[str] = (),
    *,
    numbers: Iterable[int] = (),
    calls_changed: bool = False,
) -> list[Message]:
    """Mark what rests on a change of message `index`: every assistant message from `start` on, and the results that
    would be others now.

    Args:
        messages: a conversation.
        index: the message that changed.
        start: where the turn after it begins.
        artifacts: ids that came or went with the change. The result of a call that names one is stale, and so is what
            names an artifact that was made from one.
        numbers: which of the calls of message `index` itself came after the change, and may name such an artifact too.
        calls_changed: artifacts may have come or gone that are not known, because a call was not executed again or its
            result was edited: then an artifact counts as there only where an untouched message names it.
    """
    marked_messages = list(messages)
    changed = set(artifacts)
    known = {SESSION}.union(*map(_vouched, marked_messages[:start])) if calls_changed else None
    siblings = set(numbers)
    if siblings:
        _mark_results(marked_messages, index, changed, known, siblings)
    for at in range(start, len(marked_messages)):
        if is_assistant(marked_messages[at]):
            marked_messages[at] = marked(marked_messages[at])
            _mark_results(marked_messages, at, changed, known, None)
    return marked_messages


def _mark_results(
    messages: list[Message], index: int, changed: set[str], known: set[str] | None, numbers: set[int] | None
) -> None:
    """Mark the results of one message's calls (those of `numbers`; None: all).

    What they made is added to `changed` where they are stale, and to `known`, the artifacts there surely are
    (None: nothing is in doubt), where they are not.
    """
    for number, (call, answer) in enumerate(calls_with_results(messages, index)):
        if answer is None or (numbers is not None and number not in numbers):
            continue
        named = call_arguments(call)
        lists = (changed or known is not None) and _LISTS_ARTIFACTS in text_of(messages[answer])
        doubtful = known is not None and not artifacts_in(named) <= known
        if lists or doubtful or any(artifact in named for artifact in changed):
            messages[answer] = marked(messages[answer])
        if messages[answer].get("stale"):
            changed |= made_by(call, messages[answer])
        elif known is not None:
            known |= _vouched(messages[answer])


def _vouched(message: Message) -> frozenset[str]:
    """The artifacts that a message names and that are there: none of a result that is stale or was edited by hand."""
    if is_assistant(message) or message.get("stale") or message.get("edited"):
        return frozenset()
    return artifacts_in(text_of(message))


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
    rest = entry(thread, start, thread.messages[start:], "superseded", "")
    return with_alternatives(with_messages(thread, thread.messages[:start]), [*thread.alternatives, rest])
