"""The leaves of a result's JSON, and keys that tell what a leaf is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

TELLING_KEYS = re.compile(
    r"(?:ground_?truth|gold|truth|true_?(?:label|class|activity)|correct_?(?:label|answer)|expected(?:_?(?:label|answer))?"
    r"|target(?:_?label)?|actual(?:_?(?:label|activity))?|session_?label)",
    re.IGNORECASE,
)
"""Keys whose value can only be the truth, wherever they stand."""

COMPARED = re.compile(r"distance|similarity|score|votes?|rank|share|probability|neighbou?r|count", re.IGNORECASE)


def leaves(value: Any, key: str = "", single: bool = True, depth: int = 0) -> Iterator[tuple[str, bool, Any]]:
    """Every leaf with its key, and whether it is said of one thing rather than of several that are compared.

    A small or inner object with a distance, a score or a vote in it is one of several.
    """
    if isinstance(value, Mapping):
        compares = (depth > 0 or len(value) <= 4) and any(COMPARED.search(str(name)) for name in value)
        for name, item in value.items():
            names_one = single and not compares and not COMPARED.search(str(name))
            yield from leaves(item, str(name), names_one, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, key, single and len(value) == 1, depth + 1)
    else:
        yield key, single, value


def strings(value: Any) -> Iterator[str]:
    """Every leaf that is text."""
    for _, _, item in leaves(value):
        if isinstance(item, str):
            yield item


def short(text: str) -> str:
    """A text on one line, 80 characters at most."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 80 else flat[:79] + "…"
