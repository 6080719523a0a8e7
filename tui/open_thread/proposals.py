"""Proposed turns and what becomes of them: taken, put aside, chosen from, kept over a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from core.errors import SensorloomError
from core.storage.store import Stored
from core.thread import proposal
from core.thread.proposal import Proposal, Reason
from core.thread.value import Thread
from tui.dialogs.ask import ChooseScreen, Way
from tui.keys import ActionId
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.thread_work import ThreadWork
from tui.widgets.compare_lines import Side

CONFLICT_WAYS = (
    Way("t", "theirs", "leave the file as the other program wrote it; mine is kept among the alternatives"),
    Way("m", "mine", "save mine over it; undo brings the other program's change back"),
    Way("b", "mine as a branch", "leave the file, and save mine as a thread of its own"),
    Way("d", "the difference", "look at both, side by side"),
)


class Proposals:
    """Acts on the proposals of the open thread."""

    def __init__(
        self, thread: OpenThread, act: Callable[[ActionId], None], compare: Callable[[Sequence[Side]], None]
    ) -> None:
        """Args: `act` carries out another action, as its key would; `compare` shows conversations side by side."""
        self._thread = thread
        self._act = act
        self._compare = compare

    def offer(self, work: ThreadWork) -> None:
        """Bring back proposals that nobody decided on before the program ended."""

        async def bring() -> None:
            from core.storage.drafts import load_drafts

            drafts = await asyncio.to_thread(load_drafts, self._thread.workspace, work.stored.stem)
            if work is not self._thread.work:
                return
            work.unsaved = drafts.edit.index if drafts.edit is not None else None
            if (work.idle and work.restore(drafts.proposals)) or drafts.edit is not None:
                self._thread.show(work)

        self._thread.screen.run_worker(bring, group="offer", exclusive=True)

    async def keep(self, work: ThreadWork) -> None:
        """Keep what waits for a decision where a crash does not take it."""
        from core.storage.drafts import save_proposals

        try:
            await asyncio.to_thread(save_proposals, self._thread.workspace, work.stored.stem, work.proposals)
        except SensorloomError as error:
            self._thread.say(str(error), "warning")

    def accept(self) -> None:
        """Take the shown proposal into the thread; without one, unfold or fold the focused message."""
        work = self._thread.work
        if work is None:
            return
        shown = work.shown
        if shown is None:
            if self._thread.conversation.has_focus:
                self._thread.conversation.action_unfold()
        elif not shown.complete:
            self._thread.say(
                "this turn broke off: edit it whole with e, retry it with t, or discard it with ⌫", "warning"
            )
        else:
            self._thread.do(partial(self.adopt, work, shown))

    def take_sample(self, number: int) -> None:
        """Take one of several proposals, counted from 1."""
        work = self._thread.work
        if work is not None and not work.busy and number <= len(work.slots):
            work.chosen = number - 1
            self.accept()

    async def adopt(self, work: ThreadWork, shown: Proposal, then: ActionId | None = None) -> None:
        """Take a proposal into the thread; others of its kind are kept as alternatives. `then` is carried out after."""
        from core import curate

        others = [other for other in work.proposals if other is not shown]
        tools = await asyncio.to_thread(self._schemas, work.stored.thread)
        saved = (
            await self._thread.save(work, curate.take_sample, shown, others, tools)
            if others
            else await self._thread.save(work, curate.accept, shown, tools)
        )
        if saved:
            followed = work is self._thread.work and self._thread.conversation.index >= shown.position
            await self._decided(work)
            if followed:
                self._thread.conversation.action_move_last()
            if then is not None:
                self._act(then)

    def _schemas(self, thread: Thread) -> list[Mapping[str, Any]]:
        from core.runs.toolbox import offered_to, open_toolbox

        tools = open_toolbox(self._thread.workspace)
        return [tool.schema for tool in offered_to(thread, tools)]

    def retry(self) -> None:
        """Put the proposals aside, and propose again."""
        self._set_aside("retried", then="turn.run")

    def discard(self) -> None:
        """Put the proposals aside."""
        self._set_aside("discarded")

    def _set_aside(self, reason: Reason, then: ActionId | None = None) -> None:
        """Keep the proposals among the thread's alternatives."""
        work = self._thread.work
        if work is None or work.busy or not work.proposals:
            return

        async def put_aside() -> None:
            from core import curate

            for rejected in work.proposals:
                if not await self._thread.save(work, curate.set_aside, rejected, reason):
                    return
            await self._decided(work)
            if then is not None:
                self._act(then)

        self._thread.do(put_aside)

    async def _decided(self, work: ThreadWork) -> None:
        """The proposals were taken, or put aside."""
        work.clear()
        self._thread.show(work)
        await self.keep(work)

    def choose(self, number: int) -> None:
        """Show another of several proposals, counted from 0."""
        work = self._thread.work
        if work is not None and work.slots:
            work.chosen = number % len(work.slots)
            self._thread.show(work)
            self._thread.conversation.focus_message(len(work.stored.thread.messages))

    def ask_conflict(self, work: ThreadWork, seen: Stored) -> None:
        """Ask what becomes of a proposal whose thread another program changed."""
        shown = work.shown
        if shown is None:
            return
        mine = proposal.accept(seen.thread, replace(shown, position=len(seen.thread.messages)))

        def answered(way: str | None) -> None:
            if way == "d":
                theirs = ("theirs", list(work.stored.thread.messages))
                self._compare([theirs, ("mine", list(mine.messages))])
            elif way == "t":
                self._set_aside("superseded")
            elif way is not None:
                self._thread.do(partial(self._keep_mine, work, seen, mine, way))

        text = f"{seen.stem}: another program changed the thread while a proposal waits. Nothing is lost."
        ways = [way for way in CONFLICT_WAYS if shown.complete or way.key in "td"]
        self._thread.screen.app.push_screen(ChooseScreen("changed from outside", text, ways), answered)

    async def _keep_mine(self, work: ThreadWork, seen: Stored, mine: Thread, way: str) -> None:
        from core import curate

        kept_as = "mine" if way == "m" else "branch"
        try:
            stored = await asyncio.to_thread(curate.resolve, self._thread.workspace, seen, mine, kept_as)
        except SensorloomError as error:
            self._thread.say(str(error), "error")
            return
        await self._decided(work)
        if way == "m":
            self._thread.replaced(work, stored)
        else:
            self._thread.tell_saved(stored)
            self._thread.say(f"kept as the branch {stored.stem}")
