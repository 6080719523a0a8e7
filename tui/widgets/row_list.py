"""A list of rows with a cursor, drawn line by line: a hundred thousand rows cost what a screenful costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.style import Style
from textual.binding import BindingType
from textual.events import Blur, Click, Focus
from textual.strip import Strip

from core.text import one_line
from tui.keys import pane_bindings
from tui.widgets.drawn_lines import DrawnLines, strip_of
from tui.widgets.lines import Line

_KINDS = ("dim", "good", "bad", "warn", "mark", "cursor", "waiting")


class RowList(DrawnLines, can_focus=True):
    """The cursor and the drawing. It has no rows; a subclass says how many there are, and what each holds."""

    DEFAULT_CSS = """
    RowList > .list--dim { color: $text-muted; }
    RowList > .list--good { color: $text-success; }
    RowList > .list--bad { color: $text-error; }
    RowList > .list--warn { color: $text-warning; }
    RowList > .list--mark { color: $text-accent; text-style: bold; }
    RowList > .list--cursor { background: $primary-muted; text-style: bold; }
    RowList > .list--waiting { background: $surface-lighten-1; text-style: bold; }
    RowList:ansi > .list--dim { text-style: dim; }
    RowList:ansi > .list--cursor { background: ansi_default; text-style: bold reverse; }
    RowList:ansi > .list--waiting { background: ansi_default; text-style: bold underline; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"list--{kind}" for kind in _KINDS}
    BINDINGS: ClassVar[list[BindingType]] = [*pane_bindings()]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.cursor = 0
        self.empty = ""
        """What is said when there is no row."""

    @property
    def count(self) -> int:
        """How many rows there are."""
        return 0

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """What a row shows, in `width` columns."""
        return ()

    def moved(self) -> None:
        """The cursor came to another row."""

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, or on the nearest there is."""
        index = max(0, min(index, self.count - 1))
        if index == self.cursor or not self.count:
            return
        before, self.cursor = self.cursor, index
        self.refresh_line(before)
        self.refresh_line(index)
        self.into_view()
        self.moved()

    def rows_changed(self, offset: int | None = None) -> None:
        """The rows are others now. With `offset`, the cursor stays that many rows below the top."""
        self.cursor = max(0, min(self.cursor, self.count - 1))
        self.put_size(self.count)
        if offset is not None and self.cursor != offset + self.scroll_offset.y:
            self.scroll_to(y=self.cursor - offset, animate=False, immediate=True, force=True)
        self.into_view()
        self.refresh()

    def into_view(self) -> None:
        """Scroll as far as the cursor's row needs."""
        page, top = max(1, self.size.height), self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True, force=True)
        elif self.cursor >= top + page:
            self.scroll_to(y=self.cursor - page + 1, animate=False, immediate=True, force=True)

    def action_move_down(self) -> None:
        """One down."""
        self.move_to(self.cursor + 1)

    def action_move_up(self) -> None:
        """One up."""
        self.move_to(self.cursor - 1)

    def action_move_first(self) -> None:
        """To the first row."""
        self.move_to(0)

    def action_move_last(self) -> None:
        """To the last row."""
        self.move_to(self.count - 1)

    def action_move_page_down(self) -> None:
        """A page down."""
        self.move_to(self.cursor + max(1, self.size.height - 1))

    def action_move_page_up(self) -> None:
        """A page up."""
        self.move_to(self.cursor - max(1, self.size.height - 1))

    def on_click(self, event: Click) -> None:
        """Put the cursor where the pointer is."""
        index = event.y + self.scroll_offset.y
        if index < self.count:
            self.move_to(index)

    def on_focus(self, event: Focus) -> None:
        """Draw the cursor's row as the one that keys act on."""
        self.refresh_line(self.cursor)

    def on_blur(self, event: Blur) -> None:
        """Draw the cursor's row as one that waits."""
        self.refresh_line(self.cursor)

    def render_line(self, y: int) -> Strip:
        """Draw one visible row."""
        width, base = self.body.width, self.base
        index = y + self.scroll_offset.y
        if index >= self.count:
            if hint := self.hint_at(y):
                return strip_of(self._styled(hint, base), width, base)
            text = one_line(self.empty, max(8, width - 2)) if not self.count and y == 1 else ""
            return strip_of(((f" {text}", base + self._style("dim")),), width, base)
        at_cursor = index == self.cursor
        if at_cursor:
            base += self._style("cursor" if self.has_focus else "waiting")
        line = self.line(index, at_cursor, width)
        return strip_of(self._styled(line, base), width, base)

    def _styled(self, line: Line, base: Style) -> Iterator[tuple[str, Style]]:
        """The row's texts in the styles of their kinds; a row in reverse in one style, or it would be a patchwork."""
        return ((text, base if kind == "text" or base.reverse else base + self._style(kind)) for text, kind in line)

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"list--{kind}", partial=True)
