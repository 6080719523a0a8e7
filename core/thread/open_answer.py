"""A final answer that names no label: it says that the label cannot be told, and which ones are left.

It is neither right nor wrong. `Final Answer: cannot be told (one of: sitting, standing)` rules the other labels out,
and claims no more; whether the session's label is among those left is counted apart, never as a right answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

CANNOT_BE_TOLD = "cannot be told"
_LEFT = re.compile(r"\(\s*one of:?\s*(?P<labels>[^()]+)\)", re.IGNORECASE)


def open_answer(left: Iterable[str]) -> str:
    """The answer that leaves these labels open."""
    named = ", ".join(left)
    return f"{CANNOT_BE_TOLD} (one of: {named})" if named else CANNOT_BE_TOLD


def is_open(answer: str) -> bool:
    """Whether a final answer names no label, but says that it cannot be told."""
    return " ".join(answer.casefold().split()).startswith(CANNOT_BE_TOLD)


def labels_left(answer: str) -> tuple[str, ...]:
    """The labels that an open answer leaves; none where it names none."""
    match = _LEFT.search(answer) if is_open(answer) else None
    return tuple(label for part in match["labels"].split(",") if (label := part.strip())) if match else ()
