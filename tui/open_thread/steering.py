"""Saying something to the model in the middle of a run: it stops after its turn, and goes on with what was said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from core import curate
from core.errors import SensorloomError
from core.runs.events import TurnEnded
from core.thread.hint import UNCHECKED, hint_of
from tui.dialogs.say import SayScreen
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.running import Running
from tui.open_thread.thread_work import ThreadWork

Action = Callable[[ThreadWork], Awaitable[None]]


class Steering:
    """Asks what is said, and lets the run go on once it stands still."""

    def __init__(self, thread: OpenThread, running: Running) -> None:
        self._thread = thread
        self._running = running
        self._next: dict[str, Action | None] = {}
        """By stem, what is done once a thread's run has ended; None while the words are typed."""
        self._still: set[str] = set()
        """Stems of the threads whose run has ended for words that are still typed."""
        self._unsaid: dict[str, str] = {}
        """By stem, words that could not be said yet."""
        self._hints: dict[str, list[str]] = {}
        """By stem, the hints that were given since the program began, for finding traces of them."""
        running.ended = self.ended

    def say(self) -> None:
        """Ask what is said, and pause the run meanwhile."""
        work, keys = self._thread.work, self._thread.keys
        if work is None or not work.stored.thread.messages:
            self._thread.say("no thread is open in which something could be said")
            return
        stem = work.stored.stem
        if work.busy and stem not in self._running.to_end:
            self._thread.say("this makes one turn alone: decide on it, then say something")
            return
        if not work.busy and work.proposals and not self._broken_off(work):
            ways = f"{keys['turn.accept']} accepts it, {keys['turn.retry']} retries, {keys['turn.discard']} discards"
            self._thread.say(f"decide on the proposal first: {ways}")
            return
        if not work.busy and work.stored.thread.status == "finished":
            ways = f"{keys['turn.branch']} branches at the focused turn, {keys['turn.edit']} edits one"
            self._thread.say(f"it has its final answer: {ways}")
            return
        was_running = work.busy
        if was_running:
            self._running.pause(work)
            self._next[stem] = None

        def answered(words: tuple[str, bool] | None) -> None:
            if words is not None:
                self._unsaid[stem] = words[0]
                self._once_still(work, partial(self._go_on_with, *words))
            elif work.busy or stem in self._still:
                self._once_still(work, self._go_on)
            self._still.discard(stem)

        dialog = SayScreen(self._unsaid.get(stem, ""), running=was_running)
        self._thread.screen.app.push_screen(dialog, answered)

    def _once_still(self, work: ThreadWork, action: Action) -> None:
        """Carry it out now, or when the present turn is saved."""
        if work.busy:
            self._next[work.stored.stem] = action
        else:
            self._next.pop(work.stored.stem, None)
            self._thread.do(partial(action, work))

    def ended(self, work: ThreadWork, event: TurnEnded) -> None:
        """A run of this thread is over: what waited for that is done, unless a person stopped it or it failed."""
        stem = work.stored.stem
        paused, action = stem in self._next, self._next.pop(stem, None)
        if paused and action is None and not event.cancelled and not event.error:
            self._still.add(stem)
        elif action is not None and not event.cancelled and not event.error:
            self._thread.do(partial(action, work))
        elif action is not None and stem in self._unsaid:
            say = self._thread.keys["turn.say"]
            self._thread.say(f"the run broke off before it could be said; {say} has the words still", "warning")
        if work.stored.thread.status != "active" and hint_of(work.stored.thread) == UNCHECKED:
            self._thread.do(partial(self._look_through, work))

    async def _go_on(self, work: ThreadWork) -> None:
        """Go on as if nothing had been asked."""
        if work.stored.thread.status == "active" and not work.slots and not work.busy:
            self._running.start_to_end(work)

    async def _go_on_with(self, text: str, as_hint: bool, work: ThreadWork) -> None:
        from core.teaching.whisper import whispered

        stem, keys = work.stored.stem, self._thread.keys
        if work.stored.thread.status == "finished":
            ways = f"{keys['turn.branch']} branches at a turn, and {keys['turn.say']} says it there"
            self._thread.say(f"it came to its final answer before that: {ways}")
            return
        for partly in work.proposals if self._broken_off(work) else ():
            if not await self._thread.save(work, curate.set_aside, partly, "superseded"):
                return
            await self._running.forget(work)
        if not await (self._thread.save(work, whispered) if as_hint else self._thread.save(work, curate.say, text)):
            return
        self._unsaid.pop(stem, None)
        if as_hint:
            self._hints.setdefault(stem, []).append(text)
        self._thread.conversation.action_move_last()
        self._running.start_to_end(work, text if as_hint else "")

    async def _look_through(self, work: ThreadWork) -> None:
        """The thread is over, and a hint was given on the way: look whether that shows."""
        from core.teaching.whisper import look_through

        hints = self._hints.pop(work.stored.stem, [])
        try:
            stored, shows = await asyncio.to_thread(look_through, self._thread.workspace, work.stored, hints)
        except SensorloomError as error:
            self._thread.say(str(error), "error")
            return
        self._thread.replaced(work, stored)
        self._thread.say(shows or "nothing in the thread shows the hint", "warning" if shows else "information")

    def _broken_off(self, work: ThreadWork) -> bool:
        """Whether all that waits is what came of a turn that was stopped."""
        return bool(work.proposals) and not any(proposal.complete for proposal in work.proposals)
