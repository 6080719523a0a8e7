"""Everything of Textual that is not public and that this program touches anyway, each with its reason.

Nothing here decides anything. When Textual moves, `tests/tui/terminal/test_textual_private.py` fails and names what to
look at; the version in pyproject.toml is exact for as long as this module is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual import constants, events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.css.styles import StylesBase
from textual.drivers._writer_thread import WriterThread
from textual.geometry import Size
from textual.keys import Keys
from textual.message import Message
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

__all__ = ["WriterThread"]

KEY_SEQUENCES = ANSI_SEQUENCES_KEYS
"""What terminals send for keys, in the notation of old."""
NAMED_KITTY_KEYS = FUNCTIONAL_KEYS
"""Kitty's keys that have a name, as `13u`."""
ESCAPE_SECONDS = constants.ESCAPE_DELAY
"""After this long an ESC with nothing behind it is the escape key."""


class SequenceReader:
    """Textual's parser, fed only with whole sequences: it then never waits, and never guesses."""

    def __init__(self) -> None:
        self._parser = XTermParser()

    def sequence(self, text: str) -> Iterable[Message]:
        """The messages of one whole sequence that is known, or of plain text."""
        if text in ("\x1b", "") or text in KEY_SEQUENCES:
            return self._keys(text, alt=False)
        return self._parser.feed(text)

    def with_alt(self, character: str) -> Iterable[Message]:
        """The key of a character with alt."""
        return self._keys(character, alt=True)

    def _keys(self, text: str, *, alt: bool) -> Iterable[Message]:
        keys = self._parser._sequence_to_key_events(text, alt=alt)
        return (key for key in keys if key.key != Keys.Ignore)


def write_through(writer: type[WriterThread]) -> None:
    """Have the driver write through another kind of thread than its own, which it names in no other way."""
    from textual.drivers import linux_driver

    linux_driver.WriterThread = writer


class PlainRows(StylesCache):
    """The rows of a widget without border, padding or opacity are what it draws: nothing is looked for at each."""

    def render_line(  # pyright: ignore[reportIncompatibleMethodOverride] - the rest is only passed on
        self, styles: StylesBase, y: int, size: Size, content_size: Size, *others: Any
    ) -> Strip:
        """One row."""
        _padding, _under, _background, draw, _title, _subtitle, opacity, *_ = others
        if size != content_size or opacity != 1:
            return super().render_line(styles, y, size, content_size, *others)
        return draw(y).adjust_cell_length(size.width)


def draw_plain_rows(widget: ScrollView) -> None:
    """Draw a widget's rows, and its scrollbar's, as `PlainRows`: two thirds of the time that a row takes."""
    widget._styles_cache = PlainRows()
    widget.vertical_scrollbar._styles_cache = PlainRows()


def forget_drawn(widget: Widget) -> None:
    """Have a widget's frame drawn again: Textual keeps what it drew of it, and sees no need."""
    widget._styles_cache.clear()


def show_scrolled(widget: ScrollView, size: Size) -> None:
    """Put the scrollbar right for another size of what is scrolled, without the screen being laid out again."""
    widget._scroll_update(size)


def leave_unpainted(screen: Screen[Any]) -> None:
    """A screen below another is painted by that one; Textual would paint both whole at every message to it."""
    screen._repaint_required = False


def drawn_rows(screen: Screen[Any]) -> list[Strip]:
    """What the screen shows, row by row: drawn for the terminal, and told nowhere else."""
    return screen._compositor.render_strips()
