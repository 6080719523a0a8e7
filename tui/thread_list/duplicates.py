"""Which threads of the folder repeat another one: found out once it is read, and again after changes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, get_current_worker

from core.thread.summary import Summary
from core.workspace import Workspace
from tui.thread_list.thread_actions import ThreadActions

if TYPE_CHECKING:
    from core.lint import Finding

QUIET_SECONDS = 1.5
"""Between a change of the folder and the look at it: changes come in numbers."""
GIVES_WAY_SECONDS = 1.0
"""A look goes on so long after the last key."""
_WAKES_SECONDS = 0.05
REST = 10
"""A look is followed by a rest of so many times its length, so that a large folder under change costs little."""


class Repeats:
    """Looks at the whole folder, off the screen's loop; only what changed since it was last looked at is read.

    The first look at a large folder takes a while, in processes that give way to whatever else is asked for. None goes
    on while keys are pressed, unless the list's filter waits for it.
    """

    @dataclass
    class Found(Message):
        """The folder was looked at."""

        found: Mapping[str, Finding] | None
        """By stem; None when nothing can be kept, so that each look would be the first."""
        changed: frozenset[str]
        """Stems of which something else is known than before."""
        seconds: float
        """How long it took, but for what it waited."""

    def __init__(self, screen: Screen[None], workspace: Workspace, threads: ThreadActions) -> None:
        self._screen = screen
        self._workspace = workspace
        self._threads = threads
        self._found: Mapping[str, Finding] = {}
        self._waiting = False
        self._worker: Worker[None] | None = None
        self._again = False
        """Whether the folder changed while it was looked at."""
        self.rests_until = 0.0
        """When it may look again."""
        self._gives_way_until = 0.0

    def of(self, stem: str) -> Finding | None:
        """What a thread repeats, as far as that is known."""
        return self._found.get(stem)

    def look(self) -> None:
        """The folder changed: look at it in a moment, if all of it was read."""
        if not self._threads.scanned or self._waiting:
            return
        if self._worker is not None:
            self._again = True
            return
        self._waiting = True
        self._screen.set_timer(max(QUIET_SECONDS, self.rests_until - time.monotonic()), self._begin)

    def give_way(self) -> None:
        """A key was pressed: go on when there are no more."""
        self._gives_way_until = time.monotonic() + GIVES_WAY_SECONDS

    def take(self, event: Found) -> None:
        """Remember what was found."""
        self._worker = None
        self.rests_until = time.monotonic() + REST * event.seconds
        if self._again and event.found is not None:
            self._again = False
            self.look()
        self._found = event.found or {}

    def _begin(self) -> None:
        self._waiting = False
        every = list(self._threads.known.values())
        self._worker = self._screen.run_worker(partial(self._work, every, self._found), thread=True, group="repeats")

    def _work(self, every: list[Summary], before: Mapping[str, Finding]) -> None:
        from core.listing.row_status import repeated

        worker = get_current_worker()
        started = time.monotonic()
        waited = 0.0

        def cancelled() -> bool:
            nonlocal waited
            while self._must_wait() and not worker.is_cancelled:
                time.sleep(_WAKES_SECONDS)
                waited += _WAKES_SECONDS
            return worker.is_cancelled

        found = None if cancelled() else repeated(self._workspace, every, cancelled)
        if not worker.is_cancelled:
            known = found or {}
            changed = frozenset(stem for stem in {*before, *known} if before.get(stem) != known.get(stem))
            self._screen.post_message(self.Found(found, changed, time.monotonic() - started - waited))

    def _must_wait(self) -> bool:
        return time.monotonic() < self._gives_way_until and not self._threads.looking
