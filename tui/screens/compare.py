"""Two conversations side by side: the first difference marked, words that differ highlighted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import set_cell_size
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.events import Resize
from textual.message import Message as Event
from textual.screen import Screen

from core.text import counted, one_line
from core.thread.compare import Comparison, compare
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.compare_lines import MOST_SIDES, STACKED_WIDTH, Laid, Side, columns, heading, lay_out
from tui.widgets.line_view import PagedView
from tui.widgets.plain import Plain


class Differences(PagedView, can_focus=True):
    """The rows of two conversations, drawn line by line; laid out on a worker's thread."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("differences")]

    @dataclass
    class Ready(Event):
        """The rows are laid out."""

        comparison: Comparison
        laid: Laid
        request: int

    class Changed(Event):
        """Other rows are shown, or another difference was gone to."""

    def __init__(self) -> None:
        super().__init__()
        self._sides: tuple[Side, Side] | None = None
        self._comparison: Comparison | None = None
        self._laid = Laid((), ())
        self._request = 0
        self._at = 0
        self._whole = False

    @property
    def summary(self) -> str:
        """How many messages differ, and which difference was gone to."""
        if self._comparison is None:
            return "comparing …"
        count = len(self._laid.differences)
        if not count:
            return "the same, word for word"
        return f"difference {self._at + 1} of {count}, in {counted(len(self._comparison.rows), 'message')}"

    def compare(self, left: Side, right: Side) -> None:
        """Show these two."""
        self._sides, self._comparison, self._at = (left, right), None, 0
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        """Lay out at the new width."""
        self._lay_out()

    def _lay_out(self) -> None:
        self._request += 1
        if self._sides is None or not self.body.width:
            return
        (_, left), (_, right) = self._sides
        width, whole, request, known = self.body.width, self._whole, self._request, self._comparison

        def work() -> None:
            comparison = known or compare(left, right)
            self.post_message(self.Ready(comparison, lay_out(left, right, comparison, width, whole=whole), request))

        self.run_worker(work, thread=True, exclusive=True, group="compare")

    def _on_differences_ready(self, event: Differences.Ready) -> None:
        if event.request == self._request:
            self._comparison, self._laid = event.comparison, event.laid
            self._show()

    def _show(self) -> None:
        """Draw, and bring the difference that was gone to into view."""
        lines, places = list(self._laid.lines), self._laid.differences
        if places:
            lines[places[self._at]] = heading(self._at + 1, len(places), here=True)
        self.put(lines)
        self.scroll_line(max(0, places[self._at] - 2) if places else 0)
        self.post_message(self.Changed())

    def action_difference(self, step: int) -> None:
        """Go to the next or previous message that differs."""
        if self._laid.differences:
            self._at = min(max(0, self._at + step), len(self._laid.differences) - 1)
            self._show()

    def action_whole(self) -> None:
        """Show what is the same whole, or a line of each message."""
        self._whole = not self._whole
        self._lay_out()


class CompareScreen(Guarded, Screen[None]):
    """The whole screen for a comparison of any two of several conversations."""

    DEFAULT_CSS = """
    CompareScreen {
        #sides { height: 1; background: $panel; padding: 0 1; text-style: bold; }
        #found { height: 1; background: $panel; color: $text-muted; padding: 0 1; }
        #compare-keys { height: 1; color: $text-muted; padding: 0 1; }
        Differences { height: 1fr; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("compare")]

    def __init__(self, sides: Sequence[Side], left: int = 0, right: int = 1) -> None:
        """Args: `left` and `right` say which of `sides` are shown first."""
        super().__init__()
        self._sides = sides[:MOST_SIDES]
        self._left, self._right = left, right
        self._view = Differences()

    def compose(self) -> ComposeResult:
        """The two sides, what was found, the rows, the keys."""
        yield Plain(id="sides")
        yield Plain(id="found")
        yield self._view
        yield Plain(self.hints(), id="compare-keys")

    def hints(self) -> str:
        """What the keys do."""
        several = f"1-{len(self._sides)} on the right   " if len(self._sides) > 2 else ""
        keys = keys_of(self)
        moves = keys.hints(("differences.next", "differences.previous"), "differences.whole").replace(" · ", "   ")
        others = keys.hints("compare.swap", "compare.back").replace(" · ", "   ")
        return f"{moves}   {several}{others}"

    def on_mount(self) -> None:
        """Compare the first two."""
        self._view.focus()
        self._compare()

    def _compare(self) -> None:
        self._view.compare(self._sides[self._left], self._sides[self._right])
        self._head()

    def action_swap(self) -> None:
        """Left becomes right."""
        self._left, self._right = self._right, self._left
        self._compare()

    def action_beside(self, number: int) -> None:
        """Put another conversation, counted from 1, on the right; what is on the left already changes places."""
        if number > len(self._sides) or number - 1 == self._right:
            return
        if number - 1 == self._left:
            self._left = self._right
        self._right = number - 1
        self._compare()

    def on_resize(self, event: Resize) -> None:
        """Line the names up with their columns."""
        self.call_after_refresh(self._head)

    def _on_differences_changed(self) -> None:
        self._head()

    def _head(self) -> None:
        width = max(16, self._view.body.width)
        room = columns(width) if width >= STACKED_WIDTH else 0
        signs = (("−", "bold $text-error"), ("+", "bold $text-success"))
        left, right = self._named(self._left), self._named(self._right)
        named = [f" {_cut(name, room - 2) if room else name}" for name in (left, right)]
        parts = [Content.styled(sign, style) + Content(name) for (sign, style), name in zip(signs, named, strict=True)]
        self.query_one("#sides", Plain).show(Content(" ┃ " if room else "   ").join(parts))
        self.query_one("#found", Plain).show(self._view.summary)

    def _named(self, number: int) -> str:
        name = one_line(self._sides[number][0], 120)
        return f"{number + 1} {name}" if len(self._sides) > 2 else name


def _cut(text: str, width: int) -> str:
    """The text in exactly so many columns."""
    padded = set_cell_size(text, width)
    return padded if padded.rstrip() == text else set_cell_size(text, width - 1) + "…"
