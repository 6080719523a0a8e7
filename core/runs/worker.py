"""A process that carries out jobs of a run for the one that began it (`core.runs.crew`).

It works in the same workspace. When a turn may begin, the other one decides, by the pace of the whole run, and a new
thread's id is written down there before its file is written here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from threading import Event, Lock
from typing import TYPE_CHECKING

from core.errors import SensorloomError, WorkspaceError
from core.model.client import Model
from core.model.endpoints import ModelChoice
from core.model.refusals import Dropped
from core.model.reply import CallAdded, TextAdded, Waiting
from core.processes.starting import allow_many_files
from core.runs.events import TurnAccepted, TurnEvent, TurnMade, TurnStarted
from core.runs.job import Job, Ran, carry_out
from core.runs.progress import tokens_of_turn
from core.workspace import Workspace

if TYPE_CHECKING:
    from tools.registry import Tool

PRELOAD = ("openai", "core.runs.toolbox", "core.curate", "core.datasets.check", "core.analyst.transport")
"""What is imported where it is first used, and each of these processes uses."""
_RUN_IS_OVER = "the run is over"
Opens = Callable[[Workspace, ModelChoice], Model]
"""Opens the model, in the process that asks it; a function of a module."""


@dataclass(frozen=True, slots=True)
class Do:
    """To the worker: carry out a job, under a number."""

    number: int
    job: Job


@dataclass(frozen=True, slots=True)
class Go:
    """To the worker: make a turn now."""

    number: int


@dataclass(frozen=True, slots=True)
class Noted:
    """To the worker: the id is written down, or why it could not be."""

    number: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """To the worker: stop a job; what came of it is kept, and told."""

    number: int


@dataclass(frozen=True, slots=True)
class Wants:
    """Of the worker: a job is ready for its next turn."""

    number: int


@dataclass(frozen=True, slots=True)
class TurnOver:
    """Of the worker: a job's turn is over."""

    number: int


@dataclass(frozen=True, slots=True)
class Begins:
    """Of the worker: a job's thread is about to be written, under this id."""

    number: int
    stem: str


@dataclass(frozen=True, slots=True)
class Told:
    """Of the worker: an event of a job that a run is paced and watched by."""

    number: int
    event: TurnEvent


@dataclass(frozen=True, slots=True)
class Over:
    """Of the worker: what became of a job."""

    number: int
    ran: Ran
    """With the job as the worker had it."""


Answer = Wants | TurnOver | Begins | Told | Over


class Worker:
    """Carries out jobs, many at once, in one event loop."""

    def __init__(self, line: Connection, workspace: Workspace, *, keep_empty: bool) -> None:
        self._line = line
        self._workspace = workspace
        self._keep_empty = keep_empty
        self._sending = Lock()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._turns: dict[int, asyncio.Future[None]] = {}
        self._noting = Lock()
        self._notes: dict[int, _Note] = {}
        self._notes_nothing = False
        """Whether nobody is there any more who would write an id down."""
        self._over = asyncio.Event()

    async def serve(self, model: Model, tools: tuple[Tool, ...]) -> None:
        """Do what comes over the line, until it is hung up."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._line.fileno(), self._hear, model, tools)
        try:
            await self._over.wait()
        finally:
            loop.remove_reader(self._line.fileno())
        with self._noting:  # threads of jobs begin theirs meanwhile
            self._notes_nothing = True
            for note in self._notes.values():
                note.settle(_RUN_IS_OVER)
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    def _hear(self, model: Model, tools: tuple[Tool, ...]) -> None:
        try:
            word = self._line.recv()
        except (EOFError, OSError):
            self._over.set()
            return
        match word:
            case Do():
                task = asyncio.create_task(self._carried_out(word, model, tools))
                self._tasks[word.number] = task
                task.add_done_callback(lambda _: self._tasks.pop(word.number))
            case Go():
                turn = self._turns.get(word.number)
                if turn is not None and not turn.done():
                    turn.set_result(None)
            case Noted():
                if (note := self._notes.get(word.number)) is not None:
                    note.settle(word.problem)
            case Stop():
                if word.number in self._tasks:
                    self._tasks[word.number].cancel()
            case _:
                raise AssertionError(word)

    async def _carried_out(self, told: Do, model: Model, tools: tuple[Tool, ...]) -> None:
        number, told_first = told.number, set[str]()

        def watch(_: Job, event: TurnEvent) -> None:
            match event:
                case TurnStarted():
                    told_first.discard(event.run)
                case TextAdded() | CallAdded():  # the first one says how long the server took
                    if event.run in told_first:
                        return
                    told_first.add(event.run)
                case TurnAccepted():
                    event = TurnMade(event.run, event.stored.stem, tokens_of_turn(event.stored.thread))
                case Waiting() | Dropped():
                    pass
                case _:
                    return
            self._say(Told(number, event))

        job = replace(told.job, begun=partial(self._begins, number))
        ran = await carry_out(
            self._workspace, job, model, tools, watch, pace=_Turns(self, number), keep_empty=self._keep_empty
        )
        stored = ran.stored and replace(ran.stored, data=b"")  # what stands on the disk need not travel
        self._say(Over(number, replace(ran, job=told.job, stored=stored)))

    def _begins(self, number: int, stem: str) -> None:
        """Have a thread's id written down, in the thread that is about to write its file."""
        with self._noting:
            if self._notes_nothing:
                raise WorkspaceError(_RUN_IS_OVER)
            note = self._notes[number] = _Note()
        try:
            self._say(Begins(number, stem))
            note.wait()
        finally:
            with self._noting:
                del self._notes[number]

    async def turn(self, number: int) -> None:
        """Wait until a job may make its next turn."""
        turn = self._turns[number] = asyncio.get_running_loop().create_future()
        try:
            self._say(Wants(number))
            await turn
        except asyncio.CancelledError:
            self._say(TurnOver(number))
            raise
        finally:
            del self._turns[number]

    def end_turn(self, number: int) -> None:
        """A job's turn is over."""
        self._say(TurnOver(number))

    def _say(self, word: Answer) -> None:
        try:
            with self._sending:
                self._line.send(word)
        except OSError:  # who would hear it is gone; what was done is on disk
            self._over.set()


class _Note:
    """An id that is being written down."""

    def __init__(self) -> None:
        self._settled = Event()
        self._problem = ""

    def settle(self, problem: str) -> None:
        """It is written down, or there is a problem."""
        self._problem = problem
        self._settled.set()

    def wait(self) -> None:
        """Wait until it is. Raises WorkspaceError."""
        self._settled.wait()
        if self._problem:
            raise WorkspaceError(self._problem)


class _Turns:
    """A job's place in the pace of the run."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self._number = number

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Make a turn, when there is room for it."""
        await self._worker.turn(self._number)
        try:
            yield
        finally:
            self._worker.end_turn(self._number)

    def hear(self, event: TurnEvent) -> None:
        """The run's own pace hears what the watch is told."""


def serve(
    line: Connection, workspace: Workspace, choice: ModelChoice, opens: Opens, keep_empty: bool, with_tools: bool
) -> None:
    """What such a process does, to its end."""
    from core.runs.toolbox import open_toolbox

    async def work() -> None:
        model = opens(workspace, choice)
        try:
            tools = open_toolbox(workspace) if with_tools else ()
            await Worker(line, workspace, keep_empty=keep_empty).serve(model, tools)
        finally:
            await model.aclose()

    allow_many_files()
    try:
        asyncio.run(work())
    except SensorloomError:
        os._exit(1)
