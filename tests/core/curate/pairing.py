"""Whether calls and results of a thread fit together, as the tests look at it."""

from __future__ import annotations

from core.thread.turns import results_of
from core.thread.value import Thread, calls_of


def unanswered(thread: Thread) -> tuple[tuple[int, int], ...]:
    """Each call that has no result, as (message, number of the call in it), both from 0."""
    messages = thread.messages
    return tuple(
        (index, number)
        for index, message in enumerate(messages)
        if calls_of(message)
        for number, answer in enumerate(results_of(messages, index))
        if answer is None
    )


def orphans(thread: Thread) -> tuple[int, ...]:
    """Tool messages that answer no call of the turn they stand in."""
    messages = thread.messages
    answering = {
        answer for index, message in enumerate(messages) if calls_of(message) for answer in results_of(messages, index)
    }
    return tuple(
        answer for answer, message in enumerate(messages) if message.get("role") == "tool" and answer not in answering
    )
