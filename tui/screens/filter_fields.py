"""Every field of the filter language with an example, to choose one from."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.filters.reference import GRAMMAR, call_fields, fields
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.picker import Choice, Picker
from tui.widgets.plain import Plain


class FilterFieldsScreen(Guarded, ModalScreen[str | None]):
    """Lists them. Its result is an example to go on from, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("fields")]

    def __init__(self) -> None:
        super().__init__()
        self._entries = [*fields(), *call_fields(), *GRAMMAR]

    def compose(self) -> ComposeResult:
        """The fields in a box, and what the one under the cursor is for."""
        with Vertical(id="dialog"):
            yield Picker(id="fields")
            yield Plain(id="about")

    def on_mount(self) -> None:
        """Fill it."""
        self.query_one("#dialog").border_title = "fields of a filter, each with an example"
        keys = keys_of(self)
        moves = f"{keys['move.down']} {keys['move.up']}"
        self.query_one("#dialog").border_subtitle = f"{moves} · {keys.hints('fields.take', 'fields.back')}"
        picker = self.query_one(Picker)
        picker.show([Choice(entry.example, entry.about) for entry in self._entries])
        picker.focus()
        self._tell()

    @on(Picker.Picked)
    def _tell(self) -> None:
        """Say all of what the field under the cursor is for, which its row may have no room for."""
        self.query_one("#about", Plain).show(self._entries[self.query_one(Picker).cursor].about)

    def action_take(self) -> None:
        """Use the example under the cursor."""
        self.dismiss(self._entries[self.query_one(Picker).cursor].example)
