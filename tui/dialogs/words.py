"""Choosing words by a key each, and typing what no key stands for: reasons with a note, tags with further ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen

from core.text import one_line, printable
from tui.dialogs.ask import BOX
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.line_field import LineField
from tui.widgets.plain import Plain, plain

COLUMNS_FROM = 9
"""So many words or more stand in two columns."""


@dataclass(frozen=True, slots=True)
class Words:
    """What was chosen, and what was typed."""

    chosen: tuple[str, ...]
    """In the order they are offered."""
    text: str


class _Offered(Plain, can_focus=True):
    """The words with their keys; takes the keys while it has the focus."""


class WordsScreen(Guarded, ModalScreen[Words | None]):
    """Each word is chosen, or left, by its key; a further one goes to the field and back, one takes it, one nothing."""

    DEFAULT_CSS = f"WordsScreen {{ {BOX} #typed {{ margin-top: 1; }} }}"
    AUTO_FOCUS = "#offered, #typed"
    """The first of them that can have it: without words there is nothing to do but type."""
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("words")]

    def __init__(self, title: str, offered: Mapping[str, str], chosen: tuple[str, ...], typed: str, text: str) -> None:
        """Asks.

        Args:
            title: what for.
            offered: key to word.
            chosen: the words that are chosen at first; those that no key stands for stay chosen.
            typed: what the field is for, in a few words.
            text: what the field holds at first.
        """
        super().__init__()
        self._title = title
        self._words = offered
        self._chosen = set(chosen)
        self._beyond = tuple(word for word in chosen if word not in offered.values())
        self._typed = typed
        self._text = text

    def compose(self) -> ComposeResult:
        """The words, a line each, and the field."""
        with Vertical(id="ask") as box:
            box.border_title = plain(self._title)  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup
            keys = keys_of(self)
            each = f"a key each · {keys.hints('words.type', in_words=True)} · " if self._words else ""
            box.border_subtitle = each + keys.hints("words.take", "words.leave", in_words=True)
            offered = _Offered(self._lines(), id="offered")
            offered.can_focus = bool(self._words)
            yield offered
            yield LineField(self._text, placeholder=self._typed, id="typed")

    def on_key(self, event: Key) -> None:
        """Choose a word by its key, or leave it."""
        word = self._words.get(event.character or "")
        if word is not None and not self.query_one(LineField).has_focus:
            event.stop()
            self._chosen ^= {word}
            self.query_one(_Offered).show(self._lines())

    def on_input_submitted(self) -> None:
        """Take it from the field, too."""
        self.action_take()

    def action_take(self) -> None:
        """Answer with what is chosen and typed."""
        chosen = [word for word in dict.fromkeys((*self._words.values(), *self._beyond)) if word in self._chosen]
        self.dismiss(Words(tuple(chosen), self.query_one(LineField).value.strip()))

    def _lines(self) -> Content:
        words = [self._line(key, word) for key, word in self._words.items()]
        if len(words) >= COLUMNS_FROM:
            half = (len(words) + 1) // 2
            wide = max(line.cell_length for line in words) + 4
            pairs = zip(words[:half], [*words[half:], Content("")], strict=False)
            words = [left.pad_right(wide - left.cell_length) + right for left, right in pairs]
        return Content("\n").join(words) if words else Content.styled("none yet to choose from: type the first", "dim")

    def _line(self, key: str, word: str) -> Content:
        is_chosen = word in self._chosen
        return Content.assemble(
            Content.styled(f" {printable(key)} ", "bold $text-accent"),
            "■ " if is_chosen else "□ ",
            Content.styled(one_line(word, 30), "bold" if is_chosen else ""),
        )
