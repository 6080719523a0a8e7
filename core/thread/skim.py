"""A thread file's summary without its thread: for the many files that a folder's first listing reads.

Only what is written just as we write it is taken, in the keys that our own messages have: typed records of it, written
again, must be the very same JSON, which proves that no key stood twice and that nothing was overlooked. Whatever else a
file is, `core.thread.json_form` says; nothing is refused here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from core.errors import ThreadError
from core.thread.json_form import MAX_BYTES, decode_object
from core.thread.json_text import MAX_DEPTH, arguments_problem, is_deep
from core.thread.refusal import MAX_MESSAGES, in_tools
from core.thread.summary import Summary, keys_before_messages, summary_with
from core.thread.value import Counts, Thread, concluded


class _Function(msgspec.Struct, gc=False):
    name: str
    arguments: str


class _Call(msgspec.Struct, gc=False):
    id: str
    type: str
    function: _Function


class _Message(msgspec.Struct, gc=False):
    """A message in the three orders of keys that ours have."""

    role: str
    tool_call_id: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET
    content: str | msgspec.UnsetType | None = msgspec.UNSET
    tool_calls: list[_Call] | msgspec.UnsetType | None = msgspec.UNSET
    usage: dict[str, int] | msgspec.UnsetType = msgspec.UNSET
    made_by: dict[str, str | int | float | None] | msgspec.UnsetType = msgspec.UNSET


class _File(msgspec.Struct, gc=False):
    id: str
    metadata: dict[str, Any]
    messages: list[_Message]
    tools: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_DECODER = msgspec.json.Decoder(_File)
_ENCODER = msgspec.json.Encoder()


def skimmed(data: bytes, stem: str, size: int = 0, mtime_ns: int = 0) -> Summary | None:
    """The summary of a file that could leave as it is; None for what takes a closer look."""
    if len(data) > MAX_BYTES:
        return None
    try:
        line = msgspec.json.format(data, indent=-1)
        file = _DECODER.decode(line)
        if _ENCODER.encode(file) != line or is_deep(file.metadata, MAX_DEPTH - 1):
            return None
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError):
        return None
    counts = _counts(file.messages, file.metadata)
    if not counts or not file.id or not (file.tools is msgspec.UNSET or _are_tools(bytes(file.tools))):
        return None
    head = Thread({"id": file.id, "metadata": file.metadata})
    keys = keys_before_messages(line) if counts.answer else 0
    return summary_with(counts, head, Summary(stem, size, mtime_ns, "v4", ready=True, keys=keys))


def _counts(messages: Sequence[_Message], metadata: dict[str, Any]) -> Counts | None:
    """What the messages amount to; None unless each call has arguments that are JSON and is answered once and in order,
    before anything else is said."""
    turns = silent = 0
    asked: list[str] = []
    answered: list[object] = []
    tools: dict[str, None] = {}
    for message in messages:
        role, calls = message.role, message.tool_calls
        if role == "tool":
            answered.append(message.tool_call_id)
        elif len(asked) != len(answered):
            return None
        if role != "assistant":
            if calls or role == "function":
                return None
            continue
        turns += 1
        if not calls:
            silent += 1
            continue
        for call in calls:
            arguments = call.function.arguments
            if not arguments.strip() or arguments_problem(arguments):
                return None
            asked.append(call.id)
            tools[call.function.name] = None
    if asked != answered or len(set(asked)) != len(asked) or not all(asked) or len(messages) > MAX_MESSAGES:
        return None
    last = messages[-1] if messages else None
    concludes = last is not None and last.role == "assistant" and not last.tool_calls
    text = (last.content or "") if concludes and last else None
    return concluded(Counts("active", turns, len(asked), silent, None, None, None, tuple(tools), 0), text, metadata)


@lru_cache(maxsize=64)  # the threads of a folder share the schemas of their tools
def _are_tools(raw: bytes) -> bool:
    """Whether tools are ones that a thread may have, and a list."""
    try:
        tools = decode_object(b'{"tools":%b}' % raw, "")["tools"]
    except ThreadError:
        return False
    return type(tools) is not str and not in_tools(tools) and _ENCODER.encode(tools) == raw
