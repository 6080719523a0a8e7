"""By what the list is sorted."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.listing.order import SORTS
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.picker import Choice, Picker


class SortScreen(Guarded, ModalScreen[tuple[str, bool] | None]):
    """Chooses an order. Its result is the order's name and whether it is turned round, or None."""

    DEFAULT_CSS = "SortScreen #dialog { width: 48; }  SortScreen #orders { height: 20; }"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("sort")]

    def __init__(self, sort: str, turned: bool) -> None:
        super().__init__()
        self._sort = sort
        self._turned = turned

    def compose(self) -> ComposeResult:
        """The orders in a box."""
        with Vertical(id="dialog"):
            yield Picker(id="orders")

    def on_mount(self) -> None:
        """Begin at the present one; the key that opened this goes on."""
        self.query_one("#dialog").border_title = "sort"
        self.query_one("#dialog").border_subtitle = keys_of(self).hints(
            "sort.take", "sort.turned", "sort.next", "sort.back"
        )
        now = "now, turned round" if self._turned else "now"
        choices = [Choice(order.label, now if name == self._sort else "") for name, order in SORTS.items()]
        picker = self.query_one(Picker)
        picker.show(choices, list(SORTS).index(self._sort))
        picker.focus()

    def action_next(self) -> None:
        """Go to the next one."""
        picker = self.query_one(Picker)
        picker.move_to((picker.cursor + 1) % picker.count)

    def action_take(self, turned: bool) -> None:
        """Sort by the one under the cursor; turned round once more where it is that already."""
        sort = list(SORTS)[self.query_one(Picker).cursor]
        self.dismiss((sort, turned and not (sort == self._sort and self._turned)))
