"""A process of a run as it is talked with, and a job on its way through such processes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from threading import Thread
from typing import Any

from core.errors import SensorloomError
from core.processes.talking import Talking
from core.runs.cancelling import stay_alive
from core.runs.events import TurnEvent
from core.runs.job import Job, Ran
from core.runs.pace import Pacing
from core.runs.worker import Begins, Do, Go, Noted, Over, Stop, Told, TurnOver, Wants
from core.storage.store import Stored, read
from core.storage.thread_files import exists
from core.workspace import Workspace

STOP_SEC = 20.0
"""How long a process may take to say what became of a job that is stopped; then nothing is waited for from it."""
END_SEC = 5.0
"""How long a process may take to end."""


class LostError(Exception):
    """The process that had a job is gone."""


@dataclass(eq=False, slots=True)
class Errand:
    """A job on its way through processes."""

    job: Job
    watch: Callable[[Job, TurnEvent], None]
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


class Hand:
    """One of the processes, as it is talked with."""

    def __init__(self, talking: Talking) -> None:
        self._talking = talking
        self._numbers = itertools.count()
        self._errands: dict[int, Errand] = {}
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

    async def carry_out(self, errand: Errand, job: Job) -> Ran:
        """Have a job carried out, and stopped where the task is cancelled. Raises LostError."""
        if not self.alive:  # nobody would tell what becomes of it
            raise LostError
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
                except LostError:
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
                errand.result.set_exception(LostError())

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

    async def _turn(self, number: int, errand: Errand) -> None:
        async with errand.pace.turn():
            self._words.put(Go(number))
            await errand.turn_over.wait()


def _noted(errand: Errand, stem: str) -> str:
    """Write down which thread a job becomes. Returns why that cannot be; empty where it was."""
    errand.stem = stem
    try:
        if errand.job.begun is not None:
            errand.job.begun(stem)
    except SensorloomError as error:
        return str(error)
    return ""
