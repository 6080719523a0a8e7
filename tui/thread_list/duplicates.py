"""Which threads of the folder repeat another one: found out once it is read, and again after changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen
from textual.worker import Worker, get_current_worker

from core.thread.summary import Summary
from core.workspace import Workspace
from tui.thread_list.known_folder import KnownFolder

if TYPE_CHECKING:
    from core.lint import Finding


@dataclass(frozen=True, slots=True)
class Pace:
    """When it looks, and by which clock."""

    quiet_seconds: float = 1.5
    """Between a change of the folder and the look at it: changes come in numbers."""
    gives_way_seconds: float = 1.0
    """A look goes on so long after the last key."""
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


Repeats = Callable[[Workspace, Sequence[Summary], Callable[[], bool]], "Mapping[str, Finding] | None"]
"""Looks at the folder: workspace, its threads, and whether to stop. None where nothing can be kept."""
_WAKES_SECONDS = 0.05
REST = 10
"""A look is followed by a rest of so many times its length, so that a large folder under change costs little."""


class Duplicates:
    """Looks at the whole folder, off the screen's loop; only what changed since it was last looked at is read.

    The first look at a large folder takes a while, in processes that give way to whatever else is asked for. None goes
    on while keys are pressed, unless the list's filter waits for it.
    """

    def __init__(
        self,
        screen: Screen[None],
        workspace: Workspace,
        folder: KnownFolder,
        urgent: Callable[[], bool],
        tell: Callable[[frozenset[str]], None],
        *,
        pace: Pace = Pace(),
        look_at: Repeats | None = None,
    ) -> None:
        """Looks at the folder.

        Args:
            screen: in whose workers it looks.
            workspace: where the threads are.
            folder: what is known of them.
            urgent: whether a filter waits for what is found.
            tell: told the stems of which something else is known than before.
            pace: when it looks.
            look_at: looks at the folder; unless told, `core.listing.row_status.repeated`.
        """
        self._screen = screen
        self._workspace = workspace
        self._folder = folder
        self._urgent = urgent
        self._tell = tell
        self._pace = pace
        self._look_at = look_at
        self._findings: Mapping[str, Finding] = {}
        self._waiting = False
        self._worker: Worker[None] | None = None
        self._again = False
        """Whether the folder changed while it was looked at."""
        self.rests_until = 0.0
        """When it may look again."""
        self._gives_way_until = 0.0

    def of(self, stem: str) -> Finding | None:
        """What a thread repeats, as far as that is known."""
        return self._findings.get(stem)

    def look(self) -> None:
        """The folder changed: look at it in a moment, if all of it was read."""
        if not self._folder.scanned or self._waiting:
            return
        if self._worker is not None:
            self._again = True
            return
        self._waiting = True
        self._screen.set_timer(max(self._pace.quiet_seconds, self.rests_until - self._pace.now()), self._begin)

    def give_way(self) -> None:
        """A key was pressed: go on when there are no more."""
        self._gives_way_until = self._pace.now() + self._pace.gives_way_seconds

    def _looked(self, findings: Mapping[str, Finding] | None, changed: frozenset[str], seconds: float) -> None:
        """Remember what was found. None means that nothing can be kept, so that each look would be the first."""
        self._worker = None
        self.rests_until = self._pace.now() + REST * seconds
        if self._again and findings is not None:
            self._again = False
            self.look()
        self._findings = findings or {}
        self._tell(changed)

    def _begin(self) -> None:
        self._waiting = False
        every = self._folder.summaries.every()
        self._worker = self._screen.run_worker(
            partial(self._work, every, self._findings), thread=True, group="duplicates"
        )

    def _work(self, every: list[Summary], before: Mapping[str, Finding]) -> None:
        from core.listing.row_status import repeated

        worker, look_at = get_current_worker(), self._look_at or repeated
        started = self._pace.now()
        waited = 0.0

        def cancelled() -> bool:
            nonlocal waited
            while self._must_wait() and not worker.is_cancelled:
                self._pace.sleep(_WAKES_SECONDS)
                waited += _WAKES_SECONDS
            return worker.is_cancelled

        findings = None if cancelled() else look_at(self._workspace, every, cancelled)
        if not worker.is_cancelled:
            known = findings or {}
            changed = frozenset(stem for stem in {*before, *known} if before.get(stem) != known.get(stem))
            self._screen.call_later(self._looked, findings, changed, self._pace.now() - started - waited)

    def _must_wait(self) -> bool:
        return self._pace.now() < self._gives_way_until and not self._urgent()
