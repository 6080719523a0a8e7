"""The field in which a filter is typed: completes, goes through earlier ones, and asks for help."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.events import Key
from textual.widgets.input import Selection

from tui.local_keys import local_bindings
from tui.widgets.filter_suggester import FilterSuggester
from tui.widgets.line_field import LineField

if TYPE_CHECKING:
    from core.filters.completions import Values


class FilterField(LineField):
    """A line of the filter language. What its keys set off is decided by whoever owns it."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("filter_line")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(placeholder="/ filter", id=id, suggester=FilterSuggester(lambda: self.values))
        self.values: Values = {}
        """The words that occur in the folder, for completing them."""
        self.recall: Callable[[int], None] = lambda _step: None
        """Goes so many filters back in what was typed before."""
        self.cleared: Callable[[], None] = lambda: None
        self.asked: Callable[[], None] = lambda: None
        """Told that somebody wants to know the fields."""
        self.moved: Callable[[], None] = lambda: None
        """Told that the cursor is elsewhere, or the text is other."""

    def watch_selection(self, _before: Selection, _after: Selection) -> None:
        """Say that the cursor is elsewhere."""
        self.moved()

    def put_word(self, text: str) -> None:
        """Put a word in the place of the one that ends at the cursor."""
        from core.filters.explaining import word_at

        start = word_at(self.value, self.cursor_position).start
        self.replace(text, start, self.cursor_position)

    def action_complete(self) -> None:
        """Complete the word at the cursor as far as is certain: wholly where one thing fits."""
        from core.filters.completions import completions

        if fitting := completions(self.value[: self.cursor_position], self.values):
            self.put_word(fitting[0])

    def action_earlier(self) -> None:
        """Bring back what was typed before."""
        self.recall(1)

    def action_later(self) -> None:
        """Bring back what was typed after that."""
        self.recall(-1)

    def action_clear(self) -> None:
        """Take the filter away."""
        self.value = ""
        self.cleared()

    def on_key(self, event: Key) -> None:
        """List the fields at a `?` where a term may begin; elsewhere it stands for any letter."""
        from core.filters.explaining import word_at

        if event.character == "?" and not word_at(self.value, self.cursor_position).text:
            event.stop()
            event.prevent_default()
            self.asked()

    def action_list_fields(self) -> None:
        """List the fields."""
        self.asked()
