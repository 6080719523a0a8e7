"""What is stale in the open thread, and its three ways out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from core import curate
from core.thread.stale import stale_messages
from tui.dialogs.ask import ChooseScreen, Way
from tui.keys import ActionId
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.thread_work import ThreadWork

STALE_WAYS = (
    Way("r", "re-run", "take the stale turns off, into the alternatives, and ask the model again"),
    Way("y", "accept as they are", "they still hold; the marks go"),
    Way("b", "move to a branch", "a thread of their own keeps them; this one ends before them"),
)
_WAYS = {"r": "rerun", "y": "accept", "b": "branch"}


class StaleActions:
    """Settles what is stale."""

    def __init__(self, thread: OpenThread, act: Callable[[ActionId], None]) -> None:
        """Args: `act` carries out another action, as its key would."""
        self._thread = thread
        self._act = act

    def ask(self) -> None:
        """Ask which way the stale turns are settled."""
        work = self._thread.work
        if work is None:
            return
        count = len(stale_messages(work.stored.thread))

        def answered(way: str | None) -> None:
            if way is not None:
                self._thread.do(partial(self.settle, work, _WAYS[way]))

        many = "1 message rests" if count == 1 else f"{count} messages rest"
        text = f"{many} on something that changed. An export refuses the thread until you decide what becomes of it."
        self._thread.screen.app.push_screen(ChooseScreen("stale turns", text, STALE_WAYS), answered)

    async def rerun(self, work: ThreadWork) -> None:
        """Take the stale turns off and ask the model again."""
        await self.settle(work, "rerun")

    async def settle(self, work: ThreadWork, how: Any) -> None:
        """Settle what is stale in one of the three ways; re-running goes on with a proposal."""
        from core.runs.toolbox import tools_at

        thread = work.stored.thread
        tools, context = await asyncio.to_thread(tools_at, self._thread.workspace, thread, len(thread.messages))
        function = partial(curate.settle_stale, tools=tools, context=context)
        if await self._thread.save(work, function, how) and how == "rerun" and work is self._thread.work:
            if work.stored.thread.status == "finished":
                self._thread.say("nothing rests on it, and the thread is finished: there is nothing to re-run")
            elif not work.slots:
                self._act("turn.run")
