"""Traces of the Model Context Protocol: JSON-RPC messages between an agent and the tools of `sensorloom mcp`, as a
proxy or a client logs them, each by itself or inside a line of its own.

A thread begins where `new_session` was answered, with that answer, and has a turn for each call, as the server's own
record has. What is no call of a tool is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.incoming.conversation import Found
from core.thread.over_mcp import ANSWER, BEGIN, closing_message

Rpc = Mapping[str, Any]
_READ = ("initialize", "tools/list", "tools/call")
"""The requests of an agent that are read. The server asks, too, by numbers of its own, which may be the same."""
_BRACES = 16
"""How many places of a line of text are tried where a message may begin."""


def messages_in(entry: Any) -> list[Rpc]:
    """The messages that an entry of a log is, or holds under its keys, as objects or as text."""
    if not isinstance(entry, dict):
        return []
    if _is_message(entry):
        return [entry]
    held = [json_or_none(value) if isinstance(value, str) else value for value in entry.values()]
    return [value for value in held if _is_message(value)]


def messages_in_text(line: str) -> list[Rpc]:
    """The messages in a line of a log that is text, such as `… [info] Message from client: {…}`."""
    decoder, at, messages = json.JSONDecoder(), line.find("{"), list[Rpc]()
    for _ in range(_BRACES):
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(line, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            messages += messages_in(value)
        at = line.find("{", end)
    return messages


def json_or_none(text: str) -> Any:
    """What a JSON text says; None where it is none."""
    if not text.startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, dict) and value.get("jsonrpc") == "2.0" and bool({"method", "result", "error"} & value.keys())
    )


@dataclass(slots=True)
class _Trace:
    """What is known at one place of a trace."""

    asked: dict[Any, tuple[int, Rpc]] = field(default_factory=dict[Any, tuple[int, Rpc]])
    """Requests without a response as yet, by id, with their lines."""
    agent: str = ""
    tools: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    line: int = 0
    """Where the session under way was begun."""
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Its messages; none while there is no session."""
    is_lost: bool = False
    """Whether a call without a session was told of."""


def rows_in_trace(messages: Iterable[tuple[int, Rpc]]) -> Iterator[Found]:
    """The sessions of a trace as rows of chat messages, from its messages with their lines."""
    is_empty = True
    for row in _rows(messages):
        is_empty = False
        yield row
    if is_empty:
        yield Found(1, {}, f"it holds no session of `sensorloom mcp`: no answer to `{BEGIN}` with a call after it")


def _rows(messages: Iterable[tuple[int, Rpc]]) -> Iterator[Found]:
    trace = _Trace()
    for line, message in messages:
        if "method" in message:
            if "id" in message and message["method"] in _READ:
                yield from _request(trace, line, message)
        elif (asked := trace.asked.pop(_key(message), None)) is not None:
            yield from _response(trace, *asked, message)
    yield from _end(trace)


def _key(message: Rpc) -> str:
    return json.dumps(message.get("id"))


def _request(trace: _Trace, line: int, message: Rpc) -> Iterator[Found]:
    params = _object(message.get("params"))
    if message["method"] == "initialize":  # another connection: its ids begin anew, and it has no session
        yield from _end(trace)
        trace.asked.clear()
    about = params.get("clientInfo") or _object(params.get("_meta")).get("io.modelcontextprotocol/clientInfo")
    trace.agent = str(_object(about).get("name") or trace.agent)
    trace.asked[_key(message)] = line, message


def _response(trace: _Trace, line: int, request: Rpc, message: Rpc) -> Iterator[Found]:
    params, result = _object(request.get("params")), _object(message.get("result"))
    if request["method"] == "tools/list" and isinstance(listed := result.get("tools"), list):
        more = [_schema(tool) for tool in listed if isinstance(tool, dict) and tool.get("name") not in (BEGIN, ANSWER)]
        trace.tools = [*(trace.tools if params.get("cursor") else ()), *more]
    if request["method"] != "tools/call":
        return
    name, text = params.get("name"), _text(message)
    failed = "error" in message or result.get("isError") is True
    if name == BEGIN:
        yield from _end(trace)
        if not failed:
            trace.line, trace.messages, trace.is_lost = line, [{"role": "user", "content": text}], False
    elif not trace.messages:
        if not failed and not trace.is_lost:
            trace.is_lost = True
            yield Found(
                line, {}, f"a call of {name} in no session: `{BEGIN}`, which says what it is about, is not before it"
            )
    elif name == ANSWER:
        if not failed:
            stated = [
                str(_object(params.get("arguments")).get(key, "")) for key in ("text", "final_answer", "confidence")
            ]
            trace.messages.append({"role": "assistant", "content": closing_message(*stated)})
            yield from _end(trace)
    else:
        call = {"function": {"name": name, "arguments": params.get("arguments")}}
        trace.messages += (
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": text},
        )


def _end(trace: _Trace) -> Iterator[Found]:
    """The session under way as a row, if anything was done in it."""
    if len(trace.messages) > 1:
        about = {"metadata": {"model": trace.agent}} if trace.agent else {}
        yield Found(trace.line, {"messages": trace.messages, "tools": trace.tools, **about})
    trace.messages = []


def _text(message: Rpc) -> str:
    """A result as the text that the agent was shown; an error of the protocol as errors of tools are told."""
    if "error" in message:
        return json.dumps(
            {"error": str(_object(message["error"]).get("message") or "the call failed")}, ensure_ascii=False
        )
    parts = _object(message.get("result")).get("content")
    listed = parts if isinstance(parts, list) else []
    return "".join(part["text"] for part in listed if isinstance(part, dict) and isinstance(part.get("text"), str))


def _schema(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = {key: tool[key] for key in ("name", "description") if isinstance(tool.get(key), str)}
    return {"type": "function", "function": {**function, "parameters": _object(tool.get("inputSchema"))}}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
