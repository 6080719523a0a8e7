"""Runs of the open thread: asking a model for turns, taking what comes in, stopping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from core.errors import SensorloomError
from core.runs.events import TurnEvent
from tui.open_thread.turn_state import ThreadWork

if TYPE_CHECKING:
    from tui.open_thread.turn_actions import TurnActions

SAMPLES = 3
"""Turns that `sample` proposes at once."""


class Running:
    """Starts and stops runs, and brings what they report to the threads they are of."""

    def __init__(self, turns: TurnActions) -> None:
        self._turns = turns

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the actions does."""
        return {
            "turn.run": self.run,
            "turn.run_to_end": self.run_to_end,
            "turn.sample": self.sample,
            "turn.stop": self.stop,
        }

    def run(self) -> None:
        """Ask for the next turn."""
        work = self.ready()
        if work is not None and self.nothing_proposed(work) and self._goes_on(work):
            self._start(work, lambda: self._turns.runs.runner.propose(work.stored, self._turns.runs.choice))

    def run_to_end(self) -> None:
        """Run to the final answer; a whole proposal that waits is accepted first."""
        work = self.ready()
        if work is None:
            return
        shown = work.shown
        if shown is not None and shown.complete:
            self._turns.do(partial(self._turns.proposals.take, work, shown, then=self.run_to_end))
        elif self.nothing_proposed(work) and self._goes_on(work, to_end=True):
            self._start(work, lambda: self._turns.runs.runner.run_to_end(work.stored, self._turns.runs.choice))

    def sample(self) -> None:
        """Propose several turns at once."""
        work = self.ready()
        if work is not None and self.nothing_proposed(work) and self._goes_on(work):
            self._start(
                work, lambda: self._turns.runs.runner.propose_many(work.stored, self._turns.runs.choice, SAMPLES)
            )

    def stop(self) -> None:
        """Stop what runs on the open thread; what came stays, as a proposal."""
        work = self._turns.work
        if work is None or not work.busy:
            return

        async def stopped() -> None:  # after the start, which may still be under way
            self._turns.runs.runner.cancel(work.stored.stem)

        if work.asked:
            self._turns.do(stopped)
        else:
            self._turns.runs.runner.cancel(work.stored.stem)

    def _start(self, work: ThreadWork, begin: Callable[[], str]) -> None:
        work.asked = True
        self._turns.show(work)

        async def started() -> None:
            try:
                run = await asyncio.to_thread(begin)  # the client is imported here, which takes a second
            except SensorloomError as error:
                run = ""
                self._turns.say(str(error), "error")
            work.begin(run)
            self._turns.show(work)

        self._turns.do(started)

    def take(self, events: Sequence[TurnEvent]) -> None:
        """Take what the runs report; called a few times a second."""
        now = time.monotonic()
        touched: dict[str, ThreadWork] = {}
        for event in events:
            stem = event.run.rpartition("#")[0]
            work = self._turns.under_way(stem)
            if work is None:
                continue
            before, undecided, busy = work.stored, work.proposals, work.busy
            problem = work.take(event, now)
            if problem:
                self._turns.say(problem if stem in problem else f"{stem}: {problem}", "error")
            if work.stored is not before:
                self._turns.screen.post_message(self._turns.Saved(work.stored))
            if work.proposals != undecided:
                self._turns.do(partial(self._turns.proposals.keep, work))
            if busy and not work.busy:
                # while it ran, changes from outside were the run's to see
                self._turns.do(partial(self._turns.reread, stem))
            touched[stem] = work
        for work in touched.values():
            self._turns.show(work)
            if work is self._turns.work and not work.busy and len(work.slots) > 1:
                self._turns.conversation.focus_message(len(work.stored.thread.messages))  # where they are listed

    def ready(self) -> ThreadWork | None:
        """The open thread; None, with a word of why, while it runs."""
        work = self._turns.work
        if work is not None and work.busy:
            self._turns.say("this thread is running; esc stops it")
            return None
        return work

    def _goes_on(self, work: ThreadWork, *, to_end: bool = False) -> bool:
        """Whether the thread can have another turn; says what to do where it cannot."""
        thread = work.stored.thread
        if thread.status == "finished":
            self._turns.say("it has its final answer: b branches at the focused turn, e edits one")
        elif to_end and thread.status == "max_turns_reached":
            self._turns.say(
                f"this thread is at its limit of {thread.metadata.get('max_turns')} turns: r asks for one more"
            )
        else:
            return True
        return False

    def nothing_proposed(self, work: ThreadWork) -> bool:
        """Whether no proposal waits for a decision; says so where one does."""
        if work.slots:
            self._turns.say("decide on the proposal first: y accepts it, t retries, ⌫ discards")
        return not work.slots
