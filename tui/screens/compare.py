"""Two conversations side by side: the first difference marked, words that differ highlighted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.screen import Screen

from core.compare import Row, compare, word_spans
from core.text import one_line, printable
from core.thread import Message, call_arguments, call_name, calls_of, text_of
from tui.mishaps import Guarded
from tui.widgets.line_view import PagedView
from tui.widgets.lines import Kind, Line, Span, cells, fit, wrapped
from tui.widgets.plain import Plain

Side = tuple[str, Sequence[Message]]
"""A conversation with its name."""

TEXT_LIMIT = 20_000
"""Characters of one message that are compared and shown; tool results can be longer."""


class Comparison(PagedView, can_focus=True):
    """The rows of two conversations, drawn line by line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,v", "difference(1)", "next difference", show=False),
        Binding("N", "difference(-1)", "previous difference", show=False),
    ]

    def __init__(self, left: Side, right: Side) -> None:
        super().__init__()
        self._sides = left, right
        self._found = compare(left[1], right[1])
        self._tops: list[int] = []

    @property
    def summary(self) -> str:
        """How many messages differ."""
        count = sum(not row.same for row in self._found.rows)
        return "the same" if not count else f"{count} of {len(self._found.rows)} differ"

    def on_resize(self, event: Resize) -> None:
        """Lay out at the new width; begin at the first difference."""
        first = not self._tops
        self._lay_out()
        if first and self._found.first is not None:
            self.scroll_line(max(0, self._tops[self._found.first] - 2))

    def _lay_out(self) -> None:
        width = max(8, (self.body.width - 3) // 2)
        lines: list[Line] = []
        self._tops = []
        for place, row in enumerate(self._found.rows):
            self._tops.append(len(lines))
            lines += side_by_side(self._pair(row), row.same, place == self._found.first, width)
        self.put(lines)

    def _pair(self, row: Row) -> tuple[Message | None, Message | None]:
        (_, left), (_, right) = self._sides
        return (
            left[row.left] if row.left is not None else None,
            right[row.right] if row.right is not None else None,
        )

    def action_difference(self, step: int) -> None:
        """Go to the next or previous message that differs."""
        tops = [top for top, row in zip(self._tops, self._found.rows, strict=True) if not row.same]
        seen = self.scroll_offset.y + 2
        wanted = [top for top in tops if (top > seen if step > 0 else top < seen)]
        if wanted:
            self.scroll_line(max(0, (wanted[0] if step > 0 else wanted[-1]) - 2))


class CompareScreen(Guarded, Screen[None]):
    """The whole screen for a comparison."""

    DEFAULT_CSS = """
    CompareScreen {
        #sides { height: 1; background: $panel; padding: 0 1; }
        #compare-keys { height: 1; color: $text-muted; padding: 0 1; }
        Comparison { height: 1fr; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "app.pop_screen", "back", show=False)]

    def __init__(self, left: Side, right: Side) -> None:
        super().__init__()
        self._names = left[0], right[0]
        self._view = Comparison(left, right)

    def compose(self) -> ComposeResult:
        """What is compared, the two sides, the keys."""
        left, right = self._names
        yield Plain(f"{one_line(left, 60)}  ┃  {one_line(right, 60)}    {self._view.summary}", id="sides")
        yield self._view
        yield Plain("n N next, previous difference   j k scroll   g G ends   esc back", id="compare-keys")


def side_by_side(pair: tuple[Message | None, Message | None], same: bool, first: bool, width: int) -> list[Line]:
    """One row of a comparison: both messages in columns of `width`, with a bar between them."""
    texts = [_text(message) for message in pair]
    spans = ((), ()) if same or None in pair else word_spans(texts[0], texts[1])
    left = list(_column(pair[0], texts[0], spans[0], same, width))
    right = list(_column(pair[1], texts[1], spans[1], same, width))
    middle: Span = (" ┃ ", "dim") if same else (" ┋ ", "warn")
    height = max(len(left), len(right))
    rows: list[Line] = []
    if first:
        rows.append((("▼ here they part", "warn"),))
    for place in range(height):
        one = left[place] if place < len(left) else ()
        other = right[place] if place < len(right) else ()
        rows.append((*one, (" " * (width - cells(one)), "text"), middle, *other))
    return [*rows, ()]


def _column(
    message: Message | None, text: str, spans: Sequence[tuple[int, int]], same: bool, width: int
) -> Iterator[Line]:
    if message is None:
        yield (("— nothing here —", "dim"),)
        return
    kind: Kind = "dim" if same else "text"
    yield fit([(str(message.get("role", "?")).upper()[:12], "dim" if same else "label")], width)
    yield from _highlighted(text, spans, width, kind)


def _highlighted(text: str, spans: Sequence[tuple[int, int]], width: int, kind: Kind) -> Iterator[Line]:
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
            found: Kind = "found" if at < len(text) and marked[at] and text[at] == character else kind
            at += at < len(text) and text[at] == character
            if pieces and pieces[-1][1] == found:
                pieces[-1] = (pieces[-1][0] + character, found)
            else:
                pieces.append((character, found))
        yield tuple(pieces)


def _text(message: Message | None) -> str:
    """A message as one text, safe to draw: what it says, then its calls."""
    if message is None:
        return ""
    calls = [f"▸ {call_name(call)} {call_arguments(call)}" for call in calls_of(message)]
    return printable("\n".join([text_of(message), *calls])[:TEXT_LIMIT]).expandtabs(4)
