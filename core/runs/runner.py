"""Turns on a thread of their own, several threads' runs at once.

The screen's event loop stops when the terminal does (a stalled SSH link blocks its writer), so runs and
their saving don't share it. `sink` is called on the runner's thread and must only hand the event on.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from core.curate.prompts import ahead_of
from core.curate.task import asking_prompt
from core.errors import SensorloomError, UsageError
from core.model.client import Model
from core.model.endpoints import ModelChoice
from core.model.refusals import Dropped
from core.runs.events import Reported, Tell, TurnAccepted, TurnEnded, TurnEvent
from core.runs.question import propose_question
from core.runs.remembered import open_model
from core.runs.turn_loop import propose, propose_many, run_to_end
from core.storage.store import Stored
from core.workspace import Workspace

Sink = Callable[[TurnEvent], None]
Make = Callable[[str], AsyncIterator[TurnEvent]]
"""Makes a run's events; it is given the run's id and called in the runner's event loop."""

AskBeside = Callable[[Workspace, Stored, Model, Tell], Awaitable[tuple[str, Stored | None]]]
"""Asks a model something about a thread; called in the runner's event loop."""

CLOSE_TIMEOUT_SEC = 5.0
"""How long `close` waits for runs to save and report their end."""

_log = logging.getLogger(__name__)


class TurnRunner:
    """Runs of one workspace. All methods may be called from any thread."""

    def __init__(self, workspace: Workspace, sink: Sink) -> None:
        self._workspace = workspace
        self._sink = sink
        self._numbers = itertools.count(1)
        self._stems: dict[str, str] = {}
        self._tasks: dict[str, asyncio.Task[TurnEnded]] = {}
        self._models: dict[ModelChoice, Model] = {}
        self._pausing: set[str] = set()
        """Stems whose runs end after the present turn; touched on the runner's thread alone."""
        self._guard = threading.Lock()
        self._closed = False
        self._tool_problems: frozenset[str] = frozenset()
        """What was wrong with a person's own tools when they were opened last; told once."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="turns", daemon=True)
        self._thread.start()

    @property
    def running(self) -> frozenset[str]:
        """The stems of the threads that are running."""
        with self._guard:
            return frozenset(self._stems)

    def propose(self, stored: Stored, choice: ModelChoice) -> str:
        """Propose the thread's next turn; returns the run's id. Raises UsageError when the thread is running."""

        async def events(run: str) -> AsyncIterator[TurnEvent]:
            tools, context = await self._equipment(stored, run)
            ahead = await asyncio.to_thread(ahead_of, self._workspace, stored.thread)
            model = self._model(choice)
            async for event in propose(stored.thread, stored.stem, model, tools, context, run=run, ahead=ahead):
                yield event

        return self.start(stored.stem, events)

    def propose_many(self, stored: Stored, choice: ModelChoice, count: int) -> str:
        """Propose `count` turns at once, as runs `{run}/1` …; see `core.runs.turn_loop.propose_many`."""

        async def events(run: str) -> AsyncIterator[TurnEvent]:
            tools, context = await self._equipment(stored, run)
            model = self._model(choice)
            ahead = await asyncio.to_thread(ahead_of, self._workspace, stored.thread)
            told: Any = {"count": count, "run": run, "ahead": ahead}
            async for event in propose_many(stored.thread, stored.stem, model, tools, context, **told):
                yield event

        return self.start(stored.stem, events)

    def run_to_end(self, stored: Stored, choice: ModelChoice, hint: str = "") -> str:
        """Run the thread to its end, saving every turn. `hint` is said to the model with each request, never stored."""

        async def events(run: str) -> AsyncIterator[TurnEvent]:
            tools, context = await self._equipment(stored, run)
            model, stem = self._model(choice), stored.stem

            def pausing() -> bool:
                return stem in self._pausing

            async for event in run_to_end(
                self._workspace, stored, model, tools, context, run=run, hint=hint, pausing=pausing
            ):
                yield event

        return self.start(stored.stem, events)

    def ask_beside(self, stored: Stored, choice: ModelChoice, work: AskBeside) -> str:
        """Ask the model for what is no turn: `work` gives a sentence, and the thread as it is saved if it changed."""

        async def events(run: str) -> AsyncIterator[TurnEvent]:
            sentence, changed = await work(
                self._workspace, stored, self._model(choice),
                lambda event: isinstance(event, Dropped) and self._tell(Dropped(run, event.name, event.sentence)),
            )  # fmt: skip
            if changed is not None:
                yield TurnAccepted(run, changed)
            yield Reported(run, sentence)

        return self.start(stored.stem, events)

    def propose_question(self, dataset: str, choice: ModelChoice, stem: str, seed: int | None = None) -> str:
        """Propose a question about a session of a dataset. `stem` names the run for `cancel`."""

        async def events(run: str) -> AsyncIterator[TurnEvent]:
            from core.datasets.standard import open_dataset

            opened = await asyncio.to_thread(open_dataset, self._workspace, dataset)
            model, prompt = self._model(choice), await asyncio.to_thread(asking_prompt, self._workspace)
            async for event in propose_question(opened.manifest, model, run=run, stem=stem, seed=seed, prompt=prompt):
                yield event

        return self.start(stem, events)

    def start(self, stem: str, make: Make) -> str:
        """Begin a run and return its id. Its last event is always a `TurnEnded`.

        Raises:
            UsageError: the thread is running already, or the runner is closed.
        """
        with self._guard:
            if self._closed:
                raise UsageError("the program is closing; nothing new is started")
            if stem in self._stems:
                raise UsageError(f"{stem} is running already; stop it first")
            run = f"{stem}#{next(self._numbers)}"
            self._stems[stem] = run
        self._loop.call_soon_threadsafe(self._begin, stem, run, make)
        return run

    def pause(self, stem: str) -> None:
        """End a thread's run to the end once its present turn is saved, if there is one."""

        def marked() -> None:
            if stem in self._tasks:
                self._pausing.add(stem)

        self._loop.call_soon_threadsafe(marked)

    def cancel(self, stem: str) -> None:
        """Stop a thread's run, if there is one; what came is reported in its `TurnEnded`."""
        self._loop.call_soon_threadsafe(self._cancel, stem)

    def close(self, timeout_sec: float = CLOSE_TIMEOUT_SEC) -> bool:
        """Stop every run, let each save and report its end, and stop the thread.

        Returns whether all ended in time; a tool that hangs is left behind.
        """
        with self._guard:
            if self._closed:
                return True
            self._closed = True
        ending = asyncio.run_coroutine_threadsafe(self._finish(timeout_sec), self._loop)
        try:
            ended = ending.result(timeout_sec + 2)
        except TimeoutError:
            ended = False
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2)
        if not self._thread.is_alive():
            self._loop.close()
        return ended

    def _begin(self, stem: str, run: str, make: Make) -> None:
        task = self._tasks[stem] = self._loop.create_task(self._run(stem, run, make))
        task.add_done_callback(lambda done: self._end(stem, run, done))

    def _end(self, stem: str, run: str, done: asyncio.Task[TurnEnded]) -> None:
        self._tasks.pop(stem, None)
        self._pausing.discard(stem)
        with self._guard:
            self._stems.pop(stem, None)
        self._tell(TurnEnded(run, stem, cancelled=True) if done.cancelled() else done.result())

    def _cancel(self, stem: str) -> None:
        if stem in self._tasks:
            self._tasks[stem].cancel()

    async def _run(self, stem: str, run: str, make: Make) -> TurnEnded:
        """Report a run's events; its end is returned, to be reported once the thread may run again."""
        ended = TurnEnded(run, stem)
        try:
            async for event in make(run):
                if isinstance(event, TurnEnded) and event.run == run:
                    ended = event
                else:
                    self._tell(event)
        except SensorloomError as error:
            ended = TurnEnded(run, stem, error=str(error))
        except Exception as error:
            _log.exception("run of %s failed", stem)
            ended = TurnEnded(run, stem, error=f"the run failed unexpectedly: {type(error).__name__}: {error}")
        return ended

    def _tell(self, event: TurnEvent) -> None:
        try:
            self._sink(event)
        except Exception:
            _log.exception("an event was not taken")  # whoever watches must not stop a run

    def _model(self, choice: ModelChoice) -> Model:
        if choice not in self._models:
            self._models[choice] = open_model(self._workspace, choice)
        return self._models[choice]

    async def _equipment(self, stored: Stored, run: str) -> tuple[Any, Any]:
        """The tools and what they work on; opened in a thread, since it reads files. Own tools that are not run, such
        as those of a file that changed since it was trusted, are told of."""
        from core.datasets.check import look_at_session
        from core.runs.toolbox import context_for, load_toolbox, offered_to

        def opened() -> tuple[Any, Any, tuple[str, ...]]:
            look_at_session(self._workspace, stored.thread.dataset, stored.thread.session)
            toolbox = load_toolbox(self._workspace)
            tools = offered_to(stored.thread, toolbox.tools)
            return tools, context_for(self._workspace, stored.thread, tools), toolbox.problems

        tools, context, problems = await asyncio.to_thread(opened)
        known, self._tool_problems = self._tool_problems, frozenset(problems)
        for problem in (problem for problem in problems if problem not in known):
            self._tell(Reported(run, problem))
        return tools, context

    async def _finish(self, timeout_sec: float) -> bool:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        done_in_time = True
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=timeout_sec)
            done_in_time = not pending
        await asyncio.sleep(0)  # the callbacks that report the ends run first
        for model in self._models.values():
            await model.aclose()
        return done_in_time
