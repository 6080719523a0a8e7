"""The dialog of filters worth keeping."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.errors import SensorloomError
from core.filters.saved import SavedFilter, forget_filter, keep_filter, saved_filters
from core.text import one_line
from core.workspace import Workspace
from tui.dialogs.ask import AskTextScreen
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.picker import Choice, Picker

V3 = "shape:v3"
USUAL = (
    ("", "all threads"),
    ("status:finished verdict:none", "finished, to be judged"),
    ("status:finished correct:false", "wrong answers"),
    ("status:finished correct:true -verdict:reject", "right and not rejected"),
    ("status:finished verdict:accept", "accepted"),
    ("status:active", "not finished"),
    ("has:stale", "with stale turns"),
    ("lint:any", "in which the checks find something"),
    ("status:finished exported:never", "finished, not yet exported"),
    ("exported:changed", "changed since they were exported"),
    ("heldout:true", "held out: never trained on"),
    (V3, "of the older v3 form"),
    ("has:problem", "that do not open"),
)
"""Filters that everybody needs, and what they show."""


class SavedFiltersScreen(Guarded, ModalScreen[str | None]):
    """Chooses a filter. Its result is the filter's text, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("saved")]

    picker = getters.query_one(Picker)

    def __init__(self, workspace: Workspace, present: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._present = present
        self._own: list[SavedFilter] = []

    def compose(self) -> ComposeResult:
        """The filters in a box."""
        with Vertical(id="dialog"):
            yield Picker(id="filters")

    def on_mount(self) -> None:
        """Show them."""
        self.query_one("#dialog").border_title = "filters"
        keys = keys_of(self)
        keep = f" · {keys.hints('saved.keep')}" if self._present else ""
        others = keys.hints("saved.forget", "saved.back")
        self.query_one("#dialog").border_subtitle = f"{keys.hints('saved.take')} · 1-9 a kept one{keep} · {others}"
        self._show()
        self.picker.focus()
        self.run_worker(self._load, thread=True)

    def _load(self) -> None:
        filters = saved_filters(self._workspace)
        self.app.call_from_thread(self._remembered, filters, self.picker.cursor)

    def action_take(self) -> None:
        """Use the filter under the cursor."""
        chosen = self.picker.chosen
        if chosen is not None:
            self.dismiss(self._texts()[self.picker.cursor])

    def action_use(self, number: int) -> None:
        """Use the kept filter of this number."""
        if number <= len(self._own):
            self.dismiss(self._own[number - 1].text)

    def action_keep(self) -> None:
        """Keep the present filter, under a name if it is given one."""
        present = self._present
        if not present or present in (text for text, _ in USUAL):
            return

        def named(name: str | None) -> None:
            if name is not None:
                cursor = self._texts().index(present) if present in self._texts() else len(self._texts())
                self._change(partial(keep_filter, self._workspace, present, one_line(name, 60)), cursor)

        name = next((saved.name for saved in self._own if saved.text == present), "")
        self.app.push_screen(AskTextScreen("a name for this filter, or none", name), named)

    def action_forget(self) -> None:
        """Forget the filter under the cursor, if it is one that was kept."""
        cursor = self.picker.cursor
        if len(USUAL) <= cursor < len(self._texts()):
            self._change(partial(forget_filter, self._workspace, self._texts()[cursor]), cursor - 1)

    def _change(self, change: Callable[[], list[SavedFilter]], cursor: int) -> None:
        def work() -> None:
            try:
                filters = change()
            except SensorloomError as error:
                self.app.call_from_thread(self.notify, str(error), severity="error", markup=False)
            else:
                self.app.call_from_thread(self._remembered, filters, cursor)

        self.run_worker(work, thread=True)

    def _remembered(self, filters: list[SavedFilter], cursor: int) -> None:
        self._own = filters
        self._show(cursor)

    def _texts(self) -> list[str]:
        return [*(text for text, _ in USUAL), *(saved.text for saved in self._own)]

    def _show(self, cursor: int = 0) -> None:
        converts = f"; {keys_of(self)['threads.migrate']} converts them"
        usual = [Choice(text or "no filter", about + (converts if text == V3 else "")) for text, about in USUAL]
        own = [
            Choice(one_line(saved.text, 100), f"{saved.name or 'kept'} {number}")
            for number, saved in enumerate(self._own, 1)
        ]
        self.picker.show([*usual, *own], cursor)
