"""Every field of the filter language with an example, to choose one from."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.filters.reference import GRAMMAR, call_fields, fields
from tui.terminal.crash_guard import Guarded
from tui.widgets.picker import Choice, Picker


class FilterFieldsScreen(Guarded, ModalScreen[str | None]):
    """Lists them. Its result is an example to go on from, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "use it", show=False),
        Binding("escape,q,question_mark,f2", "dismiss(None)", "back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._entries = [*fields(), *call_fields(), *GRAMMAR]

    def compose(self) -> ComposeResult:
        """The fields in a box."""
        with Vertical(id="dialog"):
            yield Picker(id="fields")

    def on_mount(self) -> None:
        """Fill it."""
        self.query_one("#dialog").border_title = "fields of a filter, each with an example"
        self.query_one("#dialog").border_subtitle = "j k · ⏎ puts it into the line · esc back"
        picker = self.query_one(Picker)
        picker.show([Choice(entry.example, entry.about) for entry in self._entries])
        picker.focus()

    def action_take(self) -> None:
        """Use the example under the cursor."""
        self.dismiss(self._entries[self.query_one(Picker).cursor].example)
