"""Steps that several profiles share on the way from stored messages to a trainer's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.export.profiles.profile import Making, RefusedError, Row
from core.thread.json_text import JsonTextError, arguments_in
from core.thread.turn_labels import label_of
from core.thread.turns import calls_with_results
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of, in_loss, is_assistant, text_of

UNTRAINED = "turns out of the loss"
NOT_JSON = "arguments that are not JSON"
"""No template renders such a call, and one of them stops Axolotl's whole preparation; OpenAI's service would train on
it as it is, and what is learned there is to write calls that cannot run."""


def arguments_of(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call's arguments as an object. Raises RefusedError for anything else: no template could render it."""
    try:
        return arguments_in(call_arguments(call))
    except JsonTextError as error:
        raise RefusedError(NOT_JSON, f"the arguments of {call_name(call)}: {error}") from error


def require_end(thread: Thread) -> None:
    """Refuse a thread that does not end on the assistant: there would be nothing to learn at its end."""
    last = thread.messages[-1] if thread.messages else None
    if last is None or not is_assistant(last):
        raise RefusedError("does not end on the assistant", "the last message is not the assistant's")


def require_tools(thread: Thread) -> list[Mapping[str, Any]]:
    """The tool schemas. Raises RefusedError when calls are made without any."""
    tools = list(thread.tools or ())
    if not tools and any(calls_of(message) for message in thread.messages):
        raise RefusedError("no tool schemas", "it holds no tool schemas, and those of today do not fit its calls")
    return tools


def merged_users(messages: Sequence[Message], making: Making) -> list[Message]:
    """The messages with neighbouring user messages joined by a blank line, which templates that alternate need."""
    merged: list[Message] = []
    for message in messages:
        if merged and message.get("role") == merged[-1].get("role") == "user":
            making.changes["user messages joined with the one before"] += 1
            merged[-1] = {**merged[-1], "content": f"{text_of(merged[-1])}\n\n{text_of(message)}"}
        else:
            merged.append(message)
    return merged


def one_call_a_turn(messages: Sequence[Message], making: Making) -> list[Message]:
    """The messages with every turn of several calls as a chain of turns of one call, each followed by its result.

    The text stands before the first call; the model is shown one call after another where it made them at once.
    """
    split: list[Message] = []
    position = 0
    while position < len(messages):
        message = messages[position]
        pairs = calls_with_results(messages, position)
        position += 1
        if len(pairs) < 2:
            split.append(message)
            continue
        making.changes["turns of parallel calls split into turns of one call"] += 1
        position += sum(answer is not None for _, answer in pairs)
        for number, (call, answer) in enumerate(pairs):
            first = (
                message if number == 0 else {key: message[key] for key in ("role", "train", "weight") if key in message}
            )
            split.append({"content": "", **first, "tool_calls": [call]})
            if answer is not None:  # a thread with an unanswered call leaves in no export
                split.append(messages[answer])
    return split


def without_bad_turns(messages: Sequence[Message], making: Making) -> Sequence[Message]:
    """The messages with the turns that are labelled bad kept as context, out of the loss, where that is asked for."""
    if not making.mask_bad:
        return messages
    bad = sum(label_of(message) == "bad" and in_loss(message) for message in messages)
    if bad:
        making.changes["turns labelled bad kept out of the loss"] += bad
    return [{**message, "train": False} if label_of(message) == "bad" else message for message in messages]


def untrained(messages: Sequence[Message]) -> int:
    """How many assistant messages are context only."""
    return sum(not in_loss(message) for message in messages if is_assistant(message))


def count_reasoning(messages: Sequence[Message], making: Making) -> None:
    """Say that reasoning is left out, where there is some."""
    count = sum(bool(message.get("reasoning_content")) for message in messages)
    if count:
        making.changes["messages whose separate reasoning is left out"] += count


def compact(value: Any) -> str:
    """JSON on one line, non-ASCII kept."""
    return json.dumps(value, ensure_ascii=False)


def key_paths(value: Any, path: str = "") -> set[str]:
    """Every key path that holds something: the more a row has, the better it settles a column's type."""
    if isinstance(value, dict):
        paths = {f"{path}.{key}" for key, item in value.items() if item is not None}
        return paths.union(*(key_paths(item, f"{path}.{key}") for key, item in value.items()))
    if isinstance(value, list):
        return set[str]().union(*(key_paths(item, path) for item in value))
    return set()


def richness(row: Row) -> int:
    """How many different key paths a row has."""
    return len(key_paths(row))
