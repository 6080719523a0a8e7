"""Rows of chat messages: OpenAI's, our own plain ones, Hugging Face's, ms-swift's, and what differs among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.incoming.conversation import (
    Conversation,
    Row,
    RowError,
    call_of,
    conversation_of,
    objects,
    parsed,
    result_text,
    with_ids_and_names,
)
from core.thread.refusal import kind_of

ROLES = {
    "user": "user", "assistant": "assistant", "tool": "tool", "system": "system", "developer": "developer",
    "function": "tool", "tool_response": "tool",
}  # fmt: skip
"""Names that forms have for whose a message is, and ours."""
_OWN = ("id", "metadata", "messages", "tools")
_REASONING = ("reasoning_content", "reasoning", "thinking")
_READ = (
    "role", "content", "tool_calls", "function_call", "tool_call_id", "name", "train", "loss", "loss_scale", "weight",
    *_REASONING,
)  # fmt: skip


def conversation(row: Row, form: str, key: str = "messages") -> Conversation:
    """A row of chat messages as a thread would have it. Raises RowError."""
    metadata = _metadata(row.get("metadata"))
    listed = objects(row.get(key), key)
    if is_thread(row, listed, metadata):
        others = {name: value for name, value in row.items() if name not in (*_OWN, key)}
        return conversation_of(
            "openai_v1", listed, row.get("tools"), id=str(row["id"]), metadata=metadata, others=others
        )
    own = next((row[key] for key in ("id", "conversation_id") if isinstance(row.get(key), str)), "")
    hints = {name: str(row[name]) for name in ("dataset", "session") if isinstance(row.get(name), str) and row[name]}
    return conversation_of(form, messages(listed), row.get("tools"), id=own, metadata=metadata, hints=hints or None)


def is_thread(row: Row, listed: Sequence[Row], metadata: Mapping[str, Any] | None) -> bool:
    """Whether a row is a whole thread as it is stored: nothing of it needs another form."""
    if metadata is None or not isinstance(row.get("metadata"), dict) or not isinstance(row.get("id"), str):
        return False
    return bool(row["id"]) and all(_is_stored(message) for message in listed)


def _is_stored(message: Row) -> bool:
    calls = message.get("tool_calls")
    if message.get("role") not in ("user", "assistant", "tool", "system") or message.get("function_call"):
        return False
    if {"loss", "weight"} & message.keys() or not isinstance(message.get("content"), str):
        return False
    if message["role"] == "assistant" and "tool_calls" not in message:
        return False
    functions = [call.get("function") for call in calls or () if isinstance(call, dict)]
    whole = len(functions) == len(calls or ()) and all(
        isinstance(function, dict) and isinstance(function.get("arguments"), str) for function in functions
    )
    return whole and (message["role"] != "tool" or {"tool_call_id", "name", "content"} <= message.keys())


def _metadata(value: Any) -> Mapping[str, Any] | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    read = parsed(value, "metadata") if isinstance(value, str) else value
    if not isinstance(read, dict):
        raise RowError(f"`metadata` is {kind_of(read)}, not an object")
    return read or None


def messages(listed: Sequence[Row]) -> list[dict[str, Any]]:
    """Chat messages in the form that threads have. Raises RowError."""
    return with_ids_and_names([message_of(message, number) for number, message in enumerate(listed, 1)])


def message_of(message: Row, number: int) -> dict[str, Any]:
    """One message; calls without an id have an empty one as yet."""
    role = ROLES.get(str(message.get("role")))
    if role is None:
        raise RowError(f"message {number} is of the role {message.get('role')!r}, which no thread has")
    others = {key: value for key, value in message.items() if key not in _READ and value is not None}
    if role == "tool":
        row: dict[str, Any] = {"role": role, "content": _text(message.get("content"), number, result=True), **others}
        named = {key: message[key] for key in ("tool_call_id", "name") if isinstance(message.get(key), str)}
        return {**row, **{key: value for key, value in named.items() if value}}
    text = _text(message.get("content"), number)
    if role != "assistant":
        return {"role": role, "content": text, **others}
    calls = _calls(message, number)
    if not calls and not text.strip():
        raise RowError(f"message {number} is the assistant's, and empty")
    row = {"role": role, "content": text, "tool_calls": calls or None}
    if reasoning := next((message[key] for key in _REASONING if isinstance(message.get(key), str)), ""):
        row["reasoning_content"] = reasoning
    if _out_of_loss(message, number):
        row["train"] = False
    return {**row, **others}


def _out_of_loss(message: Row, number: int) -> bool:
    """Whether a form's own mark says that the message is context only."""
    if message.get("train") is False or message.get("loss") is False:
        return True
    for key in ("weight", "loss_scale"):
        weight = message.get(key)
        if weight is not None and weight not in (0, 1):
            raise RowError(f"message {number} has the {key} {weight}, and a thread knows 0 and 1 alone")
        if weight == 0:
            return True
    return False


def _calls(message: Row, number: int) -> list[dict[str, Any]]:
    if older := message.get("function_call"):
        if not isinstance(older, dict):
            raise RowError(f"`function_call` of message {number} is {kind_of(older)}, not an object")
        return [call_of(older.get("name"), older.get("arguments"))]
    listed = message.get("tool_calls")
    if not listed:
        return []
    calls: list[dict[str, Any]] = []
    for call in objects(listed, "tool_calls"):
        function = call.get("function", call)
        if isinstance(function, str):  # Inspect's logs have the name there
            function = {"name": function, "arguments": call.get("arguments")}
        if not isinstance(function, dict):
            raise RowError(f"a call of message {number} has no `function` with a `name`")
        calls.append(call_of(function.get("name"), function.get("arguments"), call.get("id")))
    return calls


def _text(content: Any, number: int, *, result: bool = False) -> str:
    """A content as text: parts of text joined. Raises RowError for a picture or a sound."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else None
    if parts is not None and all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in parts):
        return "".join(part["text"] for part in parts)
    if result:
        return result_text(content)
    raise RowError(f"message {number} holds something that is no text")
