"""Two lists to choose from: one of many, and several of many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.text import one_line
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.lines import Line, fit
from tui.widgets.picker import Choice, Picker
from tui.widgets.plain import plain
from tui.widgets.row_list import RowList

BOX = """
    #dialog { width: 76; }
    #choices { height: auto; min-height: 3; max-height: 16; }
"""


class ListedScreen(Guarded, ModalScreen[int | None]):
    """Its result is the number of the choice, or None."""

    DEFAULT_CSS = f"ListedScreen {{ {BOX} }}"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("listed")]

    picker = getters.query_one(Picker)

    def __init__(self, title: str, choices: Sequence[Choice], at: int = 0) -> None:
        """Args: `at` is the choice that the cursor is on at first."""
        super().__init__()
        self._title = title
        self._choices = choices
        self._at = at

    def compose(self) -> ComposeResult:
        """The choices in a box."""
        with Vertical(id="dialog") as box:
            box.border_title = plain(self._title)  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup
            box.border_subtitle = keys_of(self).hints("listed.take", "listed.back")
            yield Picker(id="choices")

    def on_mount(self) -> None:
        """Show them."""
        self.picker.styles.height = max(3, min(16, len(self._choices)))
        self.picker.show(self._choices, self._at)
        self.picker.focus()

    def action_take(self) -> None:
        """Answer with the choice under the cursor."""
        self.dismiss(self.picker.cursor if self._choices else None)


class TickRows(RowList):
    """Names, a filled box before those that are ticked."""

    def __init__(self, names: Sequence[str], ticked: Collection[str]) -> None:
        super().__init__(id="choices")
        self.names = names
        self.ticked = {*ticked}

    @property
    def count(self) -> int:
        """How many names there are."""
        return len(self.names)

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """The box, and the name."""
        name = self.names[index]
        head: Line = (("▸ " if at_cursor else "  ", "mark"), ("■ " if name in self.ticked else "□ ", "mark"))
        return fit((*head, (one_line(name, 200), "text")), width)


class TicksScreen(Guarded, ModalScreen[tuple[str, ...] | None]):
    """Its result is the names that are ticked, or None."""

    DEFAULT_CSS = f"TicksScreen {{ {BOX} }}"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("ticks")]

    rows = getters.query_one(TickRows)

    def __init__(self, title: str, names: Sequence[str], ticked: Collection[str]) -> None:
        super().__init__()
        self._title = title
        self._rows = TickRows(names, ticked)

    def compose(self) -> ComposeResult:
        """The names in a box."""
        with Vertical(id="dialog") as box:
            box.border_title = plain(self._title)  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup
            box.border_subtitle = keys_of(self).hints("ticks.tick", "ticks.take", "ticks.back")
            yield self._rows

    def on_mount(self) -> None:
        """Show them."""
        self.rows.styles.height = max(3, min(16, self.rows.count))
        self.rows.empty = "there is nothing to choose"
        self.rows.rows_changed()
        self.rows.focus()

    def action_tick(self) -> None:
        """Tick the name under the cursor, or take the tick away."""
        if self.rows.count:
            self.rows.ticked ^= {self.rows.names[self.rows.cursor]}
            self.rows.refresh()

    def action_take(self) -> None:
        """Answer with the names that are ticked."""
        self.dismiss(tuple(name for name in self.rows.names if name in self.rows.ticked))
