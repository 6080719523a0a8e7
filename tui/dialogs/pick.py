"""Choosing one of many by typing a part of it, or something new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.dialogs.ask import BOX
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.line_field import LineField
from tui.widgets.picker import Choice, Picker
from tui.widgets.plain import plain


def fitting_choices(choices: Sequence[str], typed: str, new: bool) -> list[str]:
    """The choices that a text is in, those that begin with it first; the text itself last, where it may be new."""
    wanted = typed.strip().casefold()
    having = [choice for choice in choices if wanted in choice.casefold()]
    rows = sorted(having, key=lambda choice: not choice.casefold().startswith(wanted))
    return [*rows, typed.strip()] if new and wanted and typed.strip() not in choices else rows


class PickScreen(Guarded, ModalScreen[str | None]):
    """Asks for one of these texts. Its result is the text, or None."""

    DEFAULT_CSS = f"PickScreen {{ {BOX} #choices {{ height: 12; margin-top: 1; }} }}"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("pick")]

    picker = getters.query_one(Picker)

    def __init__(self, title: str, choices: Sequence[str], *, new: bool = False) -> None:
        """Args: `new` lets a text be taken that is none of the choices."""
        super().__init__()
        self._title = title
        self._choices = choices
        self._new = new
        self._rows: list[str] = list(choices)

    def compose(self) -> ComposeResult:
        """A field, and what fits what is typed there."""
        with Vertical(id="ask") as box:
            box.border_title = plain(self._title)  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup
            box.border_subtitle = keys_of(self).hints(
                "pick.take", ("pick.previous", "pick.next"), "pick.leave", in_words=True
            )
            yield LineField(placeholder="a part of its name, or a new one" if self._new else "a part of its name")
            picker = Picker([Choice(choice) for choice in self._choices], id="choices")
            picker.can_focus = False
            yield picker

    def on_mount(self) -> None:
        """Say what stands there where nothing fits."""
        self.picker.empty = "nothing fits"

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        """Show what fits what is typed."""
        self._rows = fitting_choices(self._choices, event.value, self._new)
        known = set(self._choices)
        self.picker.show([Choice(row, "" if row in known else "new") for row in self._rows])

    def action_step(self, step: int) -> None:
        """To another row."""
        if self._rows:
            self.picker.show(self.picker.choices, (self.picker.cursor + step) % len(self._rows))

    def action_take(self) -> None:
        """Answer with the row under the cursor."""
        if self._rows:
            self.dismiss(self._rows[self.picker.cursor])
