"""A board: rows of tables under headings, some of which stand for threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from tui.local_keys import local_bindings
from tui.widgets.count_table import Row
from tui.widgets.lines import Line
from tui.widgets.row_list import RowList


class Board(RowList):
    """The tables' rows. The cursor goes from one that stands for something to the next, past headings and gaps."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("tables")]

    class Pointed(Message):
        """The cursor is on another row."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.rows: Sequence[Row] = ()

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def current(self) -> Row:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.rows else Row()

    def show(self, rows: Sequence[Row]) -> None:
        """Show other rows; the cursor stays where it was, as far as there is something."""
        self.rows = rows
        self.cursor = self._nearest(self.cursor, 1)
        self.rows_changed()
        self.moved()

    def move_to(self, index: int) -> None:
        """To a row that stands for something, in the direction of the move."""
        super().move_to(self._nearest(index, 1 if index > self.cursor else -1))

    def action_table(self, step: int) -> None:
        """To the first row of the next table, or of this or the one before."""
        starts = [index for index in range(1, self.count) if self._stands(index) and not self._stands(index - 1)]
        after = [index for index in starts if (index > self.cursor if step > 0 else index < self.cursor)]
        if after:
            index = after[0] if step > 0 else after[-1]
            self.move_to(index)
            self.scroll_to(y=self._head(index), animate=False, immediate=True, force=True)

    def into_view(self) -> None:
        """Show the heading above the cursor's row too."""
        if (head := self._head(self.cursor)) < self.scroll_offset.y:
            self.scroll_to(y=head, animate=False, immediate=True, force=True)
        super().into_view()

    def _head(self, index: int) -> int:
        """The first of the rows above that stand for nothing, as far as they fit on the screen with it."""
        top = index
        while top > 0 and index - top < self.size.height - 1 and not self._stands(top - 1):
            top -= 1
        return top

    def moved(self) -> None:
        """Say so."""
        self.post_message(self.Pointed())

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """The row as it was laid out, with a sign at the cursor."""
        line = self.rows[index].line
        if at_cursor and line and line[0][0] == "  ":
            return (("▸ ", "mark"), *line[1:])
        return line

    def _stands(self, index: int) -> bool:
        return index < self.count and bool(self.rows[index].terms or self.rows[index].about)

    def _nearest(self, index: int, step: int) -> int:
        """The row at `index` or the next that stands for something; the last one on that side where there is none."""
        index = max(0, min(index, self.count - 1))
        ahead = range(index, self.count if step > 0 else -1, step)
        behind = range(index, -1 if step > 0 else self.count, -step)
        return next((row for part in (ahead, behind) for row in part if self._stands(row)), index)
