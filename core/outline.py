"""A thread file in the few typed fields that lists and exports ask for: several times faster than a whole decode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec


class Function(msgspec.Struct, gc=False):
    """The `function` of a call."""

    name: str
    arguments: Any = None


class Call(msgspec.Struct, gc=False):
    """A tool call."""

    function: Function
    id: str = ""


class Message(msgspec.Struct, gc=False):
    """A message as far as counts and checks ask."""

    role: str
    content: Any = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    stale: bool | None = None


class Outline(msgspec.Struct, gc=False):
    """A thread file whose calls and messages have the fields they have in the files that we write."""

    id: str
    metadata: msgspec.Raw
    """Whatever it holds, it is an object."""
    messages: list[Message]
    alternatives: msgspec.Raw = msgspec.Raw(b"")

    @property
    def has_alternatives(self) -> bool:
        """Whether the key is there, whatever it holds."""
        return memoryview(self.alternatives).nbytes > 0


_BRACE = ord("{")
_DECODER = msgspec.json.Decoder(Outline)


def outline(data: bytes) -> Outline:
    """A thread file's outline.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is no thread, or one with fields of unusual types;
            `core.thread_json.decode` tells which, and what is the matter.
    """
    found = _DECODER.decode(data)
    if not found.id or memoryview(found.metadata)[0] != _BRACE:
        raise msgspec.DecodeError("no thread")
    if not data.isascii():
        data.decode()  # what the decoder skipped must be text too
    return found


def has_texts(found: Outline) -> bool:
    """Whether every content is a string or null, and the arguments of every call a string."""
    for message in found.messages:
        if type(message.content) is not str and message.content is not None:
            return False
        for call in message.tool_calls or ():
            if type(call.function.arguments) is not str:
                return False
    return True


def broken_calls(messages: Sequence[Message]) -> str:
    """The first breach of "every call is answered once, before anything else is said"; empty when there is none."""
    waiting: dict[str, str] = {}
    seen: set[str] = set()
    for place, message in enumerate(messages, 1):
        if message.role == "tool":
            if waiting.pop(message.tool_call_id or "", None) is None:
                return f"message {place} answers the call {message.tool_call_id or 'without an id'}, which nobody made"
            continue
        if waiting:
            break
        for call in message.tool_calls or ():
            if not call.id or call.id in seen:
                return f"message {place}: the call of {call.function.name} has {_id_problem(call.id)}"
            seen.add(call.id)
            waiting[call.id] = call.function.name
    return f"the call {next(iter(waiting))} of {next(iter(waiting.values()))} is not answered" if waiting else ""


def _id_problem(call_id: str) -> str:
    return f"the id {call_id}, which another call has" if call_id else "no id"
