"""The dialog of filters worth keeping."""

from __future__ import annotations

from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.storage.memory import recall, remember
from core.text import one_line
from core.workspace import Workspace
from tui.terminal.crash_guard import Guarded
from tui.widgets.picker import Choice, Picker

_REMEMBERED = "saved filters"
USUAL = (
    ("", "all threads"),
    ("status:finished verdict:none", "finished, to be judged"),
    ("status:finished correct:false", "wrong answers"),
    ("status:finished correct:true -verdict:reject", "right and not rejected"),
    ("status:active", "not finished"),
    ("has:stale", "with stale turns"),
    ("lint:any", "in which the checks find something"),
    ("status:finished exported:never", "finished, not yet exported"),
    ("exported:changed", "changed since they were exported"),
    ("heldout:true", "held out: never trained on"),
    ("shape:v3", "of the older v3 form; V converts them"),
    ("has:problem", "that do not open"),
)
"""Filters that everybody needs, and what they show."""


class SavedFiltersScreen(Guarded, ModalScreen[str | None]):
    """Chooses a filter. Its result is the filter's text, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "use it", show=False),
        Binding("s", "keep", "keep the present one", show=False),
        Binding("delete", "forget", "forget this one", show=False),
        Binding("escape,q,f", "dismiss", "back", show=False),
    ]

    picker = getters.query_one(Picker)

    def __init__(self, workspace: Workspace, present: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._present = present
        self._kept: list[str] = []

    def compose(self) -> ComposeResult:
        """The filters in a box."""
        with Vertical(id="dialog"):
            yield Picker(id="filters")

    def on_mount(self) -> None:
        """Show them."""
        self.query_one("#dialog").border_title = "filters"
        keep = " · s keeps the present one" if self._present else ""
        self.query_one("#dialog").border_subtitle = f"⏎ use{keep} · del forgets a kept one · esc back"
        kept = recall(self._workspace, _REMEMBERED, [])
        self._kept = [one for one in kept if isinstance(one, str)] if isinstance(kept, list) else []
        self._show()
        self.picker.focus()

    def action_take(self) -> None:
        """Use the filter under the cursor."""
        chosen = self.picker.chosen
        if chosen is not None:
            self.dismiss(self._texts()[self.picker.cursor])

    def action_keep(self) -> None:
        """Keep the present filter."""
        if self._present and self._present not in self._texts():
            self._kept.append(self._present)
            remember(self._workspace, _REMEMBERED, self._kept)
            self._show(len(self._texts()) - 1)

    def action_forget(self) -> None:
        """Forget the filter under the cursor, if it is one that was kept."""
        place = self.picker.cursor - len(USUAL)
        if 0 <= place < len(self._kept):
            del self._kept[place]
            remember(self._workspace, _REMEMBERED, self._kept)
            self._show(self.picker.cursor - 1)

    def _texts(self) -> list[str]:
        return [*(text for text, _ in USUAL), *self._kept]

    def _show(self, place: int = 0) -> None:
        usual = [Choice(text or "no filter", about) for text, about in USUAL]
        self.picker.show([*usual, *(Choice(one_line(text, 100), "kept") for text in self._kept)], place)
