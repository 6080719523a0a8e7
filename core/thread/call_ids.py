"""Call ids that say nothing: nine letters and digits, numbered through.

Stored ids name the thread and with it the session, whose number alone can tell the label (UCI HAR's rows are sorted by
it); OpenAI takes no more than 40 characters, and Mistral's templates exactly nine letters and digits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from core.thread.turns import calls_with_results
from core.thread.value import Message


def with_neutral_ids(messages: Iterable[Message]) -> list[Message]:
    """The messages with neutral call ids, unique among them; each result has that of its call. A result that answers
    no call of the turn before it has one of its own."""
    numbers = itertools.count(1)
    every = list(messages)
    of_results: dict[int, str] = {}
    neutral: list[Message] = []
    for index, message in enumerate(every):
        if pairs := calls_with_results(every, index):
            renamed: list[Mapping[str, Any]] = []
            for call, answer in pairs:
                renamed.append({**call, "id": _id(numbers)})
                if answer is not None:
                    of_results[answer] = renamed[-1]["id"]
            message = {**message, "tool_calls": renamed}
        elif message.get("role") == "tool":
            message = {**message, "tool_call_id": of_results.get(index) or _id(numbers)}
        neutral.append(message)
    return neutral


def _id(numbers: Iterable[int]) -> str:
    return f"call{next(iter(numbers)):05d}"
