"""Branches of the open thread, and their siblings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from core import curate
from core.errors import SensorloomError
from core.storage.store import Stored
from core.thread.lineage import lineage
from core.thread.question import question_of, question_turn
from core.thread.turns import turn_at
from tui.dialogs.ask import AskTextScreen
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.thread_work import ThreadWork

if TYPE_CHECKING:
    from core.thread.summary import Summary


class Branches:
    """Makes branches of the open thread and goes from one to the next."""

    def __init__(
        self,
        thread: OpenThread,
        summaries: Callable[[], Iterable[Summary]],
        related: Callable[[str], bool],
        go_to: Callable[[str], None],
        choose_proposal: Callable[[int], None],
    ) -> None:
        """Makes branches.

        Args:
            thread: which is branched.
            summaries: gives those of all threads.
            related: whether a thread is a branch, or has some.
            go_to: opens a thread by its stem.
            choose_proposal: shows another of several proposals, counted from 0.
        """
        self._thread = thread
        self._summaries = summaries
        self._related = related
        self._go_to = go_to
        self._choose_proposal = choose_proposal

    def branch(self) -> None:
        """Copy the thread up to the focused turn into a new one; at the question, another can be asked."""
        work = self._thread.work
        if work is None:
            return
        thread = work.stored.thread
        index = min(self._thread.conversation.index, len(thread.messages) - 1)
        if index < 0:
            return
        if index < question_turn(thread).end:
            screen = AskTextScreen("branch: ask this instead", question_of(thread) or "")
            self._thread.screen.app.push_screen(screen, partial(self._branch_asking, work, index))
        else:
            self._thread.do(partial(self._branch, work, turn_at(thread, index).end, None))

    def _branch_asking(self, work: ThreadWork, index: int, question: str | None) -> None:
        if question:
            self._thread.do(partial(self._branch, work, index, question))

    async def _branch(self, work: ThreadWork, position: int, question: str | None) -> None:
        try:
            branch = await asyncio.to_thread(curate.branch, self._thread.workspace, work.stored, position, question)
        except SensorloomError as error:
            self._thread.say(str(error), "error")
            return
        self.opened(branch)
        self._thread.say(f"branched into {branch.stem}")

    def opened(self, branch: Stored) -> None:
        """Go to a thread that was just made."""
        self._thread.tell_saved(branch)
        self._go_to(branch.stem)

    def previous(self) -> None:
        """Go to the sibling before."""
        self._step(-1)

    def next(self) -> None:
        """Go to the next sibling."""
        self._step(1)

    def _step(self, step: int) -> None:
        """The next of several proposals, or else the next branch of the fork nearest to the focus."""
        work = self._thread.work
        if work is None:
            return
        if len(work.slots) > 1:
            self._choose_proposal(work.chosen + step)
        else:
            self._thread.do(partial(self._to_sibling, work, step))

    async def _to_sibling(self, work: ThreadWork, step: int) -> None:
        stem = work.stored.stem
        family = await asyncio.to_thread(lineage, list(self._summaries()))
        focus = self._thread.conversation.index
        forks = sorted(family.forks(stem), key=lambda fork: abs(fork.position - focus))
        members = next((fork.members for fork in forks if stem in fork.members and len(fork.members) > 1), ())
        if members:
            self._go_to(members[(members.index(stem) + step) % len(members)])
        else:
            branch = self._thread.keys["turn.branch"]
            self._thread.say(f"no other branch leaves this thread; {branch} makes one at the focused turn")

    def mark_forks(self) -> None:
        """Find where other threads leave the open one, for the marks in the conversation."""
        work = self._thread.work
        if work is None:
            return

        async def mark() -> None:
            stem = work.stored.stem
            related = self._related(stem)
            forks = await asyncio.to_thread(forks_of, list(self._summaries()), stem) if related else {}
            if forks != work.forks:
                work.forks = forks
                self._thread.show(work)

        self._thread.screen.run_worker(mark, group="forks", exclusive=True)


def forks_of(every: Sequence[Summary], stem: str) -> dict[int, tuple[int, int]]:
    """By position, which of how many branches the thread is at each fork on its way, counted from 1."""
    return {
        fork.position: (fork.members.index(stem) + 1, len(fork.members))
        for fork in lineage(every).forks(stem)
        if stem in fork.members and len(fork.members) > 1
    }
