"""A thread whose contents and arguments are strings, as trainers load it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from operator import is_
from typing import Any, cast

from core.thread.value import Thread, text_of


def with_text_contents(thread: Thread) -> Thread:
    """The thread with every content and every call's arguments as strings; the same thread when they are."""
    messages = [_with_text(message) for message in thread.messages]
    if all(map(is_, messages, thread.messages)):
        return thread
    return Thread({**thread.document, "messages": messages})


def _with_text(message: Mapping[str, Any]) -> Mapping[str, Any]:
    changes: dict[str, Any] = {}
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        parts = isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content)
        changes["content"] = text_of(message) if parts else json.dumps(content, ensure_ascii=False)
    calls = message.get("tool_calls")
    if isinstance(calls, list) and any(not _has_text_arguments(call) for call in calls):
        changes["tool_calls"] = [_with_text_arguments(call) for call in cast("Sequence[dict[str, Any]]", calls)]
    return {**message, **changes} if changes else message


def _has_text_arguments(call: Mapping[str, Any]) -> bool:
    arguments = call["function"].get("arguments")
    return isinstance(arguments, str) and bool(arguments.strip())


def _with_text_arguments(call: Mapping[str, Any]) -> Mapping[str, Any]:
    if _has_text_arguments(call):
        return call
    arguments = call["function"].get("arguments")
    blank = arguments is None or isinstance(arguments, str)  # blank text stands for no arguments, and is no JSON
    text = "{}" if blank else json.dumps(arguments, ensure_ascii=False)
    return {**call, "function": {**call["function"], "arguments": text}}
