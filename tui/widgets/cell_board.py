"""A board whose rows have cells: the cursor goes from row to row and, within one, from cell to cell."""

from __future__ import annotations

from dataclasses import dataclass

from tui.widgets.board import Board
from tui.widgets.count_table import Row
from tui.widgets.lines import Line


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell stands for."""

    of: str = ""
    """Whose threads: a folder's name."""
    terms: tuple[str, ...] = ()
    """The filter terms that select them."""
    about: str = ""
    """What is told of it when the cursor is there."""
    beside: tuple[str, str] | None = None
    """Two contestants, where the cell stands for the sessions at which they differ."""


@dataclass(frozen=True, slots=True)
class CellRow(Row):
    """A row with cells; each is a span of its line."""

    cells: tuple[Cell, ...] = ()
    first: int = 0
    """The number of the first cell's span in the line."""


class CellBoard(Board):
    """Rows of cells. A row of one cell is that cell as a whole."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.column = 0

    @property
    def cell(self) -> Cell:
        """The cell under the cursor; one that stands for nothing where there is none."""
        cells = _cells(self.current)
        return cells[min(self.column, len(cells) - 1)] if cells else Cell()

    def step(self, step: int) -> None:
        """To the next cell of the row, or the one before."""
        last = max(0, len(_cells(self.current)) - 1)
        self.column = max(0, min(min(self.column, last) + step, last))
        self.refresh_line(self.cursor)
        self.moved()

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """The row, its cell under the cursor with a sign before it."""
        line = super().line(index, at_cursor, width)
        row = self.rows[index]
        cells = _cells(row)
        if not (at_cursor and len(cells) > 1 and isinstance(row, CellRow)):
            return line
        at = row.first + min(self.column, len(cells) - 1)
        text, _ = line[at]
        marked = f"▸{text.strip()}".rjust(len(text))
        return (*line[:at], (marked, "mark"), *line[at + 1 :])


def _cells(row: Row) -> tuple[Cell, ...]:
    return row.cells if isinstance(row, CellRow) else ()
