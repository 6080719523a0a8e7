"""What a comparison of two conversations looks like, as lines: messages that differ in two columns, word by word.

Pure functions of values; a long comparison is laid out off the screen's loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.text import one_line, printable
from core.thread.compare import Comparison, word_spans
from core.thread.opening import opening_of
from core.thread.value import Message, call_arguments, call_name, calls_of, text_of
from tui.widgets.lines import Kind, Line, Span, cells, fit, wrapped
from tui.widgets.result_text import telling_first

Side = tuple[str, Sequence[Message]]
"""A conversation with its name."""
MOST_SIDES = 9
"""Conversations to choose from: each has a digit."""

TEXT_LIMIT = 20_000
"""Characters of one message that are compared and shown; tool results can be longer."""
STACKED_WIDTH = 64
"""Columns below which the two stand one above the other."""
LEFT: Span = ("− ", "bad")
RIGHT: Span = ("+ ", "good")
"""At what one side alone has: the left one as what a change would take away, the right one as what it would add."""
_NEITHER: Span = ("  ", "text")


@dataclass(frozen=True, slots=True)
class Laid:
    """A comparison as lines."""

    lines: tuple[Line, ...]
    differences: tuple[int, ...]
    """The line at which each difference begins: its heading."""


def lay_out(
    left: Sequence[Message], right: Sequence[Message], comparison: Comparison, width: int, *, whole: bool = False
) -> Laid:
    """All rows at `width` columns. What is the same takes a line a message, unless `whole` is wanted."""
    lines: list[Line] = []
    differences: list[int] = []
    count = sum(not row.same for row in comparison.rows)
    for row in comparison.rows:
        message = left[row.left] if row.left is not None else None
        other = right[row.right] if row.right is not None else None
        if row.same and not whole:
            lines.append(_same(message or {}, width))
            continue
        if not row.same:
            differences.append(len(lines))
            lines.append(heading(len(differences), count, here=False))
        lines += (_stacked if width < STACKED_WIDTH else _beside)((message, other), row.same, width)
        lines.append(())
    return Laid(tuple(lines), tuple(differences))


def heading(number: int, count: int, *, here: bool) -> Line:
    """The line over a difference, counted from 1; `here` is the one that was gone to."""
    text = f"difference {number} of {count}"
    if number == 1:
        text = f"here they part: {text}"
    return (("▶ " if here else "▼ ", "mark" if here else "warn"), (text, "warn"))


def columns(width: int) -> int:
    """How wide each of the two columns is."""
    return max(8, (width - 3) // 2)


def _same(message: Message, width: int) -> Line:
    role, text = _role(message), _text(message)
    told = text[opening_of(text).end :] if message.get("role") == "user" else text  # not what describes the dataset
    return fit([("= ", "dim"), (f"{role.ljust(10)} {one_line(told or text, width)}", "dim")], width)


def _role(message: Message) -> str:
    return printable(str(message.get("role", "?")).upper()[:12])


def _beside(pair: tuple[Message | None, Message | None], same: bool, width: int) -> list[Line]:
    """Both messages in columns, with a bar between them."""
    room = columns(width)
    left, right = _both(pair, same, room if same else room - 2)
    if not same:
        left, right = _signed(pair, left, right)
    middle: Span = (" ┃ ", "dim") if same else (" ┋ ", "warn")
    rows: list[Line] = []
    for index in range(max(len(left), len(right))):
        left_line = left[index] if index < len(left) else ()
        other = right[index] if index < len(right) else ()
        rows.append((*left_line, (" " * (room - cells(left_line)), "text"), middle, *other))
    return rows


def _stacked(pair: tuple[Message | None, Message | None], same: bool, width: int) -> list[Line]:
    """The left message above the right one."""
    left, right = _both(pair, same, width - 2)
    if same:
        return left
    left, right = _signed(pair, left, right)
    return [*left, *right]


def _signed(
    pair: tuple[Message | None, Message | None], left: Sequence[Line], right: Sequence[Line]
) -> tuple[list[Line], list[Line]]:
    """Both sides with their signs, where there is a message."""
    signs = [_NEITHER if message is None else sign for message, sign in zip(pair, (LEFT, RIGHT), strict=True)]
    return [(signs[0], *line) for line in left], [(signs[1], *line) for line in right]


def _both(pair: tuple[Message | None, Message | None], same: bool, width: int) -> tuple[list[Line], list[Line]]:
    texts = _texts(pair)
    spans = ((), ()) if same or None in pair else word_spans(texts[0], texts[1])
    left = _column(pair[0], texts[0], spans[0], "dim" if same else "removed", width)
    right = _column(pair[1], texts[1], spans[1], "dim" if same else "added", width)
    return list(left), list(right)


def _column(
    message: Message | None, text: str, spans: Sequence[tuple[int, int]], differing: Kind, width: int
) -> Iterator[Line]:
    """One side; `differing` is how words are drawn that the other lacks, or `dim` where nothing differs."""
    if message is None:
        yield fit([("— nothing here —", "dim")], width)
        return
    same = differing == "dim"
    yield fit([(_role(message), "dim" if same else "label")], width)
    yield from _highlighted(text, spans, width, "dim" if same else "text", differing)


def _highlighted(
    text: str, spans: Sequence[tuple[int, int]], width: int, kind: Kind, differing: Kind
) -> Iterator[Line]:
    """Wrapped text with stretches of it marked; both are found anew in each wrapped line."""
    marked = [False] * len(text)
    for start, end in spans:
        marked[start:end] = [True] * (end - start)
    at = 0
    for line in wrapped(text, width, kind):
        row = line[0][0] if line else ""
        pieces: list[Span] = []
        for character in row:
            while at < len(text) and text[at] != character and text[at].isspace():
                at += 1
            drawn_as = differing if at < len(text) and marked[at] and text[at] == character else kind
            at += at < len(text) and text[at] == character
            if pieces and pieces[-1][1] == drawn_as:
                pieces[-1] = (pieces[-1][0] + character, drawn_as)
            else:
                pieces.append((character, drawn_as))
        yield tuple(pieces)


def _texts(pair: tuple[Message | None, Message | None]) -> list[str]:
    """Both as texts; of two questions about the same dataset without what describes it."""
    texts = [_text(message) for message in pair]
    openings = [opening_of(text) for text in texts]
    if openings[0].manifest is None or openings[0].manifest != openings[1].manifest:
        return texts
    return [
        f"▸ the same dataset\n\n{text[opening.end :].lstrip()}" for text, opening in zip(texts, openings, strict=True)
    ]


def _text(message: Message | None) -> str:
    """A message as one text, safe to draw: what it says, then its calls."""
    if message is None:
        return ""
    text = telling_first(text_of(message)) if message.get("role") == "tool" else text_of(message)
    calls = [f"▸ {call_name(call)} {call_arguments(call)}" for call in calls_of(message)]
    return printable("\n".join([text, *calls])[:TEXT_LIMIT]).expandtabs(4)
