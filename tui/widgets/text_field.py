"""A field for text of several lines, which holds exactly what it is given and draws it safely.

Text may hold characters that a terminal obeys or a reader cannot see: a joined emoji, the joiners of Persian and Hindi,
ESC. Textual's fields draw them as they are, and split lines at more of them than JSON does. So what is held in their
place are characters for private use, one for each, that are drawn as a visible sign and turned back when text is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rich.color import ColorParseError
from rich.text import Text
from textual.events import Key, Paste
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from core.text import UNSAFE, UNSAFE_RANGES, printable
from tui.keys import ActionId
from tui.local_keys import keys_of
from tui.widgets.keys_in_order import KeysInOrder
from tui.widgets.line_field import joiner_of

_UNSAFE_CODES = [code for first, last in UNSAFE_RANGES for code in range(ord(first), ord(last) + 1)]
_FIRST = 0x100000
"""The first of the characters for private use that stand for others; the last one only marks."""
_LITERAL = chr(_FIRST + len(_UNSAFE_CODES))
"""What comes after this mark stands for itself: a text may hold these characters, too."""
_HELD = {chr(code): chr(_FIRST + number) for number, code in enumerate(_UNSAFE_CODES)}
_MEANT = {held: character for character, held in _HELD.items()}
_DRAWN = {ord(held): printable(character) for held, character in _MEANT.items()} | {ord(_LITERAL): "·"}
_STAND_IN = re.compile(f"{_LITERAL}([{chr(_FIRST)}-{_LITERAL}])|[{chr(_FIRST)}-{_LITERAL}]")
_TO_HOLD = re.compile(f"[{chr(_FIRST)}-{_LITERAL}]|{UNSAFE.pattern}")


MOST_PASTED = 500_000
"""Characters of a paste that a field takes: with 3 MB nothing was drawn for eight seconds, and then each key took a
third of one."""


def held(text: str) -> str:
    """Text as a field holds it; `meant` gives it back, character by character."""
    return _TO_HOLD.sub(lambda match: _HELD.get(match[0]) or _LITERAL + match[0], text)


def meant(text: str) -> str:
    """The text that a field's own stands for, whatever was typed into or taken out of it."""
    if text.isascii():
        return text
    return _STAND_IN.sub(lambda match: match[1] or _MEANT.get(match[0], match[0]), text)


class TextField(KeysInOrder, TextArea):
    """A text of several lines. Its `text` is exactly what was put in, and what was typed since."""

    @dataclass
    class TooMuch(Message):
        """More was pasted than the field takes; it is for the app to keep it."""

        pasted: str

    def __init__(self, text: str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(held(text), id=id, classes=classes, compact=True, tab_behavior="focus", soft_wrap=True)
        self.cursor_blink = False
        self.highlight_cursor_line = False

    @property
    def text(self) -> str:
        """The text, character by character."""
        return meant(super().text)

    @text.setter
    def text(self, value: str) -> None:
        self.load_text(held(value))

    @property
    def selected_text(self) -> str:
        """The text that is selected, as it is copied."""
        return meant(super().selected_text)

    def get_line(self, line_index: int) -> Text:
        """A line as it is drawn: each character that could do something else is a visible one."""
        return Text(self.document.get_line(line_index).translate(_DRAWN), end="", no_wrap=True)

    def on_key(self, event: Key) -> None:
        """Take what joins and separates letters, which Textual takes for no text."""
        if character := joiner_of(event):
            event.stop()
            event.prevent_default()
            self.replace(held(character), *self.selection)

    def on_paste(self, event: Paste) -> None:
        """Take pasted text as it came; leave what would stop the screen to the app."""
        event.stop()
        if len(event.text) > MOST_PASTED:
            event.prevent_default()
            self.post_message(self.TooMuch(event.text))
            return
        event.text = held(event.text)

    def action_paste(self) -> None:
        """Take the clipboard as it is."""
        if not self.read_only:
            edit = self.replace(held(self.app.clipboard), *self.selection)
            self.move_cursor(edit.end_location)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the rows of a region; nothing while the field is taken off the screen and has no styles any more."""
        try:
            return super().render_lines(crop)
        except (KeyError, ColorParseError):
            return [Strip.blank(crop.width)] * crop.height


class AnswerField(TextField):
    """A text that a key such as `enter` does not break but ends, after the letters that came before it: a binding with
    priority would act before letters that arrive in one go with it."""

    def __init__(
        self,
        text: str = "",
        *,
        takes: ActionId,
        entered: Callable[[], object],
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        """Args: `entered` is called at the keys of the action `takes`."""
        super().__init__(text, id=id)
        self._takes: ActionId = takes
        self._entered = entered

    def on_mount(self) -> None:
        """Begin at the text's end."""
        self.move_cursor(self.document.end)
        self.focus()

    async def _on_key(self, event: Key) -> None:
        if keys_of(self).is_key_of(self._takes, event.key):
            event.stop()
            event.prevent_default()
            self._entered()
