"""Textual's driver for a terminal that may send noise, be suspended, stall, or go away at any moment.

Textual's own waits for a writer that died, starts a second reader and writer at every SIGCONT, and shows a traceback
when reading fails: after a hang-up it stays for ever. Here nothing waits for a terminal that is gone.
"""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from queue import Empty, Full
from threading import Event
from typing import TextIO

from textual.driver import Driver
from textual.events import Paste
from textual.message import Message

from tui.terminal.input_door import ASK_BACKGROUND, Arrival, InputDoor
from tui.terminal.textual_private import (
    ESCAPE_SECONDS,
    KEY_SEQUENCES,
    NAMED_KITTY_KEYS,
    QueueWriter,
    SequenceReader,
)

LOOK_SECONDS = 0.1
"""How often the reader looks whether it is to end, and whether an ESC has stayed alone."""
HURRY_SECONDS = 1.0
"""So long a stalled terminal is waited for once the program was told to end."""
CONTINUED_SECONDS = 0.5
"""The kernel ignores the suspension of a program that nobody could continue; after this long that has happened."""


_CANNOT_ANSWER = ("linux", "dumb")
"""Terminals that have no answer, and of which older ones would show the question."""


class BackgroundAnswered(Message):
    """The terminal said which colour its background has."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self.colour = colour


class TerminalWriter(QueueWriter):
    """Writes to the terminal until that is gone; what is written later is dropped, and nobody waits."""

    def __init__(self, file: TextIO) -> None:
        super().__init__(file)
        self._gone = Event()
        self._deadline = float("inf")

    def hurry(self) -> None:
        """From now on wait for a stalled terminal only a moment more."""
        self._deadline = min(self._deadline, time.monotonic() + HURRY_SECONDS)

    def write(self, text: str) -> None:
        """Write text; a terminal that does not take it is waited for, one that is gone is not."""
        self._put(text)

    def _put(self, text: str | None) -> None:
        while not self._gone.is_set():
            try:
                return self.queue.put(text, timeout=LOOK_SECONDS)
            except Full:
                if time.monotonic() > self._deadline:
                    self._gone.set()

    def run(self) -> None:
        """Write what comes, as much at once as there is. Without Python's buffers: their locks outlive a stall."""
        encoding, errors = self.file.encoding or "utf-8", self.file.errors or "backslashreplace"
        descriptor = self.file.fileno()
        ending = False
        while not ending:
            texts = [self.queue.get()]
            try:
                while True:
                    texts.append(self.queue.get_nowait())
            except Empty:
                pass
            ending = None in texts
            data = "".join(text for text in texts if text is not None).encode(encoding, errors)
            try:
                while data:
                    data = data[os.write(descriptor, data) :]
            except OSError:
                self._gone.set()
                return

    def stop(self) -> None:
        """Write what is left, and end; a terminal that is gone or stalled is not waited for."""
        self.hurry()
        self._put(None)
        while self.is_alive() and not self._gone.is_set() and time.monotonic() <= self._deadline:
            self.join(LOOK_SECONDS)


if sys.platform != "win32":
    from tui.terminal.textual_private import HookedDriver

    class GuardedDriver(HookedDriver):
        """Reads through the door, writes without waiting for the dead, and is continued only where it was suspended."""

        writer_class = TerminalWriter
        hung_up: Callable[[], object]
        """Called on the app's loop when the terminal is gone or the program is told to end."""
        _told = False

        def start_application_mode(self) -> None:
            """Take the terminal, and hear when it goes away."""
            _wait_for_foreground(self.fileno)
            super().start_application_mode()
            for number in (signal.SIGHUP, signal.SIGTERM):
                signal.signal(number, self._hang_up)
            if os.environ.get("TERM") not in _CANNOT_ANSWER:
                self.write(ASK_BACKGROUND)

        def write(self, data: str) -> None:
            """Write to the terminal, if there is one."""
            if self.writer is not None:
                self.writer.write(data)

        def run_input_thread(self) -> None:
            """Read until told to end, or until there is no terminal any more."""
            reader, door = SequenceReader(), InputDoor(KEY_SEQUENCES, NAMED_KITTY_KEYS, ESCAPE_SECONDS)
            decode = getincrementaldecoder("utf-8")("ignore").decode
            with selectors.SelectSelector() as selector:
                selector.register(self.fileno, selectors.EVENT_READ)
                while not self.exit_event.is_set():
                    if selector.select(LOOK_SECONDS):
                        data = _read(self.fileno)
                        if not data:
                            self._hang_up()
                            return
                        self._send(reader, door.feed(decode(data)))
                    self._send(reader, door.tick())

        def _send(self, reader: SequenceReader, arrivals: Iterable[Arrival]) -> None:
            for arrival in arrivals:
                for message in messages_of(reader, arrival):
                    self.process_message(message)

        def _hang_up(self, *_: object) -> None:
            """Tell the app, once; called by a signal or by the reading thread."""
            if isinstance(self.writer, TerminalWriter):
                self.writer.hurry()
            if not self._told:
                self._told = True
                self.call_app_soon(self.hung_up)

        def suspend_asked(self) -> None:
            """Suspend, with whatever started this program, and come back when that is continued."""
            if self.lent:
                os.kill(os.getpid(), signal.SIGSTOP)
                return
            self.suspend_application_mode()
            _stop_group()
            self.resume_application_mode()
            self.repaint()  # the terminal shows nothing of it any more


def guarded(driver: type[Driver], hung_up: Callable[[], object]) -> type[Driver]:
    """The platform's driver, made to live through what terminals do.

    Args:
        driver: Textual's own. One that is not for a terminal of this kind is given back as it is.
        hung_up: called on the app's loop when the terminal is gone or the program is told to end.
    """
    if driver.__name__ != "LinuxDriver":
        return driver
    return type("GuardedDriver", (GuardedDriver,), {"hung_up": staticmethod(hung_up)})


def messages_of(reader: SequenceReader, arrival: Arrival) -> Iterable[Message]:
    """What Textual is told of something that came from the terminal."""
    if arrival.kind == "paste":
        return (Paste(arrival.text.replace("\x00", "")),)
    if arrival.kind == "background":
        return (BackgroundAnswered(arrival.text),)
    if arrival.kind == "alt":
        return reader.with_alt(arrival.text[1:])
    return reader.sequence(arrival.text)


def _read(descriptor: int) -> bytes:
    """What can be read; nothing when the terminal is gone."""
    try:
        return os.read(descriptor, 1 << 14)
    except OSError:
        return b""


def _wait_for_foreground(descriptor: int) -> None:
    """Stop until the terminal is ours: after `bg` it is not, and drawing on it would garble the shell's line."""
    try:
        while os.tcgetpgrp(descriptor) != os.getpgrp():
            os.kill(os.getpid(), signal.SIGSTOP)
    except OSError:
        return  # it is not the terminal that controls this process, or it is gone: nobody would wait for us


def _stop_group() -> None:
    """Stop this process and those it was started with, as the terminal itself would, until they are continued.

    The kernel does not stop a group that no shell could continue, so such a program simply goes on.
    """
    continued = Event()
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL), signal.signal(signal.SIGCONT, lambda *_: continued.set())
    os.killpg(0, signal.SIGTSTP)
    continued.wait(CONTINUED_SECONDS)
    signal.signal(signal.SIGTSTP, before[0])
    signal.signal(signal.SIGCONT, before[1])
