"""A list to choose one of many from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.message import Message

from core.text import one_line
from tui.widgets.lines import Line, fit
from tui.widgets.row_list import RowList
from tui.widgets.short_labels import shortened


@dataclass(frozen=True, slots=True)
class Choice:
    """One row: what is chosen, and a word or two beside it."""

    text: str
    beside: str = ""


class Picker(RowList):
    """Any number of choices, one of them under the cursor."""

    @dataclass
    class Picked(Message):
        """The cursor is on another choice."""

        index: int

    def __init__(self, choices: Sequence[Choice] = (), *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.choices = choices
        self._longest = _longest(choices)
        self._texts = frozenset(one_line(choice.text) for choice in choices)

    @property
    def count(self) -> int:
        """How many choices there are."""
        return len(self.choices)

    @property
    def chosen(self) -> Choice | None:
        """The choice under the cursor."""
        return self.choices[self.cursor] if self.choices else None

    def show(self, choices: Sequence[Choice], index: int = 0) -> None:
        """Show other choices, with the cursor on one of them."""
        self.choices = choices
        self._longest = _longest(choices)
        self._texts = frozenset(one_line(choice.text) for choice in choices)
        self.cursor = index
        self.rows_changed()

    def moved(self) -> None:
        """Say so."""
        self.post_message(self.Picked(self.cursor))

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """The choice, and what stands beside it in a column of its own."""
        return choice_line(self.choices[index], at_cursor, width, self._longest, self._texts)


def choice_line(choice: Choice, at_cursor: bool, width: int, longest: int, texts: frozenset[str]) -> Line:
    """A choice in so many columns. A long one is shortened in its middle, to be told from the other `texts`.

    Args:
        choice: what is chosen.
        at_cursor: whether it is under the cursor.
        width: columns there are.
        longest: columns of the longest choice, beside which the second column stands.
        texts: of all choices.
    """
    sign, beside = "▸ " if at_cursor else "  ", one_line(choice.beside)
    room = max(width * 3 // 5, width - 4 - cell_len(beside)) if beside else width - 2
    text = shortened(one_line(choice.text), room, texts)
    gap = max(2, min(longest, width * 2 // 5) + 2 - cell_len(text))
    right: Line = ((" " * gap, "text"), (beside, "dim")) if beside else ()
    return fit(((sign, "mark"), (text, "text"), *right), width)


def _longest(choices: Sequence[Choice]) -> int:
    """Columns of the longest choice."""
    return max((cell_len(one_line(choice.text)) for choice in choices), default=0)
