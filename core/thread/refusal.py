"""What keeps a JSON object with an `id` and `messages` from being a thread: the shape that all other code relies on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.thread.value import tools_in

MAX_MESSAGES = 10_000
"""A longer conversation is refused rather than read: with 200,000 messages the program took 1.4 GB and no key. The
longest runs of a model have some hundreds."""


def refusal(document: dict[str, Any]) -> str:
    """Why the object is no thread, as one clause that names the place; empty when it is one.

    What it holds beyond the keys that are looked at here is anybody's own, and kept.
    """
    if type(document["id"]) is not str:
        return f"`id` is {kind_of(document['id'])}, not a string"
    if not document["id"]:
        return "`id` is empty"
    if type(document.get("metadata")) is not dict:
        return "`metadata` is missing or no object"
    if len(document["messages"]) > MAX_MESSAGES:
        return f"{len(document['messages'])} messages are over the limit of {MAX_MESSAGES} for a thread; part it"
    return (
        _in_messages(document["messages"], "message {}")
        or in_tools(document.get("tools"))
        or _in_alternatives(document.get("alternatives"))
    )


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _in_messages(messages: Iterable[Any], called: str) -> str:
    for number, message in enumerate(messages, 1):
        if type(message) is not dict or type(message.get("role")) is not str:
            return f"{called.format(number)} is no object with a `role`"
        get = message.get
        calls, role = get("tool_calls"), message["role"]
        if calls and (problem := _in_calls(calls, role)):
            return problem.format(called.format(number))
        if role == "tool" and not (_is_name(get("tool_call_id")) and _is_name(get("name"))):
            return f"`tool_call_id` or `name` of {called.format(number)} is no string"
        if role == "function" or get("function_call") is not None:
            return (
                f"{called.format(number)} is of the older form with `function_call`, in which a result names no call; "
                "write the call under `tool_calls`, its result as role `tool`"
            )
    return ""


def _in_calls(calls: Any, role: str) -> str:
    if type(calls) is not list or not all(type(call) is dict for call in calls):
        return "`tool_calls` of {} is no list of calls"
    if role != "assistant":
        return "{} calls a tool and is not the assistant's"
    for call in calls:
        function = call.get("function")
        if type(function) is not dict or type(function.get("name")) is not str:
            return "a tool call of {} has no `function` with a `name`"
        if not _is_name(call.get("id")):
            return "the `id` of a tool call of {} is no string"
    return ""


def _is_name(value: Any) -> bool:
    return value is None or type(value) is str


def in_tools(tools: Any) -> str:
    """Why these are no tools, as one clause; empty when they are, or when there are none."""
    if type(tools) is str:
        try:
            tools = tools_in(tools)
        except (ValueError, RecursionError):
            return "`tools` is a string, and the string is no JSON"
    if tools is None:
        return ""
    if type(tools) is not list:
        return "`tools` is no list"
    for number, tool in enumerate(tools, 1):
        if type(tool) is not dict:
            return f"number {number} of `tools` is {kind_of(tool)}, not a schema"
        function = tool.get("function", {})
        if type(function) is not dict or type(function.get("name", "")) is not str:
            return f"number {number} of `tools` has no `function` with a `name`"
        if type(function.get("parameters") or {}) is not dict:
            return f"the `parameters` of number {number} of `tools` are {kind_of(function['parameters'])}, not a schema"
    return ""


def _in_alternatives(alternatives: Any) -> str:
    if alternatives is None:
        return ""
    if type(alternatives) is not list:
        return "`alternatives` is no list"
    for number, alternative in enumerate(alternatives, 1):
        if type(alternative) is not dict or type(alternative.get("messages", [])) is not list:
            return f"number {number} of `alternatives` is no object with `messages`"
        if problem := _in_messages(alternative.get("messages", ()), f"message {{}} of alternative {number}"):
            return problem
    return ""
