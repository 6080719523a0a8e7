"""Textual's driver for a terminal that may send noise, be suspended, stall, or go away at any moment.

Textual's own waits for a writer that died, starts a second reader and writer at every SIGCONT, and shows a traceback
when reading fails: after a hang-up it stays for ever. Here nothing waits for a terminal that is gone.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, Full
from threading import Event
from typing import IO, Any

from textual.driver import Driver
from textual.events import Paste
from textual.message import Message

from tui.terminal.input_door import Arrival, InputDoor
from tui.terminal.textual_private import (
    ESCAPE_SECONDS,
    KEY_SEQUENCES,
    NAMED_KITTY_KEYS,
    SequenceReader,
    WriterThread,
    write_through,
)

LOOK_SECONDS = 0.1
"""How often the reader looks whether it is to end, and whether an ESC has stayed alone."""
HURRY_SECONDS = 1.0
"""So long a stalled terminal is waited for once the program was told to end."""
CONTINUED_SECONDS = 0.5
"""The kernel ignores the suspension of a program that nobody could continue; after this long that has happened."""


class TerminalWriter(WriterThread):
    """Writes to the terminal until that is gone; what is written later is dropped, and nobody waits."""

    def __init__(self, file: IO[str]) -> None:
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
                return self._queue.put(text, timeout=LOOK_SECONDS)
            except Full:
                if time.monotonic() > self._deadline:
                    self._gone.set()

    def run(self) -> None:
        """Write what comes, as much at once as there is. Without Python's buffers: their locks outlive a stall."""
        encoding, errors = self._file.encoding or "utf-8", self._file.errors or "backslashreplace"
        descriptor = self._file.fileno()
        ending = False
        while not ending:
            texts = [self._queue.get()]
            try:
                while True:
                    texts.append(self._queue.get_nowait())
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


def guarded(driver: type[Driver], hung_up: Callable[[], object]) -> type[Driver]:
    """The platform's driver, made to live through what terminals do.

    Args:
        driver: Textual's own. One that is not for a terminal of this kind is given back as it is.
        hung_up: called on the app's loop when the terminal is gone or the program is told to end.
    """
    if driver.__name__ != "LinuxDriver":
        return driver
    from textual.drivers.linux_driver import LinuxDriver

    write_through(TerminalWriter)

    class GuardedDriver(LinuxDriver):
        """Reads through the door, writes without waiting for the dead, and is continued only where it was suspended."""

        _told = False

        def start_application_mode(self) -> None:
            """Take the terminal, and hear when it goes away."""
            _wait_for_foreground(self.fileno)
            super().start_application_mode()
            for number in (signal.SIGHUP, signal.SIGTERM):
                signal.signal(number, self._hang_up)

        def write(self, data: str) -> None:
            """Write to the terminal, if there is one."""
            if self._writer_thread is not None:
                self._writer_thread.write(data)

        def close(self) -> None:
            """Let go of the terminal."""
            super().close()
            self._writer_thread = None

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
            if isinstance(self._writer_thread, TerminalWriter):
                self._writer_thread.hurry()
            if not self._told:
                self._told = True
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    self._loop.call_soon_threadsafe(hung_up)

        def _sigtstp_application(self, *_: Any) -> None:
            """Suspend, with whatever started this program, and come back when that is continued."""
            if not self._auto_restart:  # another program has the terminal, such as an editor
                os.kill(os.getpid(), signal.SIGSTOP)
                return
            self.suspend_application_mode()
            _stop_group()
            self._must_signal_resume = True
            self.resume_application_mode()

        def _sigcont_application(self, *_: Any) -> None:
            """Being continued means nothing unless this program suspended itself, and then that goes on by itself."""

    return GuardedDriver


def messages_of(reader: SequenceReader, arrival: Arrival) -> Iterable[Message]:
    """What Textual is told of something that came from the terminal."""
    if arrival.kind == "paste":
        return (Paste(arrival.text.replace("\x00", "")),)
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
