"""The processes of a run, for who has more cores than one process can use: each carries out jobs in the same workspace.

The run itself stays here: it decides when a thread and when a turn begins, writes down what becomes of each job, and is
told of every thread that is over. A process that is lost takes nothing with it: what it had goes on in another one, as
it stands on the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from core.errors import SensorloomError
from core.model.endpoints import ModelChoice
from core.processes.talking import started
from core.runs.cancelling import in_full, stay_alive
from core.runs.events import TurnEvent
from core.runs.hand import Errand, Hand, LostError
from core.runs.job import Job, Ran, unless_empty
from core.runs.pace import Pacing
from core.runs.remembered import open_model
from core.runs.worker import PRELOAD, Opens, serve
from core.storage.store import Stored
from core.workspace import Workspace

TRIES = 3
"""How often a job may lose its process before it counts as failed: perhaps it is what they die of. The last time it is
alone in a process of its own, so that no other job is given up for what it does."""


class Crew:
    """The processes of one run. Lives in its event loop; to be closed there."""

    def __init__(
        self,
        workspace: Workspace,
        choice: ModelChoice,
        count: int,
        *,
        keep_empty: bool = False,
        with_tools: bool = True,
        opens: Opens = open_model,
    ) -> None:
        """Make it ready; no process is started yet.

        Args:
            workspace: where all of them work.
            choice: whom they ask.
            count: how many.
            keep_empty: whether a new thread stays to which nothing came.
            with_tools: whether the model is offered the workspace's tools.
            opens: opens the model in each of them.
        """
        self._setup = workspace, choice, opens, keep_empty, with_tools
        self._workspace = workspace
        self._keep_empty = keep_empty
        self._count = count
        self._hands: list[Hand] = []
        self._starting = asyncio.Lock()
        self._room_alone = asyncio.Semaphore(count)
        self._given_up = 0
        """How many jobs were given up one after the other, with none that came to its end between."""
        self._all_there = False

    @property
    def is_there(self) -> bool:
        """Whether all processes were started."""
        return self._all_there

    async def start(self) -> None:
        """Start those that are lacking; when this returns, all are alive. Raises SensorloomError."""
        async with self._starting:
            while True:
                # one may be lost while others are let go or started: what it is given then nobody would ever hear of
                if dead := [hand for hand in self._hands if not hand.alive]:
                    await self._let_go(dead)
                elif len(self._hands) < self._count:
                    self._hands.append(await self._started())
                else:
                    self._all_there = True
                    return

    async def carry_out(self, job: Job, watch: Callable[[Job, TurnEvent], None], pace: Pacing) -> Ran:
        """Carry out a job in the process that has the fewest, as `core.runs.job.carry_out` does here.

        Of its events, `watch` is told those by which a run is paced and counted, and that a person should know: that a
        turn is asked for, its first word, that it is made, waits, and what is asked without.
        """
        errand = Errand(job, watch, pace, job.stem)
        problem, cancelled = "", False
        try:
            for left in reversed(range(TRIES)):
                try:
                    ran = await (self._shared(errand) if left else self._alone(errand))
                except LostError:
                    continue
                self._given_up = 0
                return replace(ran, job=job)
            problem = f"{TRIES} processes ended early while they ran it; perhaps there was no memory left for them"
            self._given_up += 1
        except asyncio.CancelledError:
            stay_alive()
            cancelled = True
        except SensorloomError as error:
            return Ran(job, error=str(error), for_all=True)
        try:
            stored = await self._left_of(errand)
        except SensorloomError as error:
            return Ran(job, error=str(error), cancelled=cancelled)
        return Ran(job, stored, problem, cancelled, for_all=bool(problem) and self._given_up >= TRIES)

    async def _left_of(self, errand: Errand) -> Stored | None:
        """What a job's thread is when no process has it any more; a new one to which nothing came is taken away."""
        stored = errand.stored(self._workspace)
        if stored is None or errand.job.stem or self._keep_empty:
            return stored
        return (await in_full(unless_empty, self._workspace, stored))[0]

    async def _shared(self, errand: Errand) -> Ran:
        """Have a job carried out in the process that has the fewest. Raises LostError."""
        await self.start()
        hand = min(self._hands, key=lambda hand: hand.busy)
        return await hand.carry_out(errand, errand.job_now(self._workspace))

    async def _alone(self, errand: Errand) -> Ran:
        """Have a job carried out in a process that has no other. Raises LostError."""
        async with self._room_alone:
            hand = await self._started()
            try:
                return await hand.carry_out(errand, errand.job_now(self._workspace))
            finally:
                await self._let_go([hand])

    async def _started(self) -> Hand:
        """A new process. Who is cancelled meanwhile leaves none behind, which the program would wait for."""
        talking, cancelled = await in_full(partial(started, serve, *self._setup, preload=PRELOAD))
        hand = Hand(talking)
        if cancelled:
            await self._let_go([hand])
            raise asyncio.CancelledError
        return hand

    async def close(self) -> None:
        """End the processes; what they still have is lost."""
        await self._let_go(self._hands)

    async def _let_go(self, hands: Sequence[Hand]) -> None:
        for hand in hands:
            hand.lose()
        self._hands = [hand for hand in self._hands if hand.alive]
        await asyncio.gather(*(asyncio.to_thread(hand.end) for hand in hands))
