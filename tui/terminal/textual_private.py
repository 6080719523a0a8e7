"""Everything of Textual that is not public and that this program touches anyway, each with its reason.

Nothing here decides anything. When Textual moves, `tests/tui/terminal/test_textual_private.py` fails and names what to
look at; the version in pyproject.toml is exact for as long as this module is needed.
"""

# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Queue
from typing import Any, ClassVar, TextIO, cast

from textual import constants
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App, ReturnType
from textual.css.styles import StylesBase
from textual.drivers._writer_thread import WriterThread
from textual.geometry import Size
from textual.keys import Keys
from textual.message import Message
from textual.message_pump import MessagePump
from textual.notifications import Notification
from textual.screen import Screen, ScreenResultType
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets._toast import ToastRack

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


class QueueWriter(WriterThread):
    """The thread that writes to the terminal, with what it writes and where to named."""

    @property
    def queue(self) -> Queue[str | None]:
        """What is to be written; None ends the thread."""
        return self._queue

    @property
    def file(self) -> TextIO:
        """Where it is written to."""
        return cast("TextIO", self._file)


if sys.platform != "win32":
    from textual.drivers import linux_driver

    class HookedDriver(linux_driver.LinuxDriver):
        """The driver, telling of signals, and writing through a thread of our choice."""

        writer_class: ClassVar[type[QueueWriter]] = QueueWriter

        def start_application_mode(self) -> None:
            """Take the terminal."""
            linux_driver.WriterThread = self.writer_class  # the driver names it in no other way
            super().start_application_mode()

        @property
        def writer(self) -> QueueWriter | None:
            """What writes, while the terminal is ours."""
            return self._writer_thread if isinstance(self._writer_thread, QueueWriter) else None

        def close(self) -> None:
            """Let go of the terminal."""
            super().close()
            self._writer_thread = None

        def call_app_soon(self, call: Callable[[], object]) -> None:
            """Have something done on the app's loop, from any thread; nothing where that has ended."""
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(call)

        def repaint(self) -> None:
            """Draw everything again."""
            self.call_app_soon(self._app.refresh)

        @property
        def lent(self) -> bool:
            """Whether another program has the terminal, such as an editor."""
            return not self._auto_restart

        def resume_application_mode(self) -> None:
            """Take the terminal again, and tell the app."""
            self._must_signal_resume = not self.lent
            super().resume_application_mode()

        def suspend_asked(self) -> None:
            """The program is to suspend itself."""

        def _sigtstp_application(self, *_: Any) -> None:
            self.suspend_asked()

        def _sigcont_application(self, *_: Any) -> None:
            """Being continued means nothing: who suspends here also takes the terminal again."""


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


class CoveredScreen(Screen[ScreenResultType]):
    """A screen that paints only what changed while another lies over it."""

    def _compositor_refresh(self) -> None:
        super()._compositor_refresh()
        above = self.app.screen
        if above is self:
            return
        # what changed is painted by the screen above; Textual would then paint both whole at every message to this
        self._repaint_required = False
        if above._repaint_required:
            # told to paint these regions, it would forget which of its own widgets are to be painted
            above._repaint_required = False
            above._dirty_widgets.add(above)


class CatchingPump(MessagePump):
    """A part of the app whose handlers may fail: Textual's own ends the app then."""

    def caught(self, error: Exception) -> None:
        """A handler failed."""
        raise error

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            self.caught(error)


class CatchingApp(App[ReturnType]):
    """An app that is told of an exception nobody caught: Textual's own ends with a traceback on the screen."""

    def went_wrong(self, error: Exception) -> None:
        """Nobody caught this."""
        raise error

    def _handle_exception(self, error: Exception) -> None:
        self.went_wrong(error)


def notices(app: App[Any]) -> list[Notification]:
    """What the app says at the moment, the newest last."""
    return list(app._notifications)


def forget_notice(app: App[Any], notice: Notification) -> None:
    """Say something no longer; it goes from the screen when the next notice comes."""
    app._unnotify(notice, refresh=False)


def notice_space(screen: Screen[Any]) -> Widget | None:
    """What notices are shown in; Textual has no other name for it."""
    return next((widget for widget in screen.children if isinstance(widget, ToastRack)), None)


def drawn_rows(screen: Screen[Any]) -> list[Strip]:
    """What the screen shows, row by row: drawn for the terminal, and told nowhere else."""
    return screen._compositor.render_strips()


def own_actions(widget: Widget, key: str) -> list[str]:
    """The actions that a widget itself binds to a key: only the app, where the key rises to, looks them up."""
    return [binding.action for binding in widget._bindings.key_to_bindings.get(key, ()) if not binding.priority]
