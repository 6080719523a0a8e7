"""A tool's result in the order that a reader wants: what was measured first, what stands in every result last."""

from __future__ import annotations

import json
import re

IN_EVERY_RESULT = frozenset({"artifact_id", "window_sec", "samples", "rate_hz", "unit", "lag_resolution"})
"""Members that say nothing of the signal, whatever was computed."""
MADE_FROM = "from_artifact"
"""Stands near the beginning where the artifact is a new one: its id is then what the result tells."""
SAYS = frozenset({"error", "note"})
"""Texts that are what a result tells; other texts explain its numbers."""

_OPENS = re.compile(r"\s*\{\s*")
_NAME = re.compile(r'"(\w+)"\s*:\s*')
_COMMA = re.compile(r"\s*,\s*")
_DIGIT = re.compile(r"\d")
_DECODER = json.JSONDecoder()


def telling_first(text: str) -> str:
    """JSON text with the first members moved to its end that only say what the numbers after them are of, and in which
    unit; any other text as it is.

    Only for drawing: not a character of a member changes, and what is stored stays as it was.
    """
    opens, end = _OPENS.match(text), text.rstrip()
    if opens is None or not end.endswith("}"):
        return text
    first: list[str] = []
    last: list[str] = []
    at = opens.end()
    while (name := _NAME.match(text, at)) is not None and name[1] not in (MADE_FROM, *SAYS):
        explains = name[1] in IN_EVERY_RESULT or text[name.end()] == '"'
        if not explains and text[name.end()] != "[":  # a number, or more members: here it begins to tell
            break
        try:
            _, after = _DECODER.raw_decode(text, name.end())
        except (ValueError, RecursionError):
            return text
        member = text[at:after]
        comma = _COMMA.match(text, after)
        if comma is None:  # these are all there is
            return text
        if not explains and _DIGIT.search(member):
            break
        (last if explains else first).append(member)
        at = comma.end()
    if not last or (name is not None and name[1] == MADE_FROM):
        return text
    return f"{text[: opens.end()]}{', '.join([*first, end[at:-1].rstrip(), *last])}}}"
