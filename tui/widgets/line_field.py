"""A field for text of one line, which holds exactly what it is given and draws it safely."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from rich.highlighter import Highlighter
from rich.text import Text
from textual.binding import BindingType
from textual.events import Key, Paste
from textual.suggester import Suggester
from textual.widgets import Input

from core.text import UNSAFE, printable
from tui.local_keys import local_bindings
from tui.widgets.keys_in_order import KeysInOrder


def joiner_of(event: Key) -> str:
    """A character that a keyboard sent and that shows nothing by itself, such as a joiner; empty for any other key."""
    character = event.character or ""
    return character if len(character) == 1 and unicodedata.category(character) == "Cf" else ""


class _DrawnSafely(Highlighter):
    """Draws each character that could do something else as a visible one."""

    def highlight(self, text: Text) -> None:
        """Replace them."""
        text.plain = UNSAFE.sub(lambda match: printable(match[0]), text.plain.replace("\r", "␍").replace("\n", "␊"))


class LineField(KeysInOrder, Input):
    """A text of one line. Its `value` is exactly what was put in, and what was typed since."""

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        id: str | None = None,  # noqa: A002 - Textual's own name
        suggester: Suggester | None = None,
    ) -> None:
        super().__init__(
            value, placeholder, _DrawnSafely(), id=id, suggester=suggester, compact=True, select_on_focus=False
        )
        self.cursor_blink = False

    def on_key(self, event: Key) -> None:
        """Take what joins and separates letters, which Textual takes for no text."""
        if character := joiner_of(event):
            event.stop()
            event.prevent_default()
            self.replace(character, *self.selection)

    def on_paste(self, event: Paste) -> None:
        """Take the first line of what is pasted, as it came."""
        event.stop()
        event.prevent_default()
        self.replace(event.text.partition("\n")[0], *self.selection)


class SearchField(LineField):
    """The line in which a search is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("search_line")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(placeholder="/ search", id=id)
