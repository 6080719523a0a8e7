"""Lines of styled text as plain values: what the line-drawn widgets lay out before anything is on a screen.

A line is a tuple of spans, a span a text and the name of its kind. The widget that draws it gives each kind
a colour, so a theme changes the colours without laying anything out again, and no text is ever read as markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, get_args

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from core.text import printable

Kind = Literal[
    "text", "dim", "label", "user", "tool", "key", "string", "number", "constant", "good", "bad", "warn", "mark",
    "lane", "bar", "found", "removed", "added",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What a span means. Where the difference matters it shows in more than colour: by a sign or a word beside it."""

Span = tuple[str, Kind]
Line = tuple[Span, ...]

MAX_PARAGRAPH = 20_000
"""Characters of one unbroken line that are wrapped; wrapping a million takes seconds."""


def cells(line: Iterable[Span]) -> int:
    """How many columns a line takes."""
    return sum(cell_len(text) for text, _ in line)


def plain_text(line: Iterable[Span]) -> str:
    """A line without its kinds."""
    return "".join(text for text, _ in line)


def with_hits(line: Line, pattern: re.Pattern[str]) -> Line:
    """The line with what is searched for in it marked as such."""
    matches = [match.span() for match in pattern.finditer(plain_text(line))]
    if not matches:
        return line
    spans: list[Span] = []
    begin = 0
    for text, kind in line:
        end, at = begin + len(text), begin
        for first, last in matches:
            first, last = max(first, begin), min(last, end)
            if first < last:
                spans.append((text[at - begin : first - begin], kind))
                spans.append((text[first - begin : last - begin], "found"))
                at = last
        spans.append((text[at - begin :], kind))
        begin = end
    return tuple(span for span in spans if span[0])


def wrapped(text: str, width: int, kind: Kind = "text") -> Iterator[Line]:
    """Outside text, safe to draw, wrapped at words to `width` columns."""
    for paragraph in printable(text).split("\n"):
        for row in _wrap(paragraph[:MAX_PARAGRAPH], max(2, width)):
            yield ((row, kind),)
        if len(paragraph) > MAX_PARAGRAPH:
            yield ((f"… {len(paragraph) - MAX_PARAGRAPH} more characters on this line", "dim"),)


@lru_cache(maxsize=4096)
def _wrap(paragraph: str, width: int) -> tuple[str, ...]:
    """One paragraph's rows. Cached, so that a growing text wraps only the paragraph that grows."""
    if len(paragraph) <= width and paragraph.isascii() and "\t" not in paragraph:
        return (paragraph,)
    return tuple(row.plain.rstrip() for row in Content(paragraph.expandtabs(4)).wrap(width)) or ("",)


def fit(line: Iterable[Span], width: int) -> Line:
    """The line cut to `width` columns, with an ellipsis where something was cut."""
    spans: list[Span] = []
    left = width
    for text, kind in line:
        size = cell_len(text)
        if size > left:
            if left > 0:
                spans.append((set_cell_size(text, left - 1) + "…", kind))
            elif spans:
                last, last_kind = spans[-1]
                spans[-1] = (set_cell_size(last, max(0, cell_len(last) - 1)) + "…", last_kind)
            break
        spans.append((text, kind))
        left -= size
    return tuple(spans)


def spread(left: Line, right: Line, width: int) -> Line:
    """`left` and `right` at the two ends of a row; `left` gives way."""
    room = width - cells(right) - 1
    if not right or room < 4:
        return fit(left, width)
    start = fit(left, room)
    return (*start, (" " * (width - cells(start) - cells(right)), "text"), *right)


def size_text(characters: int) -> str:
    """A length as a person reads it: `840 B`, `1.2 kB`, `98 kB`."""
    if characters < 1000:
        return f"{characters} B"
    kilo = characters / 1000
    return f"{kilo:.1f} kB" if kilo < 10 else f"{kilo:.0f} kB" if kilo < 1000 else f"{kilo / 1000:.1f} MB"
