"""Runs of the open thread: asking a model for turns, taking what comes in, stopping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from core.errors import SensorloomError
from core.model.refusals import Dropped
from core.runs.events import Reported, TurnEnded, TurnEvent
from core.thread.proposal import Proposal
from tui.keys import ActionId
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.runs import Runs
from tui.open_thread.thread_work import ThreadWork

if TYPE_CHECKING:
    from core.runs.runner import AskBeside

SAMPLES = 3
"""Turns that `sample` proposes at once."""


class Running:
    """Starts and stops runs, and brings what they report to the threads they are of."""

    def __init__(
        self,
        thread: OpenThread,
        runs: Runs,
        accept: Callable[[ThreadWork, Proposal, ActionId], Awaitable[None]],
        keep: Callable[[ThreadWork], Awaitable[None]],
    ) -> None:
        """Starts runs of the open thread.

        Args:
            thread: which is run.
            runs: where they run.
            accept: takes a proposal into its thread, then carries out the action.
            keep: keeps what waits for a decision where a crash does not take it.
        """
        self._thread = thread
        self._runs = runs
        self._accept = accept
        self._keep = keep
        self._dropped = ""
        """What was last said of a parameter that the server refuses: several samples meet it at once."""
        self.to_end: set[str] = set()
        """Stems of the threads whose run goes on from turn to turn."""
        self.ended: Callable[[ThreadWork, TurnEnded], None] = lambda _work, _event: None
        """Told of each run that is over."""

    def run(self) -> None:
        """Ask for the next turn."""
        work = self._thread.work
        if work is not None and self._goes_on(work):
            self._start(work, lambda: self._runs.runner.propose(work.stored, self._runs.choice))

    def run_to_end(self) -> None:
        """Run to the final answer; a whole proposal that waits is accepted first."""
        work = self._thread.work
        if work is None:
            return
        shown = work.shown
        if shown is not None and shown.complete:
            self._thread.do(partial(self._accept, work, shown, "turn.run_to_end"))
        elif work.slots:
            keys = self._thread.keys
            ways = f"{keys['turn.retry']} retries it, {keys['turn.edit']} edits it whole"
            self._thread.say(f"the proposal broke off: {ways}, {keys['turn.discard']} discards it", "warning")
        elif self._goes_on(work, to_end=True):
            self.start_to_end(work)

    def start_to_end(self, work: ThreadWork, hint: str = "") -> None:
        """Run a thread to its end. `hint` is said to the model with each request, and stored nowhere."""
        self.to_end.add(work.stored.stem)
        self._start(work, lambda: self._runs.runner.run_to_end(work.stored, self._runs.choice, hint))

    def pause(self, work: ThreadWork) -> None:
        """End a run to the end once its present turn is saved."""

        async def paused() -> None:  # after the start, which may still be under way
            self._runs.runner.pause(work.stored.stem)

        self._thread.do(paused)

    async def forget(self, work: ThreadWork) -> None:
        """What waited for a decision was put aside."""
        work.clear()
        await self._keep(work)

    def sample(self) -> None:
        """Propose several turns at once."""
        work = self._thread.work
        if work is not None and self._goes_on(work):
            self._start(work, lambda: self._runs.runner.propose_many(work.stored, self._runs.choice, SAMPLES))

    def ask_beside(self, work: ThreadWork, ask: AskBeside) -> None:
        """Ask the model for something about the thread that is no turn."""
        self._start(work, lambda: self._runs.runner.ask_beside(work.stored, self._runs.choice, ask))

    def stop(self) -> None:
        """Stop what runs on the open thread; what came stays, as a proposal."""
        work = self._thread.work
        if work is None or not work.busy:
            return

        async def stopped() -> None:  # after the start, which may still be under way
            self._runs.runner.cancel(work.stored.stem)

        if work.asked:
            self._thread.do(stopped)
        else:
            self._runs.runner.cancel(work.stored.stem)

    def _start(self, work: ThreadWork, begin: Callable[[], str]) -> None:
        work.asked = True
        self._thread.show(work)

        async def started() -> None:
            try:
                run = await asyncio.to_thread(begin)  # the client is imported here, which takes a second
            except SensorloomError as error:
                run = ""
                self._thread.say(str(error), "error")
            work.begin(run)
            self._thread.show(work)

        self._thread.do(started)

    def hear(self, events: Sequence[TurnEvent]) -> None:
        """Take what the runs report; called a few times a second."""
        now = time.monotonic()
        touched: dict[str, ThreadWork] = {}
        for event in events:
            stem = event.run.rpartition("#")[0]
            work = self._thread.under_way(stem)
            if work is not None:
                self._hear_event(work, event, now)
                touched[stem] = work
        for work in touched.values():
            self._thread.show(work)
            if work is self._thread.work and not work.busy and len(work.slots) > 1:
                self._thread.conversation.focus_message(len(work.stored.thread.messages))  # where they are listed

    def _hear_event(self, work: ThreadWork, event: TurnEvent, now: float) -> None:
        stem = work.stored.stem
        before, undecided, busy = work.stored, work.proposals, work.busy
        problem = work.apply(event, now)
        if isinstance(event, Reported):
            self._thread.say(event.text)
        if isinstance(event, Dropped) and event.sentence != self._dropped:
            self._dropped = event.sentence
            self._thread.say(event.sentence)
        if problem:
            self._thread.say(problem if stem in problem else f"{stem}: {problem}", "error")
        if work.stored is not before:
            self._thread.tell_saved(work.stored)
        if work.proposals != undecided:
            self._thread.do(partial(self._keep, work))
        if busy and not work.busy:
            # while it ran, changes from outside were the run's to see
            self._thread.do(partial(self._thread.reread, stem))
            self.to_end.discard(stem)
            if isinstance(event, TurnEnded):
                self.ended(work, event)

    def _goes_on(self, work: ThreadWork, *, to_end: bool = False) -> bool:
        """Whether the thread can have another turn; says what to do where it cannot."""
        thread, keys = work.stored.thread, self._thread.keys
        if thread.status == "finished":
            ways = f"{keys['turn.branch']} branches at the focused turn, {keys['turn.edit']} edits one"
            self._thread.say(f"it has its final answer: {ways}")
        elif to_end and thread.status == "max_turns_reached":
            limit = thread.metadata.get("max_turns")
            self._thread.say(f"this thread is at its limit of {limit} turns: {keys['turn.run']} asks for one more")
        else:
            return True
        return False
