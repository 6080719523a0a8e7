"""Whether calls and results of a thread fit together, as the tests look at it."""

from __future__ import annotations

from core.thread.turns import calls_with_results
from core.thread.value import Thread


def unanswered(thread: Thread) -> tuple[tuple[int, int], ...]:
    """Each call that has no result, as (message, number of the call in it), both from 0."""
    messages = thread.messages
    return tuple(
        (index, number)
        for index in range(len(messages))
        for number, (_, answer) in enumerate(calls_with_results(messages, index))
        if answer is None
    )


def orphans(thread: Thread) -> tuple[int, ...]:
    """Tool messages that answer no call of the turn they stand in."""
    messages = thread.messages
    answering = {answer for index in range(len(messages)) for _, answer in calls_with_results(messages, index)}
    return tuple(
        answer for answer, message in enumerate(messages) if message.get("role") == "tool" and answer not in answering
    )
