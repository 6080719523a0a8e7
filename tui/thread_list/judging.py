"""Verdicts, deletion and the trash: keys that act on the marked threads, or on the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from textual.message import Message
from textual.screen import Screen

from core.errors import SensorloomError
from core.workspace import Workspace
from tui.thread_list.thread_actions import ThreadActions
from tui.widgets.thread_list import ThreadList

if TYPE_CHECKING:
    from core.curate import Bulk, Verdict

SAID = {"accept": "accepted", "reject": "rejected", "skip": "skipped"}
DELETED, RESTORED = "moved to the trash", "brought back from the trash"


class Judging:
    """Judges one after the other in the order of the keys, off the screen's loop."""

    @dataclass
    class Done(Message):
        """Threads were judged, deleted or brought back."""

        what: str
        done: Bulk

    def __init__(self, screen: Screen[None], workspace: Workspace, listed: ThreadList, threads: ThreadActions) -> None:
        self._screen = screen
        self._workspace = workspace
        self._list = listed
        self._threads = threads
        self._waiting: list[tuple[str, Callable[[], Bulk]]] = []
        self._busy = False

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the actions does."""
        return {
            "verdict.accept": partial(self.judge, "accept"),
            "verdict.reject": partial(self.judge, "reject"),
            "verdict.skip": partial(self.judge, "skip"),
            "thread.delete": self.delete,
            "thread.trash": self.open_trash,
        }

    def judge(self, verdict: Verdict) -> None:
        """Give a verdict and go on to the next thread. The verdict a thread has already is taken back."""
        chosen = self._chosen()
        known = self._threads.known
        again = bool(chosen) and all(stem in known and known[stem].verdict == verdict for stem in chosen)
        given = None if again else verdict

        def work() -> Bulk:
            from core.curate import set_verdicts

            return set_verdicts(self._workspace, chosen, given)

        if chosen:
            self._do("verdict taken back" if again else SAID[verdict], work)
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

    def open_trash(self) -> None:
        """Choose a deleted thread and bring it back."""
        from tui.screens.trash import TrashScreen

        self._screen.app.push_screen(TrashScreen(self._workspace), self._restore)

    def _restore(self, stem: str | None) -> None:
        def work() -> Bulk:
            from core.curate import restore

            return restore(self._workspace, [stem] if stem else [])

        if stem is not None:
            self._do(RESTORED, work)
            self._threads.go_to(stem)

    def finished(self, event: Done) -> None:
        """Say what was done where it is not plain to see, and go on with what waits."""
        self._busy = False
        severity: Literal["warning", "information"] = "warning" if event.done.problems else "information"
        count = len(event.done.changed)
        if event.done.problems:
            first, *others = event.done.problems
            text = f"{first} (and {len(others)} more)" if others else first
        elif count > 1 or event.what in (DELETED, RESTORED):
            what = f"{count} threads" if count > 1 else next(iter(event.done.changed), "nothing")
            text = f"{what} {event.what}; u takes it back"
        else:
            text = ""
        if text:
            self._screen.notify(text, severity=severity, markup=False)
        self._next()

    def _chosen(self) -> list[str]:
        """The marked threads, whose marks are taken away, or the one under the cursor."""
        if marked := sorted(self._list.marked):
            self._threads.unmark()
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
        self._screen.post_message(self.Done(what, done))
