"""Call ids that say nothing: nine letters and digits, numbered through.

Stored ids name the thread and with it the session, whose number alone can tell the label (UCI HAR's rows are sorted by
it); OpenAI takes no more than 40 characters, and Mistral's templates exactly nine letters and digits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from core.thread.value import Message, calls_of


def with_neutral_ids(messages: Iterable[Message]) -> list[Message]:
    """The messages with neutral call ids, unique among them; each result has that of its call. A result that answers
    no call of the turn before it has one of its own."""
    numbers = itertools.count(1)
    waiting: list[tuple[str, str]] = []
    neutral: list[Message] = []
    for message in messages:
        if calls := calls_of(message):
            waiting = [(str(call.get("id", "")), _id(numbers)) for call in calls]
            named: list[Mapping[str, Any]] = [
                {**call, "id": call_id} for call, (_, call_id) in zip(calls, waiting, strict=True)
            ]
            message = {**message, "tool_calls": named}
        elif message.get("role") == "tool":
            answered = next((pair for pair in waiting if pair[0] == str(message.get("tool_call_id", ""))), None)
            if answered:
                waiting.remove(answered)
            message = {**message, "tool_call_id": answered[1] if answered else _id(numbers)}
        elif message.get("role") == "assistant":
            waiting = []
        neutral.append(message)
    return neutral


def _id(numbers: Iterable[int]) -> str:
    return f"call{next(iter(numbers)):05d}"
