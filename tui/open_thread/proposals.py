"""Proposed turns and what becomes of them: taken, put aside, chosen from, kept over a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from core.errors import SensorloomError
from core.storage.store import Stored
from core.thread import proposal
from core.thread.proposal import Proposal, Reason
from core.thread.value import Thread
from tui.dialogs.ask import ChooseScreen, Way
from tui.open_thread.turn_state import ThreadWork
from tui.screens.compare import CompareScreen

if TYPE_CHECKING:
    from tui.open_thread.turn_actions import TurnActions


CONFLICT_WAYS = (
    Way("t", "theirs", "leave the file as the other program wrote it; mine is put aside"),
    Way("m", "mine", "save mine over it; undo brings the other program's change back"),
    Way("b", "mine as a branch", "leave the file, and save mine as a thread of its own"),
    Way("d", "the difference", "look at both, side by side"),
)


class Proposals:
    """Acts on the proposals of the open thread."""

    def __init__(self, turns: TurnActions) -> None:
        self._turns = turns

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the actions does."""
        return {
            "turn.accept": self.accept,
            "turn.retry": partial(self.set_aside, "retried", then_run=True),
            "turn.discard": partial(self.set_aside, "discarded"),
        }

    def offer(self, work: ThreadWork) -> None:
        """Bring back proposals that nobody decided on before the program ended."""

        async def bring() -> None:
            from core.storage.drafts import load_drafts

            kept = await asyncio.to_thread(load_drafts, self._turns.workspace, work.stored.stem)
            if work is not self._turns.work:
                return
            work.unsaved = kept.edit.index if kept.edit is not None else None
            if (work.idle and work.restore(kept.proposals)) or kept.edit is not None:
                self._turns.show(work)

        self._turns.screen.run_worker(bring, group="offer", exclusive=True)

    async def keep(self, work: ThreadWork) -> None:
        """Keep what waits for a decision where a crash does not take it."""
        from core.storage.drafts import save_proposals

        try:
            await asyncio.to_thread(save_proposals, self._turns.workspace, work.stored.stem, work.proposals)
        except SensorloomError as error:
            self._turns.say(str(error), "warning")

    def accept(self) -> None:
        """Take the shown proposal into the thread; without one, unfold or fold the focused message."""
        work = self._turns.work
        if work is None or work.busy:
            return
        shown = work.shown
        if shown is None:
            if self._turns.conversation.has_focus:
                self._turns.conversation.action_unfold()
        elif not shown.complete:
            self._turns.say(
                "this turn broke off: edit it whole with e, retry it with t, or discard it with ⌫", "warning"
            )
        else:
            self._turns.do(partial(self.take, work, shown))

    def take_sample(self, number: int) -> None:
        """Take one of several proposals, counted from 1."""
        work = self._turns.work
        if work is not None and not work.busy and number <= len(work.slots):
            work.chosen = number - 1
            self.accept()

    async def take(self, work: ThreadWork, shown: Proposal, then: Callable[[], None] | None = None) -> None:
        """Take a proposal into the thread; others of its kind are kept as alternatives."""
        from core import curate

        others = [one for one in work.proposals if one is not shown]
        tools = await asyncio.to_thread(self._schemas)
        saved = (
            await self._turns.save(work, curate.take_sample, shown, others, tools)
            if others
            else await self._turns.save(work, curate.accept, shown, tools)
        )
        if saved:
            followed = work is self._turns.work and self._turns.conversation.index >= shown.position
            await self._decided(work)
            if followed:
                self._turns.conversation.action_move_last()
            if then is not None:
                then()

    def _schemas(self) -> list[Mapping[str, Any]]:
        from core.runs.toolbox import open_toolbox

        return [one.schema for one in open_toolbox(self._turns.workspace)]

    def set_aside(self, reason: Reason, *, then_run: bool = False) -> None:
        """Keep the proposals among the thread's alternatives; propose again if asked to."""
        work = self._turns.work
        if work is None or work.busy or not work.proposals:
            return

        async def put_aside() -> None:
            from core import curate

            for one in work.proposals:
                if not await self._turns.save(work, curate.set_aside, one, reason):
                    return
            await self._decided(work)
            if then_run:
                self._turns.running.run()

        self._turns.do(put_aside)

    async def _decided(self, work: ThreadWork) -> None:
        """The proposals were taken, or put aside."""
        work.clear()
        self._turns.show(work)
        await self.keep(work)

    def choose(self, number: int) -> None:
        """Show another of several proposals, counted from 0."""
        work = self._turns.work
        if work is not None and work.slots:
            work.chosen = number % len(work.slots)
            self._turns.show(work)
            self._turns.conversation.focus_message(len(work.stored.thread.messages))

    def ask_conflict(self, work: ThreadWork, seen: Stored) -> None:
        """Ask what becomes of a proposal whose thread another program changed."""
        shown = work.shown
        if shown is None:
            return
        mine = proposal.accept(seen.thread, replace(shown, position=len(seen.thread.messages)))

        def answered(way: str | None) -> None:
            if way == "d":
                theirs = ("theirs", list(work.stored.thread.messages))
                self._turns.screen.app.push_screen(CompareScreen([theirs, ("mine", list(mine.messages))]))
            elif way == "t":
                self.set_aside("superseded")
            elif way is not None:
                self._turns.do(partial(self._keep_mine, work, seen, mine, way))

        text = f"{seen.stem}: another program changed the thread while a proposal waits. Nothing is lost."
        ways = [way for way in CONFLICT_WAYS if shown.complete or way.key in "td"]
        self._turns.screen.app.push_screen(ChooseScreen("changed from outside", text, ways), answered)

    async def _keep_mine(self, work: ThreadWork, seen: Stored, mine: Thread, way: str) -> None:
        from core import curate

        function = curate.keep_mine if way == "m" else curate.mine_as_branch
        try:
            stored = await asyncio.to_thread(function, self._turns.workspace, seen, mine)
        except SensorloomError as error:
            self._turns.say(str(error), "error")
            return
        await self._decided(work)
        if way == "m":
            self._turns.replaced(work, stored)
        else:
            self._turns.screen.post_message(self._turns.Saved(stored))
            self._turns.say(f"kept as the branch {stored.stem}")
