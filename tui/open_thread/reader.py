"""Reading the thread under the cursor, off the screen's loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual.screen import Screen
from textual.timer import Timer

from core.errors import SensorloomError
from core.storage import store
from core.storage.store import Stored
from core.workspace import Workspace

HELD_SECONDS = 0.1
"""Moves that follow each other faster than this are a held key: only where it stops is read."""


@dataclass(frozen=True, slots=True)
class Read:
    """A thread was read, or cannot be."""

    stem: str
    stored: Stored | None = None
    problem: str = ""
    """One sentence when it cannot be read."""


class Reader:
    """Reads one thread at a time; an earlier request is forgotten when another comes."""

    def __init__(self, screen: Screen[None], workspace: Workspace, tell: Callable[[Read], None]) -> None:
        """Args: `tell` is called on the screen's loop with what was asked for last."""
        self._screen = screen
        self._workspace = workspace
        self._tell = tell
        self._moved_at = 0.0
        self._timer: Timer | None = None
        self._opened = ""
        self.wanted = ""
        """Stem of the thread that was asked for last."""
        self.reading = False
        """Whether it has not been told of yet."""

    def follow(self, stem: str) -> None:
        """Read the thread that the cursor came to."""
        now = time.monotonic()
        held, self._moved_at = now - self._moved_at < HELD_SECONDS, now
        opened, self._opened = self._opened, ""
        self._forget_timer()
        if stem == opened:
            return
        if held:
            self.wanted, self.reading = stem, True
            self._timer = self._screen.set_timer(HELD_SECONDS, partial(self._stopped_at, stem))
        else:
            self.read(stem)

    def skip_to(self, stem: str) -> None:
        """The thread is open already: reading it when the cursor comes to it would only repeat that."""
        self._forget_timer()
        self.wanted = self._opened = stem
        self.reading = False

    def read(self, stem: str) -> None:
        """Read a thread now."""
        self.wanted, self.reading = stem, True
        self._screen.run_worker(partial(self._work, stem), thread=True, exclusive=True, group="read")

    def _stopped_at(self, stem: str) -> None:
        """Read where a held key stopped. A timer that was stopped comes all the same when its time was up before."""
        if stem == self.wanted:
            self.read(stem)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _work(self, stem: str) -> None:
        try:
            read = Read(stem, store.read(self._workspace.threads, stem))
        except SensorloomError as error:
            read = Read(stem, problem=str(error))
        self._screen.call_later(self._ended, read)

    def _ended(self, read: Read) -> None:
        if read.stem == self.wanted:
            self.reading = False
            self._tell(read)
