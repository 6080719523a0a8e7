"""An evaluation that runs on a thread of its own: begun or gone on with, watched, stopped."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.curate.prompts import examples_lacking
from core.errors import SensorloomError
from core.evaluation.asking import ask_contestant, choice_for, not_begun
from core.evaluation.contest import Contestant, Evaluation, missing
from core.model.refusals import Dropped
from core.runs.events import TurnEvent
from core.runs.job import Job, Ran
from core.runs.remembered import open_model
from core.workspace import Workspace

CLOSE_TIMEOUT_SEC = 5.0
"""How long `close` waits for threads to be saved."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an evaluation under way is."""

    name: str
    contestant: str = ""
    """Who is asked now, by its key."""
    done: int = 0
    """Threads that came to their end since this was begun or gone on with."""
    of: int = 0
    """Of how many."""
    failed: int = 0
    problem: str = ""
    """What failed last, in a sentence."""
    notes: tuple[str, ...] = ()
    """What a person should know besides: what servers would not be asked, and that examples are lacking."""
    over: bool = False
    stopped: bool = False


class EvaluationRun:
    """One evaluation under way. All methods may be called from any thread."""

    def __init__(self, workspace: Workspace, evaluation: Evaluation, tell: Callable[[Progress], object]) -> None:
        """Args: `tell` is called on the run's thread after each of its threads, and at the end."""
        self._workspace = workspace
        self._evaluation = evaluation
        self._tell = tell
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._stopping = self._lacking = False
        self.progress = Progress(evaluation.name)
        self._thread = threading.Thread(target=self._work, name="evaluation", daemon=True)

    def start(self) -> None:
        """Begin, or go on with what is missing."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; what is done is kept, and can be gone on with."""
        self._stopping = True
        if not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._cancel)
            except RuntimeError:  # it ended just now
                return

    def close(self) -> None:
        """Stop, and wait until what came is saved."""
        if self._thread.is_alive():
            self.stop()
            self._thread.join(CLOSE_TIMEOUT_SEC)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        problem = ""
        try:
            self._task = self._loop.create_task(self._all())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            self._stopping = True
        except SensorloomError as error:
            problem = str(error)
        except Exception as error:
            _log.exception("evaluation %s failed", self._evaluation.name)
            problem = f"the evaluation failed unexpectedly: {type(error).__name__}: {error}"
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
        last = self.progress
        self._told(replace(last, over=True, stopped=self._stopping, problem=problem or last.problem))

    async def _all(self) -> None:
        evaluation = self._evaluation
        left = [
            (who, await asyncio.to_thread(missing, self._workspace, evaluation, who)) for who in evaluation.contestants
        ]
        self._told(replace(self.progress, of=sum(len(jobs) for _, jobs in left)))
        for contestant, jobs in left:
            if jobs and not self._stopping:
                self._told(replace(self.progress, contestant=contestant.key))
                await self._ask(contestant, jobs)

    async def _ask(self, contestant: Contestant, jobs: Sequence[Job]) -> None:
        """Run what is missing of one contestant."""
        evaluation = self._evaluation
        model = open_model(self._workspace, choice_for(self._workspace, evaluation, contestant))
        try:
            ran = await ask_contestant(
                self._workspace, evaluation, contestant, jobs, model, ended=self._ended, watch=self._watch
            )
        finally:
            await model.aclose()
        if unbegun := not_begun(jobs, ran):
            self._told(replace(self.progress, failed=self.progress.failed + unbegun))

    def _ended(self, ran: Ran) -> None:
        last = self.progress
        if not ran.cancelled:
            failed = last.failed + bool(ran.error)
            self._told(replace(last, done=last.done + 1, failed=failed, problem=ran.error or last.problem))
            if not self._lacking and ran.thread is not None and (told := examples_lacking(ran.thread)):
                self._lacking = True  # of the others the same could be said
                self._note(told)

    def _watch(self, _: Job, event: TurnEvent) -> None:
        if isinstance(event, Dropped):
            self._note(event.sentence)

    def _note(self, sentence: str) -> None:
        if sentence not in self.progress.notes:
            self._told(replace(self.progress, notes=(*self.progress.notes, sentence)))

    def _told(self, progress: Progress) -> None:
        self.progress = progress
        try:
            self._tell(progress)
        except Exception:
            _log.exception("the progress of an evaluation was not heard")  # whoever watches must not stop it
