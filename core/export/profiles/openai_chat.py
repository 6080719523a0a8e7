"""`openai`: OpenAI's own fine-tuning form. Id and metadata are outside its schema and go to a sidecar by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.export.profiles.conversation import (
    arguments_of,
    count_reasoning,
    one_call_a_turn,
    require_end,
    require_tools,
    without_bad_turns,
)
from core.export.profiles.profile import Making, Profile, RefusedError, Row
from core.thread.call_ids import with_neutral_ids
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of, in_loss, is_assistant, text_of


def rows(thread: Thread, making: Making) -> list[Row]:
    """The thread as one row. Raises RefusedError where the service would refuse it."""
    require_end(thread)
    return [request(thread, with_neutral_ids(thread.messages), making)]


def request(thread: Thread, stored: Sequence[Message], making: Making) -> Row:
    """`messages`, `tools` and `parallel_tool_calls`, as the Chat Completions request has them."""
    tools = require_tools(thread)
    chat = messages(stored, making)
    parallel = any(len(calls_of(message)) > 1 for message in chat)
    return {"messages": chat, **({"tools": tools, "parallel_tool_calls": parallel} if tools else {})}


def messages(stored: Sequence[Message], making: Making) -> list[Row]:
    """Stored messages in OpenAI's schema."""
    count_reasoning(stored, making)
    stored = without_bad_turns(stored, making)
    if making.split_calls:
        stored = one_call_a_turn(stored, making)
    return [message_of(message) for message in stored]


def message_of(message: Message) -> Row:
    """One message: no null keys but the content beside calls, no name on a result."""
    text, calls = text_of(message), calls_of(message)
    if message.get("role") == "tool":
        return {"role": "tool", "tool_call_id": str(message.get("tool_call_id") or ""), "content": text}
    if is_assistant(message) and not calls and not text.strip():
        raise RefusedError("an empty message", "an assistant message without calls is empty")
    row: Row = {"role": message["role"], "content": text or (None if calls else "")}
    if calls:
        row["tool_calls"] = [_call(call) for call in calls]
    if is_assistant(message) and not in_loss(message):
        row["weight"] = 0
    return row


def _call(call: Mapping[str, Any]) -> Row:
    """A call, its arguments the text that they are. Raises RefusedError where that is no JSON object."""
    arguments_of(call)
    function = {"name": call_name(call), "arguments": call_arguments(call)}
    return {"id": str(call.get("id") or ""), "type": "function", "function": function}


def sidecar(thread: Thread) -> Row:
    """What the form has no place for."""
    return {"id": thread.id, "metadata": thread.metadata}


OPENAI = Profile(
    name="openai",
    about="OpenAI's fine-tuning service",
    file_stem="training_data_openai_chat",
    rows=rows,
    sidecar=sidecar,
    options=frozenset(("split_calls", "rejected", "correct_only", "mask_bad", "with_system")),
)
