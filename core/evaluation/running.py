"""An evaluation that runs on a thread of its own: begun or gone on with, watched, stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.curate.prompts import examples_lacking
from core.evaluation.asking import alone, ask_contestant, choice_for, not_begun
from core.evaluation.contest import Contestant, Evaluation, missing
from core.model.refusals import Dropped
from core.runs.background import Background
from core.runs.events import TurnEvent
from core.runs.job import Job, Ran
from core.runs.remembered import open_model
from core.workspace import Workspace

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
        self._lacking = False
        self.progress = Progress(evaluation.name)
        self._background = Background("the evaluation", self._all, self._over)

    def start(self) -> None:
        """Begin, or go on with what is missing."""
        self._background.start()

    def stop(self) -> None:
        """Ask no more; what is done is kept, and can be gone on with."""
        self._background.stop()

    def close(self) -> None:
        """Stop, and wait until what came is saved."""
        self._background.close()

    def _over(self, problem: str) -> None:
        last, stopped = self.progress, self._background.stopping
        self._told(replace(last, over=True, stopped=stopped, problem=problem or last.problem))

    async def _all(self) -> None:
        with alone(self._workspace, self._evaluation):
            await self._ask_all()

    async def _ask_all(self) -> None:
        evaluation = self._evaluation
        left = [
            (who, await asyncio.to_thread(missing, self._workspace, evaluation, who)) for who in evaluation.contestants
        ]
        self._told(replace(self.progress, of=sum(len(jobs) for _, jobs in left)))
        for contestant, jobs in left:
            if jobs and not self._background.stopping:
                self._told(replace(self.progress, contestant=contestant.key))
                await self._ask(contestant, jobs)

    async def _ask(self, contestant: Contestant, jobs: Sequence[Job]) -> None:
        """Run what is missing of one contestant."""
        evaluation = self._evaluation
        model = open_model(self._workspace, choice_for(self._workspace, evaluation, contestant))
        try:
            tally = await ask_contestant(
                self._workspace, evaluation, contestant, jobs, model, ended=self._ended, watch=self._watch
            )
        finally:
            await model.aclose()
        if unbegun := not_begun(jobs, tally):
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
