"""What a streamed reply is cut into, looked at: small functions of `core.model.reply`."""

from __future__ import annotations

import json
from typing import Any


def is_object(text: str) -> bool:
    """Whether it is the whole text of a JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` may be the beginning of `tag`."""
    if tag[0] not in text:  # nearly every piece of a reply
        return 0
    return next((size for size in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:size])), 0)


def whole_characters(text: str) -> str:
    """Text whose surrogate pairs, parted when a server cut between the halves, are characters again."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def string(value: Any) -> str:
    """A text; empty for anything else."""
    return value if isinstance(value, str) else ""


def content(value: Any) -> str:
    """A delta's content: a string, or a list of parts with text."""
    if isinstance(value, list):
        return "".join(string(part.get("text")) for part in value if isinstance(part, dict))
    return string(value)
