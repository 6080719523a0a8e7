"""What can be chosen in a dialog, a row for each: its name, and what is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.message import Message

from core.text import one_line
from tui.widgets.lines import Line, fit
from tui.widgets.row_list import RowList

LABEL_WIDTH = 17
SHARE, WIDE_SHARE = 0.38, 0.58
"""The most that the rows take of the screen's height: above a preview, and beside one."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be chosen."""

    name: str
    label: str
    about: str
    """What it does, in one line."""
    values: tuple[tuple[str, str], ...] = ()
    """Values in their order, each with what it is called."""
    asks: str = ""
    """What is asked for when the value is typed; empty when only `values` will do."""
    empty: str = ""
    """What no value is called."""
    screen: bool = False
    """Whether it is chosen on a screen of its own, and remembered by the workspace rather than part of the request."""

    @property
    def steps(self) -> bool:
        """Whether a key leads from one value to the next."""
        return len(self.values) > 1 and not self.screen

    def called(self, value: str) -> str:
        """A value as a person reads it."""
        return dict(self.values).get(value, value)

    def after(self, value: str, step: int) -> str:
        """The next value, or the one before; a typed one leads to the first."""
        names = [name for name, _ in self.values]
        if not names:
            return value
        return names[(names.index(value) + step) % len(names)] if value in names else names[0]


class OptionRows(RowList):
    """One row for each option: its name, and what is chosen."""

    class Pointed(Message):
        """The cursor is on another option."""

    def __init__(self, options: Sequence[Option] = (), *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.options = options
        self.chosen: Mapping[str, str] = {}
        self._room: int | None = None

    def on_mount(self) -> None:
        """As high as its rows, up to what the dialog leaves."""
        self._as_high_as_its_rows()

    def on_resize(self) -> None:
        """Another terminal leaves it another height."""
        self._as_high_as_its_rows()

    def leave(self, room: int) -> None:
        """The dialog leaves it so many rows."""
        self._room = room
        self._as_high_as_its_rows()

    def _as_high_as_its_rows(self) -> None:
        share = int(self.app.size.height * (WIDE_SHARE if self.screen.has_class("-wide") else SHARE))
        rows = max(1, min(self.count, share, share if self._room is None else max(3, self._room)))
        height = self.styles.height
        if height is None or height.value != rows:
            self.styles.height = rows

    @property
    def option(self) -> Option:
        """The one under the cursor."""
        return self.options[self.cursor]

    def show(self, options: Sequence[Option], chosen: Mapping[str, str]) -> None:
        """Show other options, the cursor on the one that it was on."""
        name = self.options[self.cursor].name if self.options else ""
        at = next((at for at, option in enumerate(options) if option.name == name), self.cursor)
        self.options, self.chosen, self.cursor = options, chosen, at
        self._as_high_as_its_rows()
        self.rows_changed()

    @property
    def count(self) -> int:
        """How many options there are."""
        return len(self.options)

    def moved(self) -> None:
        """Say so."""
        self.post_message(self.Pointed())

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """The option and its value; arrows where another can be had by a key."""
        option = self.options[index]
        value = self.chosen.get(option.name, "")
        called = one_line(option.called(value), 120) or option.empty
        changed = value != (option.values[0][0] if option.values else "")
        head: Line = (("▸ " if at_cursor else "  ", "mark"), (option.label[:LABEL_WIDTH].ljust(LABEL_WIDTH), "dim"))
        typed = option.screen or (option.asks and not option.steps)
        arrows = ("", "") if not at_cursor else ("", " ▸") if typed else ("◂ ", " ▸") if option.steps else ("", "")
        return fit((*head, (arrows[0], "dim"), (called, "mark" if changed else "text"), (arrows[1], "dim")), width)
