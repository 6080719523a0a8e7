"""A batch made: begun or gone on with, seen from outside meanwhile, each of its threads noted in its file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from core.errors import UsageError
from core.model.endpoints import ModelChoice, choose
from core.runs.background import Background
from core.runs.batch import run_jobs
from core.runs.batch_live import shown_live
from core.runs.batches import Batch, open_batch
from core.runs.job import After, Job, Ran
from core.runs.pace import pace_for
from core.runs.progress import Meter, Progress
from core.runs.remembered import open_model
from core.runs.tally import Tally
from core.workspace import Workspace

Make = Callable[[Sequence[Job], Callable[[Ran], None]], Awaitable[Tally]]


async def run_batch(
    workspace: Workspace,
    name: str,
    jobs: Sequence[Job],
    meter: Meter,
    make: Make,
    ended: Callable[[Ran], None],
) -> Tally:
    """Make what is left of a batch, which whoever wants to stops, pauses and watches from outside.

    Args:
        workspace: where it is.
        name: the batch. Empty for jobs that are none, which are just made.
        jobs: in that case.
        meter: counts and paces its threads.
        make: carries out jobs, here or elsewhere, telling of each that is over.
        ended: told of each thread when it is over, and noted.

    Raises:
        UsageError: there is no such batch, or another process makes it.
    """
    if not name:
        return await make(jobs, ended)
    async with shown_live(workspace, name, meter):
        batch = open_batch(workspace, name)

        def noted(ran: Ran) -> None:
            batch.note_ended(ran)
            ended(ran)

        return await make(batch.left(workspace), noted)


def choice_of(
    workspace: Workspace, batch: Batch, endpoint: str = "", headers: Mapping[str, str] | None = None
) -> ModelChoice:
    """Whom a batch is gone on with.

    Args:
        workspace: where it is.
        batch: the batch.
        endpoint: instead of its own.
        headers: what goes with its requests: a batch keeps none.

    Raises:
        UsageError: it is of another folder of threads, or of an endpoint that is not there, or not trusted here.
    """
    setup = batch.setup
    if setup.threads != workspace.shown(workspace.threads):
        raise UsageError(f"batch {batch.name} makes threads in {setup.threads}: give --threads {setup.threads}")
    if workspace.undecided is not None and "://" in setup.endpoint and not endpoint:
        raise UsageError(
            f"batch {batch.name} sends threads to {setup.endpoint}, and this folder is not trusted: say --endpoint, or "
            "`sensorloom trust`"
        )
    options = {**setup.options, "headers": headers or None}
    return choose(workspace, endpoint or setup.endpoint, setup.model, seed=setup.seed, **options)


class BatchRun:
    """A batch that goes on by itself. All methods may be called from any thread."""

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        *,
        over: Callable[[BatchRun], object],
        after: After | None = None,
        choice: ModelChoice | None = None,
    ) -> None:
        """Args:
        workspace: where it is.
        name: the batch.
        over: called on its thread when it is over.
        after: looks after each of its threads that is over.
        choice: whom to ask; as the batch has it unless told.
        """
        self._workspace = workspace
        self._after = after
        self._choice = choice
        self._meter: Meter | None = None
        self._background = Background(f"the batch {name}", self._make, lambda problem: self._ended(problem, over))
        self.name = name
        self.is_over = False
        self.problem = ""
        """What went wrong, in a sentence; set when it is over."""
        self.finished = self.right = self.not_begun = 0
        """How many of its threads were finished here, how many of them are right, and how many were not begun, since
        what failed would meet them too."""

    @property
    def progress(self) -> Progress | None:
        """How far it is; None until it has begun."""
        return self._meter and self._meter.progress

    def start(self) -> None:
        """Begin, or go on with what is left."""
        self._background.start()

    def stop(self) -> None:
        """Begin no more, and stop what is under way; what is done is kept."""
        self._background.stop()

    def close(self) -> None:
        """Stop, and wait until what came is saved."""
        self._background.close()

    async def _make(self) -> None:
        batch = open_batch(self._workspace, self.name)
        setup, choice = batch.setup, self._choice or choice_of(self._workspace, batch)
        if setup.ways:
            raise UsageError(f"`sensorloom run --resume {self.name}` goes on with it, and sorts out its ways")
        self._meter = meter = Meter(pace_for(choice, setup.parallel), len(setup.jobs), len(batch.over))
        model = open_model(self._workspace, choice)
        try:

            async def make(jobs: Sequence[Job], ended: Callable[[Ran], None]) -> Tally:
                told: Any = {"meter": meter, "ended": ended, "keep_empty": setup.keep_empty, "after": self._after}
                return await run_jobs(self._workspace, jobs, model, **told)

            tally = await run_batch(self._workspace, self.name, (), meter, make, self._count)
        finally:
            await model.aclose()
        if tally.for_all:
            self.not_begun = meter.progress.left

    def _count(self, ran: Ran) -> None:
        self.finished += ran.finished
        self.right += ran.finished and ran.thread is not None and ran.thread.metadata.get("is_correct") is True

    def _ended(self, problem: str, over: Callable[[BatchRun], object]) -> None:
        self.problem, self.is_over = problem, True
        over(self)
