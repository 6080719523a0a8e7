"""A pane of styled lines, drawn one by one: what is not on the screen costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui.keys import pane_bindings
from tui.widgets.lines import KINDS, Line, plain_text


class LineView(ScrollView):
    """Shows lines, scrolls over them, and lets the mouse select text in them."""

    DEFAULT_CSS = """
    LineView { scrollbar-gutter: stable; scrollbar-size-vertical: 1; overflow-x: hidden; }
    LineView > .line--dim { color: $text-muted; &:ansi { text-style: dim; } }
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
    LineView > .line--found { color: $text; background: $warning-muted; text-style: bold underline; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{kind}" for kind in KINDS}

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._strips: LRUCache[Line, Strip] = LRUCache(2048)

    @property
    def text(self) -> str:
        """All lines as plain text."""
        return "\n".join(plain_text(line) for line in self._lines)

    @property
    def body(self) -> Size:
        """The space that lines have."""
        return self.scrollable_content_region.size

    def put(self, lines: Sequence[Line]) -> None:
        """Show these lines, repainting only the rows that differ from those shown before."""
        old, self._lines = self._lines, lines
        size = Size(self.body.width, len(lines))
        first = next((row for row, (a, b) in enumerate(zip(old, lines, strict=False)) if a is not b and a != b), None)
        if first is None:
            first = min(len(old), len(lines))
        last = max(len(old), len(lines))
        while len(old) == len(lines) and last > first and old[last - 1] == lines[last - 1]:
            last -= 1
        last = min(last, self.scroll_offset.y + self.size.height)
        if last > first:
            self.refresh_lines(first, last - first)
        if self.virtual_size != size:
            self.virtual_size = size

    def scroll_line(self, y: float) -> None:
        """Put line `y` at the top, at once, as far as there are lines."""
        # force: the scrollbar that this needs may not have been laid out yet
        self.scroll_to(y=y, animate=False, immediate=True, force=True)

    def render_line(self, y: int) -> Strip:
        """Draw one visible line."""
        width, base = self.size.width, self.rich_style
        row = y + self.scroll_offset.y
        if row >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[row]
        strip = self._strips.get(line)
        if strip is None:
            styles = ((text, self.get_component_rich_style(f"line--{kind}", partial=True)) for text, kind in line)
            strip = self._strips[line] = Strip([Segment(text, base + style) for text, style in styles])
        return self._highlight(strip, row).crop_extend(0, width, base).apply_offsets(0, row)

    def _highlight(self, strip: Strip, row: int) -> Strip:
        span = None if self.text_selection is None else self.text_selection.get_span(row)
        if span is None:
            return strip
        start, end = span[0], span[1] if span[1] >= 0 else strip.cell_length
        chosen = strip.crop(start, end).apply_style(self.screen.get_component_rich_style("screen--selection"))
        return Strip.join([strip.crop(0, start), chosen, strip.crop(end)])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Give Textual the text that a mouse selection covers."""
        return selection.extract(self.text), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show or hide the highlight."""
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget strips drawn in another theme's colours."""
        super().notify_style_update()
        self._strips.clear()


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
