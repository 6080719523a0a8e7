"""The dialog of filters worth keeping."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.errors import SensorloomError
from core.storage.memory import recall, update
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
        self._own: list[str] = []

    def compose(self) -> ComposeResult:
        """The filters in a box."""
        with Vertical(id="dialog"):
            yield Picker(id="filters")

    def on_mount(self) -> None:
        """Show them."""
        self.query_one("#dialog").border_title = "filters"
        keep = " · s keeps the present one" if self._present else ""
        self.query_one("#dialog").border_subtitle = f"⏎ use{keep} · del forgets a kept one · esc back"
        self._show()
        self.picker.focus()
        self.run_worker(self._load, thread=True)

    def _load(self) -> None:
        texts = _texts_in(recall(self._workspace, _REMEMBERED))
        self.app.call_from_thread(self._remembered, texts, self.picker.cursor)

    def action_take(self) -> None:
        """Use the filter under the cursor."""
        chosen = self.picker.chosen
        if chosen is not None:
            self.dismiss(self._texts()[self.picker.cursor])

    def action_keep(self) -> None:
        """Keep the present filter."""
        if self._present and self._present not in self._texts():
            change = partial(_with, text=self._present)
            self.run_worker(partial(self._change, change, len(self._texts())), thread=True)

    def action_forget(self) -> None:
        """Forget the filter under the cursor, if it is one that was kept."""
        cursor = self.picker.cursor
        if len(USUAL) <= cursor < len(self._texts()):
            change = partial(_without, text=self._texts()[cursor])
            self.run_worker(partial(self._change, change, cursor - 1), thread=True)

    def _change(self, change: Callable[[Any], list[str]], cursor: int) -> None:
        try:
            texts = update(self._workspace, _REMEMBERED, change)
        except SensorloomError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error", markup=False)
        else:
            self.app.call_from_thread(self._remembered, texts, cursor)

    def _remembered(self, texts: list[str], cursor: int) -> None:
        self._own = texts
        self._show(cursor)

    def _texts(self) -> list[str]:
        return [*(text for text, _ in USUAL), *self._own]

    def _show(self, cursor: int = 0) -> None:
        usual = [Choice(text or "no filter", about) for text, about in USUAL]
        self.picker.show([*usual, *(Choice(one_line(text, 100), "kept") for text in self._own)], cursor)


def _texts_in(value: Any) -> list[str]:
    """The filters in what was remembered; older versions may have left something else there."""
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _with(value: Any, text: str) -> list[str]:
    return list(dict.fromkeys([*_texts_in(value), text]))


def _without(value: Any, text: str) -> list[str]:
    return [other for other in _texts_in(value) if other != text]
