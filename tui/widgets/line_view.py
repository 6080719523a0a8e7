"""A pane of styled lines, drawn one by one: what is not on the screen costs nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.selection import Selection
from textual.strip import Strip

from tui.keys import pane_bindings
from tui.widgets.drawn_lines import DrawnLines, strip_of
from tui.widgets.lines import KINDS, Line, plain_text, with_hits


class LineView(DrawnLines):
    """Shows lines, scrolls over them, and lets the mouse select text in them."""

    DEFAULT_CSS = """
    LineView > .line--dim { color: $text-muted; }
    LineView > .line--label { color: $text-accent; text-style: bold; }
    LineView > .line--user { color: $text-primary; }
    LineView > .line--tool { color: $text-secondary; }
    LineView > .line--key { color: $text-primary; }
    LineView > .line--string { color: $text-success; }
    LineView > .line--number { color: $text-warning; }
    LineView > .line--constant { color: $text-accent; }
    LineView > .line--good { color: $text-success; text-style: bold; }
    LineView > .line--bad { color: $text-error; text-style: bold; }
    LineView > .line--warn { color: $text-warning; text-style: bold; }
    LineView > .line--mark { color: $text-accent; text-style: bold; }
    LineView > .line--lane { color: $text-success; }
    LineView > .line--bar { color: $primary; text-style: bold; }
    LineView > .line--removed { color: $text-error; background: $error-muted; text-style: bold underline; }
    LineView > .line--added { color: $text-success; background: $success-muted; text-style: bold underline; }
    LineView > .line--found { color: $text; background: $warning-muted; text-style: bold underline; }
    LineView:ansi > .line--dim { text-style: dim; }
    LineView:ansi > .line--removed { background: ansi_default; text-style: bold underline; }
    LineView:ansi > .line--added { background: ansi_default; text-style: bold underline; }
    LineView:ansi > .line--found { background: ansi_default; text-style: bold reverse; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{kind}" for kind in KINDS}

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._strips: LRUCache[Line, Strip] = LRUCache(2048)
        self._kinds: dict[str, Style] = {}
        self._marked: re.Pattern[str] | None = None

    @property
    def text(self) -> str:
        """All lines as plain text."""
        return "\n".join(plain_text(line) for line in self._lines)

    @property
    def rows_to_end(self) -> int:
        """How many rows below the top of the pane the last line ends."""
        return len(self._lines) - int(self.scroll_offset.y)

    def put(self, lines: Sequence[Line]) -> None:
        """Show these lines, repainting only the rows that differ from those shown before."""
        old, self._lines = self._lines, lines
        first = next((row for row, (a, b) in enumerate(zip(old, lines, strict=False)) if a is not b and a != b), None)
        if first is None:
            first = min(len(old), len(lines))
        last = max(len(old), len(lines))
        while len(old) == len(lines) and last > first and old[last - 1] == lines[last - 1]:
            last -= 1
        last = min(last, self.scroll_offset.y + self.size.height)
        if last > first:
            self.refresh_lines(first, last - first)
        self.put_size(len(lines))

    def mark(self, pattern: re.Pattern[str] | None) -> None:
        """Mark what this finds in a line, or nothing any more."""
        if pattern != self._marked:
            self._marked = pattern
            self._strips.clear()
            self.refresh()

    def scroll_line(self, y: float) -> None:
        """Put line `y` at the top, at once, as far as there are lines."""
        # force: the scrollbar that this needs may not have been laid out yet
        self.scroll_to(y=y, animate=False, immediate=True, force=True)

    def render_line(self, y: int) -> Strip:
        """Draw one visible line."""
        width, base = self.size.width, self.base
        row = y + self.scroll_offset.y
        if row >= len(self._lines):
            return strip_of([(text, self._style(kind)) for text, kind in self.hint_at(y)], width, base)
        line = (self.pinned() if y == 0 else ()) or self._lines[row]
        strip = self._strips.get(line)
        if strip is None or strip.cell_length != width:
            shown = line if self._marked is None else with_hits(line, self._marked)
            spans = ((text, self._style(kind)) for text, kind in shown)
            strip = self._strips[line] = strip_of(spans, width, base)
        return self._highlight(strip, row).apply_offsets(0, row)

    def pinned(self) -> Line:
        """A line that stands on the first row instead of what is scrolled there; none unless a subclass has one."""
        return ()

    def _style(self, kind: str) -> Style:
        """The style that texts of a kind have here."""
        if (style := self._kinds.get(kind)) is None:
            style = self._kinds[kind] = self.base + self.get_component_rich_style(f"line--{kind}", partial=True)
        return style

    def _highlight(self, strip: Strip, row: int) -> Strip:
        span = None if self.text_selection is None else self.text_selection.get_span(row)
        if span is None:
            return strip
        start, end = span[0], span[1] if span[1] >= 0 else strip.cell_length
        chosen = strip.crop(start, end).apply_style(self.screen.get_component_rich_style("screen--selection"))
        return Strip.join([strip.crop(0, start), chosen, strip.crop(end)])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Give Textual the text that a mouse selection covers."""
        return self._copied(selection.extract(self.text)), "\n"

    def _copied(self, text: str) -> str:
        """Selected text as it is to be copied."""
        return text

    def selection_updated(self, selection: Selection | None) -> None:
        """Show or hide the highlight."""
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget strips drawn in another theme's colours."""
        super().notify_style_update()
        self._strips.clear()
        self._kinds.clear()


class PagedView(LineView):
    """Lines that the keys of a pane scroll over."""

    BINDINGS: ClassVar[list[BindingType]] = [*pane_bindings()]

    def action_move_down(self) -> None:
        """A line down."""
        self.scroll_line(self.scroll_offset.y + 1)

    def action_move_up(self) -> None:
        """A line up."""
        self.scroll_line(self.scroll_offset.y - 1)

    def action_move_page_down(self) -> None:
        """A page down."""
        self._page(1)

    def action_move_page_up(self) -> None:
        """A page up."""
        self._page(-1)

    def action_move_first(self) -> None:
        """To the beginning."""
        self.scroll_line(0)

    def action_move_last(self) -> None:
        """To the end."""
        self.scroll_line(self.max_scroll_y)

    def _page(self, step: int) -> None:
        """Scroll by pages, two lines of each staying on the screen."""
        self.scroll_line(self.scroll_offset.y + step * max(1, self.body.height - 2))
