"""A thread file in the few typed fields that lists and exports ask for: several times faster than a whole decode."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Function(msgspec.Struct, gc=False):
    """The `function` of a call."""

    name: str
    arguments: str


class Call(msgspec.Struct, gc=False):
    """A tool call."""

    function: Function
    id: str = ""


class Message(msgspec.Struct, gc=False):
    """A message as far as counts and checks ask."""

    role: str
    content: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    stale: bool | None = None


class Review(msgspec.Struct, gc=False):
    """What a person said of a thread."""

    verdict: str | None = None


class Metadata(msgspec.Struct, gc=False):
    """The metadata that a list shows."""

    dataset: str = ""
    session: str = ""
    ground_truth: str | None = None
    confidence: str | None = None
    user_query: str | None = None
    created_at: str | None = None
    last_modified: str | None = None
    model: str | None = None
    parent_id: str | None = None
    branched_at: int | None = None
    review: Review | None = None
    tags: list[str] | None = None
    max_turns: int | None = None


class Outline(msgspec.Struct, gc=False):
    """A thread file whose fields have the types they have in the files that we write."""

    id: str
    metadata: Metadata
    messages: list[Message]
    alternatives: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def has_alternatives(self) -> bool:
        """Whether the key is there, whatever it holds."""
        return self.alternatives is not msgspec.UNSET


_DECODER = msgspec.json.Decoder(Outline)


def outline(data: bytes) -> Outline:
    """A thread file's outline.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is no thread, or one with fields of unusual types;
            `core.thread.json_form.decode` tells which, and what is the matter.
    """
    found = _DECODER.decode(data)
    if not found.id:
        raise msgspec.DecodeError("no thread")
    if not data.isascii():
        data.decode()  # what the decoder skipped must be text too
    return found


def broken_calls(messages: Sequence[Message]) -> str:
    """The first breach of "every call is answered once, before anything else is said"; empty when there is none."""
    waiting: dict[str, Call] = {}
    seen: set[str] = set()
    for place, message in enumerate(messages, 1):
        if message.role == "tool":
            if waiting.pop(message.tool_call_id or "", None) is None:
                return f"message {place} answers the call {message.tool_call_id or 'without an id'}, which nobody made"
            continue
        if waiting:
            break
        if calls := message.tool_calls:
            for call in calls:
                if not (one := call.id) or one in seen:
                    return f"message {place}: the call of {call.function.name} has {_id_problem(one)}"
                seen.add(one)
                waiting[one] = call
    return (
        f"the call {next(iter(waiting))} of {next(iter(waiting.values())).function.name} is not answered"
        if waiting
        else ""
    )


def _id_problem(call_id: str) -> str:
    return f"the id {call_id}, which another call has" if call_id else "no id"
