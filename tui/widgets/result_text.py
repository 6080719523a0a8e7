"""A tool's result in the order that a reader wants: what it tells first, what stands in every result last."""

from __future__ import annotations

import json
import re

IN_EVERY_RESULT = frozenset({"artifact_id", "window_sec", "samples", "rate_hz"})
"""The members that a result begins with, whatever was computed."""
MADE_FROM = "from_artifact"
"""Stands behind them where the artifact is a new one: its id is then what the result tells."""

_OPENS = re.compile(r"\s*\{\s*")
_NAME = re.compile(r'"(\w+)"\s*:\s*')
_COMMA = re.compile(r"\s*,\s*")
_DECODER = json.JSONDecoder()


def telling_first(text: str) -> str:
    """JSON text with the members that every result begins with moved to its end; any other text as it is.

    Only for drawing: not a character of a member changes, and what is stored stays as it was.
    """
    opens = _OPENS.match(text)
    end = text.rstrip()
    if opens is None or not end.endswith("}"):
        return text
    start, behind = opens.end(), opens.end()
    name = _NAME.match(text, behind)
    while name is not None and name[1] in IN_EVERY_RESULT:
        try:
            _, after = _DECODER.raw_decode(text, name.end())
        except (ValueError, RecursionError):
            return text
        comma = _COMMA.match(text, after)
        if comma is None:  # they are all there is
            return text
        behind = comma.end()
        name = _NAME.match(text, behind)
    if behind == start or (name is not None and name[1] == MADE_FROM):
        return text
    usual = text[start:behind].rstrip().removesuffix(",").rstrip()
    return f"{text[:start]}{end[behind:-1].rstrip()}, {usual}}}"
