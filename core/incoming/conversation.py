"""What a row says, before it has an id and a session; and the steps that several forms share on the way there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from core.thread.json_text import JsonTextError, json_in
from core.thread.refusal import in_tools, kind_of
from core.thread.value import Message, call_arguments, call_name, calls_of, is_assistant, text_of

Row = Mapping[str, Any]


class Found(NamedTuple):
    """One row, or why it is none."""

    line: int
    """Its line, or its number from 1 where the file has no lines."""
    row: Row
    problem: str = ""


class RowError(Exception):
    """A row that is no thread, and why, as one clause."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A turn that something else is preferred to."""

    position: int
    """How many messages stand before it."""
    message: Message


@dataclass(frozen=True, slots=True)
class Conversation:
    """One row as a thread would have it."""

    form: str
    """What the form is called, for a person."""
    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] | None = None
    id: str = ""
    """The thread's id where the row has it."""
    metadata: Mapping[str, Any] | None = None
    """The thread's own metadata where the row has them."""
    others: Mapping[str, Any] | None = None
    """What the row has beside all this, where it is a whole thread: kept as it stands."""
    hints: Mapping[str, str] | None = None
    """`dataset` and `session` where the row names them beside its messages."""
    rejected: tuple[Rejected, ...] = ()
    undesired: bool = False
    """Whether the row says of its last message that it is not to be said."""
    joinable: bool = False
    """Whether other rows of its file may be about the same turn."""


def conversation_of(form: str, messages: Sequence[Message], tools: Any, **others: Any) -> Conversation:
    """Messages with their tools as a conversation, with what else is known of it.

    Raises:
        RowError: nobody could learn from them: none is the user's first, or none the assistant's, or a tool is none.
    """
    _require_turns(messages)
    return Conversation(form, tuple(messages), tools_of(tools), **others)


def _require_turns(messages: Sequence[Message]) -> None:
    """Refuse what nobody could learn from: no message of the user first, or none of the assistant."""
    if not messages:
        raise RowError("it has no messages")
    spoken = [message for message in messages if message.get("role") not in ("system", "developer")]
    if not spoken or spoken[0].get("role") != "user":
        raise RowError("its first message is not the user's")
    if not any(map(is_assistant, messages)):
        raise RowError("the assistant says nothing in it")


def objects(value: Any, key: str) -> list[dict[str, Any]]:
    """A list of objects, that may be there as JSON text. Raises RowError."""
    if isinstance(value, str):
        value = parsed(value, key)
    if not isinstance(value, list):
        raise RowError(f"`{key}` is {kind_of(value)}, not a list")
    for number, item in enumerate(value, 1):
        if not isinstance(item, dict):
            raise RowError(f"number {number} of `{key}` is {kind_of(item)}, not an object")
    return cast("list[dict[str, Any]]", value)


def parsed(text: str, key: str) -> Any:
    """The value of a JSON text. Raises RowError."""
    try:
        return json_in(text)
    except JsonTextError as error:
        raise RowError(f"`{key}` is a text that is no JSON: {error}") from error


def tools_of(value: Any) -> tuple[Mapping[str, Any], ...] | None:
    """Tool schemas in OpenAI's form, from a list or JSON text, each wrapped or bare. Raises RowError."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    listed: Any = parsed(value, "tools") if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise RowError(f"`tools` is {kind_of(listed)}, not a list")
    schemas = [parsed(tool, "tools") if isinstance(tool, str) else tool for tool in listed]
    wrapped = [_wrapped(tool) for tool in schemas]
    if problem := in_tools(wrapped):
        raise RowError(problem)
    return tuple(wrapped) or None


def _wrapped(tool: Any) -> Any:
    if isinstance(tool, dict) and "function" not in tool and isinstance(tool.get("name"), str):
        return {"type": "function", "function": tool}
    return tool


def call_of(name: Any, arguments: Any, call_id: Any = None) -> dict[str, Any]:
    """A stored call. Arguments that are an object become the text that they are. Raises RowError."""
    if not isinstance(name, str) or not name:
        raise RowError("a tool call names no tool")
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, str):
        if not isinstance(arguments, dict):
            raise RowError(f"the arguments of {name} are {kind_of(arguments)}, not an object")
        arguments = json.dumps(arguments, ensure_ascii=False)
    return {
        "id": call_id if isinstance(call_id, str) else "",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def calls_in(text: str, where: str) -> list[dict[str, Any]]:
    """The stored calls of a JSON text in which a template has one, or a list of them. Raises RowError."""
    called = parsed(text.strip(), where)
    listed = called if isinstance(called, list) else [called]
    if not listed or not all(isinstance(call, dict) for call in listed):
        raise RowError(f"`{where}` holds no call")
    return [call_of(call.get("name"), call.get("arguments")) for call in listed]


def result_text(value: Any) -> str:
    """A tool's result as the text that is stored."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def with_ids_and_names(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages with an id on every call and both id and name on every result.

    Where ids are missing, results answer the calls before them in order. Raises RowError for a result that answers no
    call, or a call without its result that is not the row's last turn.
    """
    finished: list[dict[str, Any]] = []
    open_calls: dict[str, str] = {}
    number = 0
    for position, message in enumerate(messages, 1):
        row = dict(message)
        if row["role"] == "tool":
            if not open_calls:
                raise RowError(f"message {position} is a result, and no call before it is unanswered")
            own = row.get("tool_call_id")
            if own and own not in open_calls:
                raise RowError(f"message {position} answers the call {own}, which nobody made")
            answered = str(own) if own else _first_of_name(open_calls, row.get("name"), position)
            name = open_calls.pop(answered)
            row |= {"tool_call_id": answered, "name": row.get("name") or name}
            finished.append({"role": "tool", **_ordered(row, ("tool_call_id", "name", "content"))})
            continue
        if open_calls:
            raise RowError(f"the call of {next(iter(open_calls.values()))} before message {position} is not answered")
        if calls := row.get("tool_calls"):
            for call in calls:
                number += 1
                call["id"] = call["id"] or f"call{number:05d}"
                if call["id"] in open_calls:
                    raise RowError(f"message {position} has two calls of the id {call['id']}")
                open_calls[call["id"]] = call_name(call)
        finished.append(row)
    return finished


def _first_of_name(open_calls: Mapping[str, str], name: Any, position: int) -> str:
    for call_id, called in open_calls.items():
        if not name or name == called:
            return call_id
    raise RowError(f"message {position} is a result of {name}, which was not called")


def _ordered(row: Mapping[str, Any], first: Sequence[str]) -> dict[str, Any]:
    others = {key: value for key, value in row.items() if key not in ("role", *first)}
    return {**{key: row[key] for key in first}, **others}


def sayings(messages: Sequence[Message]) -> Iterator[tuple[int, str]]:
    """After each message how many there are and a hash of what was said so far: without ids, marks and reasoning, with
    neighbours of one side as one, which is what every form of a row keeps."""
    running = hashlib.sha256()
    side: list[Any] = []
    for count, message in enumerate(messages, 1):
        uttered = _uttered(message)
        if side and uttered[0] == side[0] in ("user", "assistant") and not side[2]:
            side = [uttered[0], f"{side[1]}\n\n{uttered[1]}".strip(), uttered[2]]
        else:
            if side:
                running.update(_bytes(side))
            side = uttered
        whole = running.copy()
        whole.update(_bytes(side))
        yield count, whole.hexdigest()


def saying(messages: Sequence[Message]) -> str:
    """The hash of all that was said."""
    return list(sayings(messages))[-1][1] if messages else ""


def _bytes(uttered: Sequence[Any]) -> bytes:
    return json.dumps(uttered, sort_keys=True).encode() + b"\n"


def _uttered(message: Message) -> list[Any]:
    calls = [[call_name(call), _value(call_arguments(call))] for call in calls_of(message)]
    return [message.get("role"), text_of(message).strip(), calls]


def _value(arguments: str) -> Any:
    try:
        return json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return arguments
