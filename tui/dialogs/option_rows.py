"""The rows of the export dialog: one for each option, its name and what is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from textual.message import Message

from core.text import one_line
from tui.dialogs.export_options import OPTIONS
from tui.widgets.lines import Line, fit
from tui.widgets.row_list import RowList

LABEL_WIDTH = 17


class OptionRows(RowList):
    """One row for each option: its name, and what is chosen."""

    class Pointed(Message):
        """The cursor is on another option."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.chosen: Mapping[str, str] = {}

    @property
    def count(self) -> int:
        """How many options there are."""
        return len(OPTIONS)

    def moved(self) -> None:
        """Say so."""
        self.post_message(self.Pointed())

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """The option and its value; arrows where another can be had by a key."""
        option = OPTIONS[index]
        value = self.chosen.get(option.name, "")
        called = one_line(option.called(value), 120) or option.empty
        changed = value != (option.values[0][0] if option.values else "")
        head: Line = (("▸ " if at_cursor else "  ", "mark"), (option.label[:LABEL_WIDTH].ljust(LABEL_WIDTH), "dim"))
        arrows = ("◂ ", " ▸") if at_cursor and option.values else ("", " ▸" if at_cursor and option.screen else "")
        return fit((*head, (arrows[0], "dim"), (called, "mark" if changed else "text"), (arrows[1], "dim")), width)
