"""A batch made: begun or gone on with, seen from outside meanwhile, each of its threads noted in its file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from core.errors import UsageError
from core.model.endpoints import ModelChoice, choose
from core.runs.background import Background
from core.runs.batch_live import shown_live
from core.runs.batches import Batch, open_batch
from core.runs.crew_needed import Watching, run_on_cores
from core.runs.job import After, Job, Ran
from core.runs.pace import pace_for
from core.runs.progress import Meter, Progress
from core.runs.remembered import open_model
from core.runs.tally import Tally
from core.workspace import Workspace

Make = Callable[[Sequence[Job], Callable[[Ran], None]], Awaitable[Tally]]
TELL_SEC = 0.5
"""Between two words of what a batch has come to."""


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


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a batch that goes on by itself has come to."""

    progress: Progress
    finished: int = 0
    """How many of its threads were finished since it was begun or gone on with."""
    right: int = 0
    """How many of those are right."""
    not_begun: int = 0
    """How many were not begun, since what failed would meet them too."""


class BatchRun:
    """A batch that goes on by itself, in a process of its own. All methods may be called from any thread."""

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
        over: called on a thread of its own when it is over.
        after: looks after each of its threads that is over; a function of a module.
        choice: whom to ask; as the batch has it unless told.
        """
        self._background = Background(
            f"the batch {name}", make_batch, workspace, name, after, choice, heard=self._hear, ended=self._ended
        )
        self._over = over
        self.name = name
        self.is_over = False
        self.problem = ""
        """What went wrong, in a sentence; set when it is over."""
        self.so_far: SoFar | None = None
        """What it has come to; None until it has begun."""

    def start(self) -> None:
        """Begin, or go on with what is left."""
        self._background.start()

    def stop(self) -> None:
        """Begin no more, and stop what is under way; what is done is kept."""
        self._background.stop()

    def close(self) -> None:
        """Stop, and wait until what came is saved."""
        self._background.close()

    def _hear(self, so_far: SoFar) -> None:
        self.so_far = so_far

    def _ended(self, problem: str) -> None:
        self.problem, self.is_over = problem, True
        self._over(self)


async def make_batch(
    tell: Callable[[SoFar], object], workspace: Workspace, name: str, after: After | None, choice: ModelChoice | None
) -> None:
    """Make what is left of a batch, and tell what it comes to; the arguments are those of `BatchRun`. Raises
    SensorloomError."""
    batch = open_batch(workspace, name)
    setup, choice = batch.setup, choice or choice_of(workspace, batch)
    if setup.ways:
        raise UsageError(f"`sensorloom run --resume {name}` goes on with it, and sorts out its ways")
    meter = Meter(pace_for(choice, setup.parallel), len(setup.jobs), len(batch.over))
    finished, right = 0, 0

    def count(ran: Ran) -> None:
        nonlocal finished, right
        finished += ran.finished
        right += ran.finished and ran.thread is not None and ran.thread.metadata.get("is_correct") is True

    async def telling() -> None:
        while True:
            tell(SoFar(meter.progress, finished, right))
            await asyncio.sleep(TELL_SEC)

    model = open_model(workspace, choice)
    make = partial(run_on_cores, workspace, model, Watching(meter), keep_empty=setup.keep_empty, after=after)
    told, not_begun = asyncio.create_task(telling()), 0
    try:
        tally = await run_batch(workspace, name, (), meter, make, count)
        not_begun = meter.progress.left if tally.for_all else 0
    finally:
        told.cancel()
        tell(SoFar(meter.progress, finished, right, not_begun))
        await model.aclose()
