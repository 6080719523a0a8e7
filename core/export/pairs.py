"""Preference pairs: one diverging assistant message each, after the same messages, with the same tools.

Two sources: what a thread's `alternatives` keep, as long as what led there still stands; and branches of one
family of which one is right or accepted and the other is not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from core.thread.proposal import context_hash
from core.thread.review import verdict_of
from core.thread.value import (
    Message,
    Thread,
    call_arguments,
    call_name,
    calls_of,
    counted,
    in_loss,
    is_assistant,
    text_of,
)

NOT_GOOD = "neither right nor accepted"
NO_PAIR = "nothing to compare it with"


@dataclass(frozen=True, slots=True)
class Pair:
    """What to say after `prompt`, and what not to."""

    prompt: tuple[Message, ...]
    chosen: Message
    rejected: Message
    source: str
    """`alternative`, or the id of the branch that went wrong."""


def is_good(thread: Thread) -> bool:
    """Whether a thread may be an example: accepted by a person, or right and not rejected."""
    verdict = verdict_of(thread)
    return verdict == "accept" or (_is_correct(thread) is True and verdict != "reject")


def is_bad(thread: Thread) -> bool:
    """Whether a thread may be a counterexample: rejected by a person, or wrong and not accepted."""
    verdict = verdict_of(thread)
    return verdict == "reject" or (_is_correct(thread) is False and verdict != "accept")


def _is_correct(thread: Thread) -> bool | None:
    return counted(thread.messages, thread.metadata)["is_correct"]


def pairs(thread: Thread, siblings: Sequence[Thread], missed: Counter[str]) -> list[Pair]:
    """All pairs in which `thread` is the better side, each once. Why others could not be made goes into `missed`."""
    distinct: dict[str, Pair] = {}
    for pair in (*_from_alternatives(thread, missed), *_from_siblings(thread, siblings, missed)):
        if content_of(pair.chosen) != content_of(pair.rejected):
            distinct.setdefault(json.dumps([len(pair.prompt), content_of(pair.rejected)]), pair)
    return list(distinct.values())


def content_of(message: Message) -> list[Any]:
    """What a message says, without ids and marks: what two messages are compared by."""
    return [
        message.get("role"),
        text_of(message).strip(),
        [[call_name(call), _plain_arguments(call_arguments(call))] for call in calls_of(message)],
    ]


def _plain_arguments(arguments: str) -> Any:
    try:
        return json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return arguments


def _from_alternatives(thread: Thread, missed: Counter[str]) -> Iterator[Pair]:
    for alternative in thread.alternatives:
        position, turn = alternative.get("position"), alternative.get("messages")
        if not isinstance(position, int) or not isinstance(turn, list) or not turn or not isinstance(turn[0], dict):
            missed["alternatives in another form"] += 1
            continue
        rejected = cast("Message", turn[0])
        if alternative.get("complete") is False:
            missed["alternatives that broke off"] += 1
        elif not 0 <= position < len(thread.messages) or not is_assistant(thread.messages[position]):
            missed["alternatives to a turn that is no longer there"] += 1
        elif alternative.get("context") != context_hash(thread.messages[:position]):
            missed["alternatives whose context has changed since"] += 1
        elif not in_loss(thread.messages[position]):
            missed["alternatives to a turn that is out of the loss"] += 1
        elif is_assistant(rejected):
            yield Pair(tuple(thread.messages[:position]), thread.messages[position], rejected, "alternative")


def _from_siblings(thread: Thread, siblings: Sequence[Thread], missed: Counter[str]) -> Iterator[Pair]:
    for other in siblings:
        if not is_bad(other):
            continue
        if other.tools is not None and thread.tools is not None and list(other.tools) != list(thread.tools):
            missed["branches that were offered other tools"] += 1
            continue
        shared = _shared(thread.messages, other.messages)
        if shared == min(len(thread.messages), len(other.messages)):
            missed["branches that do not go different ways"] += 1
            continue
        chosen, rejected = thread.messages[shared], other.messages[shared]
        if not (is_assistant(chosen) and is_assistant(rejected)):
            missed["branches that part at a question or a result, not at a turn"] += 1
        elif not in_loss(chosen):
            missed["branches that part at a turn that is out of the loss"] += 1
        else:
            yield Pair(tuple(thread.messages[:shared]), chosen, rejected, other.id)


def _shared(messages: Sequence[Message], others: Sequence[Message]) -> int:
    """How many messages both begin with; call ids don't count, since a branch may have its own."""
    for shared, (mine, theirs) in enumerate(zip(messages, others, strict=False)):
        if content_of(mine) != content_of(theirs):
            return shared
    return min(len(messages), len(others))
