"""Verdicts, deletion and the trash: keys that act on the marked threads, or on the one under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from textual.screen import Screen

from core.errors import SensorloomError
from core.workspace import Workspace
from tui.thread_list.arranging import Arranging
from tui.thread_list.known_folder import KnownFolder
from tui.widgets.thread_list import ThreadList

if TYPE_CHECKING:
    from core.curate import Bulk, Verdict

IN_WORDS = {"accept": "accepted", "reject": "rejected", "skip": "skipped"}
TAKEN_BACK = "verdict taken back"
DELETED, RESTORED = "moved to the trash", "brought back from the trash"


class Judging:
    """Judges one after the other in the order of the keys, off the screen's loop."""

    def __init__(
        self,
        screen: Screen[None],
        workspace: Workspace,
        folder: KnownFolder,
        listed: ThreadList,
        arranging: Arranging,
        let_go: Callable[[Sequence[str]], None],
        done: Callable[[Sequence[str]], None],
    ) -> None:
        """Args: `let_go` is told of threads that are about to leave the folder, `done` of what was done."""
        self._screen = screen
        self._workspace = workspace
        self._folder = folder
        self._list = listed
        self._arranging = arranging
        self._let_go = let_go
        self._done = done
        self._waiting: list[tuple[str, Callable[[], Bulk]]] = []
        self._busy = False
        self.idle = asyncio.Event()
        """Set while nothing waits to be saved."""
        self.idle.set()
        self._asked: tuple[Verdict, list[str]] | None = None
        """The verdict that was given again, and the threads that have it."""

    def judge(self, verdict: Verdict) -> None:
        """Give a verdict and go on to the next thread.

        The verdict that a thread has already is taken back where the same key is pressed once more.
        """
        chosen = self._chosen()
        known = self._folder.summaries
        again = bool(chosen) and all(stem in known and known[stem].verdict == verdict for stem in chosen)
        if again and self._asked != (verdict, chosen):
            self._asked = verdict, chosen
            which = chosen[0] if len(chosen) == 1 else f"each of these {len(chosen)} threads"
            self._say(f"{which} is {IN_WORDS[verdict]} already; the same key once more takes that back")
            return
        self._unmark(chosen)
        change = None if again else verdict

        def work() -> Bulk:
            from core.curate import set_verdicts

            return set_verdicts(self._workspace, chosen, change)

        if chosen:
            self._do(TAKEN_BACK if again else IN_WORDS[verdict], work)
            if not again:
                self._list.action_move_down()

    def delete(self) -> None:
        """Move to the trash; undo brings it back."""
        chosen = self._chosen()
        self._unmark(chosen)
        self._let_go(chosen)

        def work() -> Bulk:
            from core.curate import delete

            return delete(self._workspace, chosen)

        if chosen:
            self._do(DELETED, work)

    def restore(self, stem: str) -> None:
        """Bring a deleted thread back, and go to it."""

        def work() -> Bulk:
            from core.curate import restore

            return restore(self._workspace, [stem])

        self._do(RESTORED, work)
        self._arranging.go_to(stem)

    def _finished(self, what: str, done: Bulk) -> None:
        """Say what was done where it is not plain to see, and go on with what waits."""
        self._busy = False
        severity: Literal["warning", "information"] = "warning" if done.problems else "information"
        count = len(done.changed)
        if done.problems:
            first, *others = done.problems
            text = f"{first} (and {len(others)} more)" if others else first
        elif count > 1 or what in (DELETED, RESTORED, TAKEN_BACK):
            which = f"{count} threads" if count > 1 else next(iter(done.changed), "nothing")
            text = f"{which}: {what}; in the list u undoes that"
        else:
            text = ""
        if text:
            self._screen.notify(text, severity=severity, markup=False)
        self._done(done.changed)
        self._next()

    def _chosen(self) -> list[str]:
        """The marked threads that are on the screen, or the one under the cursor."""
        return self._list.marked_rows() or ([self._list.current.stem] if self._list.current else [])

    def _unmark(self, chosen: Sequence[str]) -> None:
        """Take the marks of what is acted on away; say of those that the filter hides that they stay."""
        self._asked = None
        self._arranging.unmark(chosen)
        if hidden := len(self._list.marked):
            self._say(
                f"{hidden} marked thread{'s' if hidden > 1 else ''} that the filter hides: nothing is done to them"
            )

    def _say(self, text: str) -> None:
        self._screen.notify(text, markup=False)

    def _do(self, what: str, work: Callable[[], Bulk]) -> None:
        self.idle.clear()
        self._waiting.append((what, work))
        self._next()

    def _next(self) -> None:
        if self._busy:
            return
        if not self._waiting:
            self.idle.set()
            return
        self._busy = True
        self._screen.run_worker(partial(self._work, *self._waiting.pop(0)), thread=True, group="judging")

    def _work(self, what: str, work: Callable[[], Bulk]) -> None:
        from core.curate import Bulk

        try:
            done = work()
        except SensorloomError as error:
            done = Bulk((), (str(error),))
        self._screen.call_later(self._finished, what, done)
