"""The processes of a run, for who has more cores than one process can use: each carries out jobs in the same workspace.

The run itself stays here: it decides when a thread and when a turn begins, writes down what becomes of each job, and is
told of every thread that is over. A process that is lost takes nothing with it: what it had goes on in another one, as
it stands on the disk.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from threading import Thread
from typing import Any

from core.errors import SensorloomError
from core.model.endpoints import ModelChoice
from core.processes.talking import Talking, started
from core.runs.cancelling import in_full, stay_alive
from core.runs.events import TurnEvent
from core.runs.job import Job, Ran, unless_empty
from core.runs.pace import Pacing
from core.runs.remembered import open_model
from core.runs.worker import PRELOAD, Begins, Do, Go, Noted, Opens, Over, Stop, Told, TurnOver, Wants, serve
from core.storage.store import Stored, read
from core.storage.thread_files import exists
from core.workspace import Workspace

TRIES = 3
"""How often a job may lose its process before it counts as failed: perhaps it is what they die of."""
STOP_SEC = 20.0
"""How long a process may take to say what became of a job that is stopped; then nothing is waited for from it."""
END_SEC = 5.0
"""How long a process may take to end."""

_log = logging.getLogger(__name__)
Watch = Callable[[Job, TurnEvent], None]


class _LostError(Exception):
    """The process that had a job is gone."""


@dataclass(eq=False, slots=True)
class _Errand:
    """A job on its way through processes."""

    job: Job
    watch: Watch
    pace: Pacing
    stem: str = ""
    """Its thread, as far as it was begun."""
    result: asyncio.Future[Ran] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    turn: asyncio.Task[None] | None = None
    turn_over: asyncio.Event = field(default_factory=asyncio.Event)

    def job_now(self, workspace: Workspace) -> Job:
        """The job as a process is to do it: where its thread was begun, it goes on."""
        there = self.stem != "" and exists(workspace.threads, self.stem)
        return replace(self.job, begun=None, stem=self.stem if there else "")

    def stored(self, workspace: Workspace) -> Stored | None:
        """Its thread as it stands on disk."""
        return read(workspace.threads, self.stem) if self.job_now(workspace).stem else None


class Crew:
    """The processes of one run. Lives in its event loop; to be closed there."""

    def __init__(
        self,
        workspace: Workspace,
        choice: ModelChoice,
        count: int,
        *,
        keep_empty: bool = False,
        opens: Opens = open_model,
    ) -> None:
        """Make it ready; no process is started yet.

        Args:
            workspace: where all of them work.
            choice: whom they ask.
            count: how many.
            keep_empty: whether a new thread stays to which nothing came.
            opens: opens the model in each of them.
        """
        self._setup = workspace, choice, opens, keep_empty
        self._workspace = workspace
        self._keep_empty = keep_empty
        self._count = count
        self._hands: list[_Hand] = []
        self._starting = asyncio.Lock()
        self._lost = 0
        """How many processes were lost one after the other, with no job that came to its end between."""

    @property
    def is_there(self) -> bool:
        """Whether there are processes."""
        return bool(self._hands)

    async def start(self) -> None:
        """Start those that are lacking; when this returns, all are alive. Raises SensorloomError."""
        async with self._starting:
            while True:
                # one may be lost while others are let go or started: what it is given then nobody would ever hear of
                if dead := [hand for hand in self._hands if not hand.alive]:
                    await self._let_go(dead)
                elif len(self._hands) < self._count:
                    talking = await asyncio.to_thread(started, serve, *self._setup, preload=PRELOAD)
                    self._hands.append(_Hand(talking))
                else:
                    return

    async def carry_out(self, job: Job, watch: Callable[[Job, TurnEvent], None], pace: Pacing) -> Ran:
        """Carry out a job in the process that has the fewest, as `core.runs.job.carry_out` does here.

        Of its events, `watch` is told those by which a run is paced and counted, and that a person should know: that a
        turn is asked for, its first word, that it is made, waits, and what is asked without.
        """
        errand = _Errand(job, watch, pace, job.stem)
        problem, cancelled = "", False
        try:
            for _ in range(TRIES):
                try:
                    ran = await (await self._hand()).carry_out(errand, errand.job_now(self._workspace))
                except _LostError:
                    self._lost += 1
                    continue
                self._lost = 0
                return replace(ran, job=job)
            problem = f"{TRIES} processes ended early while they ran it; perhaps there was no memory left for them"
        except asyncio.CancelledError:
            stay_alive()
            cancelled = True
        except SensorloomError as error:
            return Ran(job, error=str(error), for_all=True)
        try:
            stored = await self._left_of(errand)
        except SensorloomError as error:
            return Ran(job, error=str(error), cancelled=cancelled)
        return Ran(job, stored, problem, cancelled, for_all=bool(problem) and self._lost >= TRIES * self._count)

    async def _left_of(self, errand: _Errand) -> Stored | None:
        """What a job's thread is when no process has it any more; a new one to which nothing came is taken away."""
        stored = errand.stored(self._workspace)
        if stored is None or errand.job.stem or self._keep_empty:
            return stored
        return (await in_full(unless_empty, self._workspace, stored))[0]

    async def _hand(self) -> _Hand:
        """The process that has the fewest jobs."""
        await self.start()
        return min(self._hands, key=lambda hand: hand.busy)

    async def close(self) -> None:
        """End the processes; what they still have is lost."""
        await self._let_go(self._hands)

    async def _let_go(self, hands: Sequence[_Hand]) -> None:
        for hand in hands:
            hand.lose()
        self._hands = [hand for hand in self._hands if hand.alive]
        await asyncio.gather(*(asyncio.to_thread(hand.end) for hand in hands))


class _Hand:
    """One of the processes, as it is talked with."""

    def __init__(self, talking: Talking) -> None:
        self._talking = talking
        self._numbers = itertools.count()
        self._errands: dict[int, _Errand] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(talking.line.fileno(), self._hear)
        self._words: SimpleQueue[Any] = SimpleQueue()
        # what it does not take at once must not hold up the loop, which takes what it says
        self._teller = Thread(target=self._tell, name="crew", daemon=True)
        self._teller.start()
        self.alive = True

    @property
    def busy(self) -> int:
        """How many jobs it has."""
        return len(self._errands)

    async def carry_out(self, errand: _Errand, job: Job) -> Ran:
        """Have a job carried out, and stopped where the task is cancelled. Raises _LostError."""
        if not self.alive:  # nobody would tell what becomes of it
            raise _LostError
        number = next(self._numbers)
        errand.result = self._loop.create_future()
        self._errands[number] = errand
        self._words.put(Do(number, job))
        stopped = None
        try:
            while True:
                try:
                    return await asyncio.shield(errand.result)
                except asyncio.CancelledError:
                    stay_alive()
                    stopped = stopped or self._loop.call_later(STOP_SEC, self.lose)
                    self._words.put(Stop(number))
                except _LostError:
                    if stopped:  # it is not to be begun again elsewhere
                        raise asyncio.CancelledError from None
                    raise
        finally:
            del self._errands[number]
            if stopped is not None:
                stopped.cancel()
            if errand.turn is not None:
                errand.turn.cancel()

    def lose(self) -> None:
        """It is no more, or is to be let go."""
        if not self.alive:
            return
        self.alive = False
        self._words.put(None)
        self._loop.remove_reader(self._talking.line.fileno())
        for errand in self._errands.values():
            if not errand.result.done():
                errand.result.set_exception(_LostError())

    def end(self) -> None:
        """Let it go, and wait until it is gone. To be called off the loop, after `lose`."""
        self._teller.join(END_SEC)
        if self._teller.is_alive():  # it says something to a process that hears nothing any more
            self._talking.process.kill()
            self._teller.join()
        self._talking.end(END_SEC)

    def _tell(self) -> None:
        while (word := self._words.get()) is not None:
            try:
                self._talking.line.send(word)
            except OSError:  # the loop hears that, too
                return

    def _hear(self) -> None:
        try:
            word = self._talking.line.recv()
        except (EOFError, OSError):
            self.lose()
            return
        errand = self._errands.get(word.number)
        if errand is None:
            return
        match word:
            case Wants():
                errand.turn_over = asyncio.Event()
                errand.turn = asyncio.create_task(self._turn(word.number, errand))
            case TurnOver():
                errand.turn_over.set()
            case Begins():
                self._words.put(Noted(word.number, _noted(errand, word.stem)))
            case Told():
                errand.pace.hear(word.event)
                errand.watch(errand.job, word.event)
            case Over():
                errand.result.set_result(word.ran)
            case _:
                raise AssertionError(word)

    async def _turn(self, number: int, errand: _Errand) -> None:
        async with errand.pace.turn():
            self._words.put(Go(number))
            await errand.turn_over.wait()


def _noted(errand: _Errand, stem: str) -> str:
    """Write down which thread a job becomes. Returns why that cannot be; empty where it was."""
    errand.stem = stem
    try:
        if errand.job.begun is not None:
            errand.job.begun(stem)
    except SensorloomError as error:
        return str(error)
    return ""
