"""The order of a thread's turns: put one in, move one, part parallel calls, join two. Pure functions to a new thread.

A result stays with its call, the question stays first and the final answer last. What would break that, or put two
messages of one speaker after each other, which trainers refuse, is refused with the way out. The turns that come after
a message that was put in or moved are marked stale: they were written after another conversation. Parting and joining
change neither calls nor results nor their order, so they make nothing stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import UsageError
from core.thread.alternatives import shifted
from core.thread.edits import answered_calls, message_at
from core.thread.proposal import ORIGIN
from core.thread.stale import made_by, mark_after, without
from core.thread.turns import Turn, each_turn, results_of, turn_at, with_ids_of
from core.thread.updates import with_alternatives, with_messages
from core.thread.value import Message, Thread, call_arguments, calls_of, final_message, is_assistant, text_of

OF_ONE_REPLY = ("content", "tool_calls", "reasoning_content", "usage", "label")
"""Keys of an assistant message that say something of the whole reply, and stay with its first part."""


def after(thread: Thread, index: int) -> int:
    """Where a message stands that is put in after the turn of message `index`. Raises UsageError when there is none."""
    message_at(thread, index)
    return turn_at(thread, index).end


def inserted(thread: Thread, position: int, message: Message) -> Thread:
    """The thread with a message of the user or the assistant before message `position`, or at its end.

    Calls without an id get one; their results are still to be made (`core.thread.edits.reexecuted`).

    Raises:
        UsageError: it would part a turn, or stand where it cannot.
    """
    messages = list(thread.messages)
    if position < len(messages) and turn_at(thread, position).start != position:
        raise UsageError(f"message {position + 1} belongs to the turn before it, which stays whole")
    if not position:
        raise UsageError("the question stays first; put it in after it")
    if is_assistant(message):
        (message,) = with_ids_of(thread, [_by_hand(thread, message)])
    refuse_neighbours(messages[position - 1], message)
    if position < len(messages) and not calls_of(message):
        refuse_neighbours(message, messages[position])
    longer = mark_after([*messages[:position], message, *messages[position:]], position, position + 1)
    # what was set aside at the end was proposed before this was said, and stays where it is
    return shifted(with_messages(thread, longer), position + (position == len(messages)), 1)


def _by_hand(thread: Thread, message: Message) -> Message:
    """An assistant message that tells that it was not made as the thread was."""
    whole = thread.metadata.get("made_by")
    others = {key: None for key in ORIGIN if isinstance(whole, dict) and key in whole}
    return {**message, "made_by": others} if others else message


def refuse_neighbours(first: Message, second: Message) -> None:
    """Raise UsageError when the second message cannot follow the first."""
    if final_message([first]) is not None:
        raise UsageError("nothing can stand after the final answer: edit it, take it out, or branch before it")
    if is_assistant(first) and calls_of(first) and second.get("role") != "tool":
        raise UsageError("the calls before it are not answered yet: execute them first")
    if is_assistant(first) and is_assistant(second):
        raise UsageError(
            "two messages of the assistant would stand after each other, which trainers refuse: "
            "give the first a call, put a user's message between them, or edit the one that is there"
        )
    if first.get("role") == "user" and second.get("role") == "user":
        raise UsageError("two messages of the user would stand after each other: edit the one that is there")


# Moving


def moved(thread: Thread, index: int, by: int) -> Thread:
    """The thread with the turn of message `index` one place further up (`by` -1) or down (1).

    Raises:
        UsageError: there is nothing to change places with, or the order would not be valid: the question stays first,
            the final answer last, and no call stands before the one that makes what it works on.
    """
    upper, lower = _swapped(thread, index, by)
    messages = thread.messages
    first, second = messages[lower.start : lower.end], messages[upper.start : upper.end]
    if rests_on := _rests_on(thread, upper, lower):
        raise UsageError(f"turn {lower.number} works on {rests_on}, which turn {upper.number} makes: it comes after it")
    refuse_neighbours(messages[upper.start - 1], first[0])
    refuse_neighbours(first[-1], second[0])
    if lower.end < len(messages):
        refuse_neighbours(second[-1], messages[lower.end])
    changed = [*messages[: upper.start], *first, *second, *messages[lower.end :]]
    reordered = with_messages(thread, mark_after(changed, upper.start, upper.start))

    def moved_along(alternative: Mapping[str, Any]) -> Mapping[str, Any]:
        at = alternative.get("position")
        if not isinstance(at, int) or not upper.start <= at < lower.end:
            return alternative
        by_so_much = lower.end - lower.start if at < upper.end else -(upper.end - upper.start)
        return {**alternative, "position": at + by_so_much}

    return with_alternatives(reordered, map(moved_along, thread.alternatives)) if thread.alternatives else reordered


def moved_to(thread: Thread, index: int, by: int) -> int:
    """Where message `index` stands once its turn is moved. Raises UsageError as `moved` does."""
    upper, lower = _swapped(thread, index, by)
    return index - (upper.end - upper.start) if by < 0 else index + (lower.end - lower.start)


def _rests_on(thread: Thread, upper: Turn, lower: Turn) -> str:
    """What the calls of the lower turn work on and those of the upper one make; empty for nothing."""
    if upper.kind != "assistant":
        return ""
    named = " ".join(call_arguments(call) for call in calls_of(thread.messages[lower.start]))
    artifacts = [
        artifact
        for call, answer in answered_calls(thread, upper.start)
        if answer is not None
        for artifact in sorted(made_by(call, thread.messages[answer]))
    ]
    return next((artifact for artifact in artifacts if artifact in named), "")


def _swapped(thread: Thread, index: int, by: int) -> tuple[Turn, Turn]:
    """The two turns that change places."""
    message_at(thread, index)
    every = list(each_turn(thread.messages))
    at = next(number for number, turn in enumerate(every) if turn.start <= index < turn.end)
    other = at + (1 if by > 0 else -1)
    if every[at].kind == "question" or (other >= 0 and other < len(every) and every[other].kind == "question"):
        raise UsageError("the question that opens a thread stays first")
    if not 0 <= other < len(every):
        raise UsageError("this turn is the last one already")
    upper, lower = every[min(at, other)], every[max(at, other)]
    if "stray" in (upper.kind, lower.kind):
        raise UsageError("results that answer no call stand there: take them out first")
    if final_message(thread.messages[lower.start : lower.end]) is not None:
        raise UsageError("the final answer closes the thread, and stays last")
    return upper, lower


# Parting and joining


def split(thread: Thread, index: int) -> Thread:
    """The thread with each of the calls of the turn of message `index` in a turn of its own, their results with them.

    What was said beside them stays with the first.

    Raises:
        UsageError: it is no assistant's turn with several calls, or one of them is not answered.
    """
    message_at(thread, index)
    turn = turn_at(thread, index)
    message = thread.messages[turn.start]
    calls = calls_of(message)
    if len(calls) < 2:
        raise UsageError("this turn has no parallel calls to be parted")
    answers = results_of(thread.messages, turn.start)
    if None in answers or turn.end - turn.start != len(calls) + 1:
        raise UsageError("not every call of this turn is answered once: execute them first")
    rest = {key: value for key, value in message.items() if key not in OF_ONE_REPLY}
    if isinstance(origin := message.get("made_by"), dict) and "seconds" in origin:
        rest["made_by"] = {key: value for key, value in origin.items() if key != "seconds"}
    block: list[Message] = []
    for number, (call, answer) in enumerate(zip(calls, answers, strict=True)):
        assert answer is not None
        head = {**without(message, "label"), "tool_calls": [call]}
        block += [head if not number else {"role": "assistant", "content": "", "tool_calls": [call], **rest}]
        block += [thread.messages[answer]]
    return _with_block(thread, turn.start, turn.end, block)


def joined(thread: Thread, index: int) -> Thread:
    """The thread with the assistant's turn of message `index` and the one after it as one: texts, calls and results in
    their order.

    Raises:
        UsageError: the one after it is not the assistant's, rests on a result of the first, or has no call to follow
            those results.
    """
    message_at(thread, index)
    first = turn_at(thread, index)
    second = turn_at(thread, first.end) if first.end < len(thread.messages) else None
    if first.kind != "assistant" or second is None or second.kind != "assistant":
        raise UsageError("a turn of the assistant is joined with the next one, if that is the assistant's too")
    upper, lower = thread.messages[first.start], thread.messages[second.start]
    if calls_of(upper) and not calls_of(lower):
        raise UsageError("the next turn calls no tool: what it says comes after the results, and stays there")
    if rests_on := _rests_on(thread, first, second):
        raise UsageError(f"turn {second.number} works on {rests_on}, which turn {first.number} makes: they stay apart")
    block: list[Message] = [
        _one_message(upper, lower),
        *thread.messages[first.start + 1 : first.end],
        *thread.messages[second.start + 1 : second.end],
    ]

    def at_the_whole(alternative: Mapping[str, Any]) -> Mapping[str, Any]:
        at = alternative.get("position")
        return {**alternative, "position": first.start} if at == second.start else alternative

    if thread.alternatives:
        thread = with_alternatives(thread, map(at_the_whole, thread.alternatives))
    return _with_block(thread, first.start, second.end, block)


def _one_message(upper: Message, lower: Message) -> Message:
    """Two messages of the assistant as one; what holds of either holds of both."""
    thoughts = [str(part["reasoning_content"]) for part in (upper, lower) if part.get("reasoning_content")]
    usages = [part["usage"] for part in (upper, lower) if isinstance(part.get("usage"), dict)]
    keys = dict.fromkeys(key for usage in usages for key in usage)
    counts = {key: sum(usage[key] for usage in usages if isinstance(usage.get(key), int)) for key in keys}
    marks = {key: part[key] for part in (lower, upper) for key in ("train", "weight", "stale") if key in part}
    whole = {
        **without(upper, "label"),
        "content": "\n\n".join(filter(None, (text_of(upper), text_of(lower)))),
        **({"reasoning_content": "\n\n".join(thoughts)} if thoughts else {}),
        "tool_calls": [*calls_of(upper), *calls_of(lower)] or None,
    }
    return {**whole, **({"usage": counts} if counts else {}), **marks}


def _with_block(thread: Thread, start: int, end: int, block: Sequence[Message]) -> Thread:
    """The thread with other messages from `start` to `end`; alternatives of what follows move along."""
    changed = with_messages(thread, [*thread.messages[:start], *block, *thread.messages[end:]])
    return shifted(changed, end, len(block) - (end - start))
