"""A call's arguments and a result as text for editing, and back as they are stored."""

from __future__ import annotations

import json

from core.text import printable
from core.thread.value import Message, call_arguments, call_name, calls_of, text_of


def laid_out(arguments: str) -> str:
    """Arguments as they are shown for editing: JSON over several lines where that loses nothing."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return printable(arguments)
    if json.loads(json.dumps(value)) != value:
        return printable(arguments)
    return printable(json.dumps(value, ensure_ascii=False, indent=2))


def compact(arguments: str) -> str:
    """Arguments as they are stored: JSON on one line; text that is no JSON as it was typed."""
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False)
    except (ValueError, RecursionError):
        return arguments


def fields_of(message: Message, head: str = "") -> dict[str, str]:
    """What the fields of a message hold, by their names; its text is without the beginning that is not shown."""
    text = text_of(message)
    fields = {"text": laid_out(text) if message.get("role") == "tool" else printable(text[len(head) :])}
    for number, call in enumerate(calls_of(message)):
        fields[f"name-{number}"] = printable(call_name(call))
        fields[f"arguments-{number}"] = laid_out(call_arguments(call))
    return fields
