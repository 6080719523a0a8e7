"""An evaluation that runs in a process of its own: begun or gone on with, watched, stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.curate.prompts import examples_lacking
from core.evaluation.asking import alone, ask_contestant, choice_for, not_begun
from core.evaluation.contest import Contestant, Evaluation, missing
from core.model.refusals import Dropped
from core.runs.background import Background
from core.runs.crew_needed import Watching
from core.runs.events import TurnEvent
from core.runs.job import Job, Ran
from core.runs.pace import pace_for
from core.runs.progress import Meter
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
    """One evaluation under way, in a process of its own. All methods may be called from any thread."""

    def __init__(self, workspace: Workspace, evaluation: Evaluation, tell: Callable[[Progress], object]) -> None:
        """Args: `tell` is called on a thread of the run's own after each of its threads, and at the end."""
        self._tell = tell
        self.progress = Progress(evaluation.name)
        self._background = Background(
            "the evaluation", ask_all, workspace, evaluation, heard=self._told, ended=self._over
        )

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

    def _told(self, progress: Progress) -> None:
        self.progress = progress
        try:
            self._tell(progress)
        except Exception:
            _log.exception("the progress of an evaluation was not heard")  # whoever watches must not stop it


async def ask_all(tell: Callable[[Progress], object], workspace: Workspace, evaluation: Evaluation) -> None:
    """Ask everything that is missing of an evaluation, and tell how far it is. Raises SensorloomError."""
    with alone(workspace, evaluation):
        left = [(who, await asyncio.to_thread(missing, workspace, evaluation, who)) for who in evaluation.contestants]
        asking = _Asking(tell, Progress(evaluation.name, of=sum(len(jobs) for _, jobs in left)))
        for contestant, jobs in left:
            if jobs and not asking.stopped:
                asking.change(contestant=contestant.key)
                await _ask(asking, workspace, evaluation, contestant, jobs)


async def _ask(
    asking: _Asking, workspace: Workspace, evaluation: Evaluation, contestant: Contestant, jobs: Sequence[Job]
) -> None:
    """Run what is missing of one contestant."""
    choice = choice_for(workspace, evaluation, contestant)
    meter, model = Meter(pace_for(choice), len(jobs)), open_model(workspace, choice)
    try:
        watching = Watching(meter, asking.watch, asking.note)
        tally = await ask_contestant(workspace, evaluation, contestant, jobs, model, watching, ended=asking.ended)
    finally:
        await model.aclose()
    asking.stopped = asking.stopped or meter.stopped
    if unbegun := not_begun(jobs, tally):
        asking.change(failed=asking.progress.failed + unbegun)


class _Asking:
    """How far it is, where it is asked."""

    def __init__(self, tell: Callable[[Progress], object], progress: Progress) -> None:
        self._tell = tell
        self._lacking = self.stopped = False
        self.progress = progress
        tell(progress)

    def change(self, **changes: Any) -> None:
        """Tell of a progress with changes."""
        self.progress = replace(self.progress, **changes)
        self._tell(self.progress)

    def ended(self, ran: Ran) -> None:
        """Count a thread that is over."""
        last = self.progress
        if not ran.cancelled:
            failed = last.failed + bool(ran.error)
            self.change(done=last.done + 1, failed=failed, problem=ran.error or last.problem)
            if not self._lacking and ran.thread is not None and (told := examples_lacking(ran.thread)):
                self._lacking = True  # of the others the same could be said
                self.note(told)

    def watch(self, _: Job, event: TurnEvent) -> None:
        """Take what a person should know of the events."""
        if isinstance(event, Dropped):
            self.note(event.sentence)

    def note(self, sentence: str) -> None:
        """Tell what a person should know besides, once."""
        if sentence not in self.progress.notes:
            self.change(notes=(*self.progress.notes, sentence))
