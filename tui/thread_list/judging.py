"""Verdicts, deletion and the trash: keys that act on the marked threads, or on the one under the cursor."""

from __future__ import annotations

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
        done: Callable[[Sequence[str]], None],
    ) -> None:
        """Args: `done` is told the stems of the threads that were judged, deleted or brought back."""
        self._screen = screen
        self._workspace = workspace
        self._folder = folder
        self._list = listed
        self._arranging = arranging
        self._done = done
        self._waiting: list[tuple[str, Callable[[], Bulk]]] = []
        self._busy = False

    def judge(self, verdict: Verdict) -> None:
        """Give a verdict and go on to the next thread. The verdict a thread has already is taken back."""
        chosen = self._chosen()
        known = self._folder.summaries
        again = bool(chosen) and all(stem in known and known[stem].verdict == verdict for stem in chosen)
        change = None if again else verdict

        def work() -> Bulk:
            from core.curate import set_verdicts

            return set_verdicts(self._workspace, chosen, change)

        if chosen:
            self._do("verdict taken back" if again else IN_WORDS[verdict], work)
            if not again:
                self._list.action_move_down()

    def delete(self) -> None:
        """Move to the trash; undo brings it back."""
        chosen = self._chosen()

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
        elif count > 1 or what in (DELETED, RESTORED):
            which = f"{count} threads" if count > 1 else next(iter(done.changed), "nothing")
            text = f"{which} {what}; u takes it back"
        else:
            text = ""
        if text:
            self._screen.notify(text, severity=severity, markup=False)
        self._next()
        self._done(done.changed)

    def _chosen(self) -> list[str]:
        """The marked threads, whose marks are taken away, or the one under the cursor."""
        if marked := sorted(self._list.marked):
            self._arranging.unmark()
            return marked
        return [self._list.current.stem] if self._list.current else []

    def _do(self, what: str, work: Callable[[], Bulk]) -> None:
        self._waiting.append((what, work))
        self._next()

    def _next(self) -> None:
        if self._busy or not self._waiting:
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
