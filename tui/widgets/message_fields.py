"""A call's arguments and a result as text for editing, and back as they are stored."""

from __future__ import annotations

import json
from dataclasses import dataclass

from core.thread.value import Message, call_arguments, call_name, calls_of, text_of


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How JSON on one line is written: what stands between its parts, and whether letters beyond ASCII are escaped."""

    separators: tuple[str, str] = (", ", ": ")
    ascii_only: bool = False

    def write(self, value: object) -> str:
        """The value on one line."""
        return json.dumps(value, separators=self.separators, ensure_ascii=self.ascii_only)


STYLES = tuple(JsonStyle(separators, only) for only in (False, True) for separators in ((", ", ": "), (",", ":")))


def style_of(text: str) -> JsonStyle | None:
    """The style that JSON was written in; None for any other text, and where laying it out would lose something."""
    try:
        value = json.loads(text)
        return next((style for style in STYLES if style.write(value) == text), None)
    except (ValueError, RecursionError):
        return None


def laid_out(text: str) -> str:
    """JSON over several lines, where `compact` can make the same text of it again; any other text as it is."""
    if style_of(text) is None:
        return text
    return json.dumps(json.loads(text), ensure_ascii=False, indent=2)


def compact(text: str, original: str) -> str:
    """Edited text as it is stored: JSON on one line, in the style of the original; what is no JSON as it was typed.

    Args:
        text: what `laid_out` gave, edited.
        original: what was stored before. JSON that `laid_out` left as it was is not written anew either.
    """
    style = style_of(original)
    if style is None and _is_json(original):
        return text
    try:
        return (style or JsonStyle()).write(json.loads(text))
    except (ValueError, RecursionError):
        return text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def fields_of(message: Message, head: str = "") -> dict[str, str]:
    """What the fields of a message hold, by their names; its text is without the beginning that is not shown."""
    text = text_of(message)
    fields = {"text": laid_out(text) if message.get("role") == "tool" else text[len(head) :]}
    for number, call in enumerate(calls_of(message)):
        fields[f"name-{number}"] = call_name(call)
        fields[f"arguments-{number}"] = laid_out(call_arguments(call))
    return fields
