"""When a run has processes beside its own: those that a person asked for, or as soon as one core is not enough."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from core.errors import DatasetError, SensorloomError
from core.model.client import Model
from core.model.endpoints import ModelChoice
from core.processes.starting import allow_many_files, cores
from core.runs.batch import run_jobs
from core.runs.crew import Crew
from core.runs.events import TurnEvent
from core.runs.job import After, Job, Ran
from core.runs.progress import Meter
from core.runs.tally import Tally
from core.workspace import Workspace

MOST = 16
"""Processes, where nobody named a number: beyond, the one that they are told by is what one waits for."""
LOOK_SEC, LOOKS = 1.0, 3
"""How often it is looked how busy this process is, and how often in a row that must be too much."""
BUSY = 0.8
"""Of one core."""
WORTH_SEC = 20.0
"""What would be over sooner than this at the rate of late is not worth starting processes for, which takes seconds."""


@dataclass(frozen=True, slots=True)
class Watching:
    """Who sees how a run goes."""

    meter: Meter
    """Counts and paces its threads."""
    watch: Callable[[Job, TurnEvent], None] | None = None
    """Told of the events of its threads; of those of other processes as `Crew.carry_out` has it."""
    tell: Callable[[str], object] = lambda _: None
    """Told a sentence that a person may want to know."""


async def run_on_cores(
    workspace: Workspace,
    model: Model,
    watching: Watching,
    jobs: Sequence[Job],
    ended: Callable[[Ran], None],
    *,
    workers: int | None = None,
    keep_empty: bool = False,
    with_tools: bool = True,
    after: After | None = None,
) -> Tally:
    """Carry out the jobs as `core.runs.batch.run_jobs` does, in this process or in several: see `crew_for`.
    `with_tools` says whether the model is offered any."""
    allow_many_files()
    told = watching.tell
    crew_of = crew_for(
        workspace, model.choice, jobs, watching.meter, workers, told, keep_empty=keep_empty, with_tools=with_tools
    )
    async with crew_of as crew:
        return await run_jobs(
            workspace,
            jobs,
            model,
            ended=ended,
            meter=watching.meter,
            watch=watching.watch,
            tools=None if with_tools else (),
            keep_empty=keep_empty,
            crew=crew,
            after=after,
        )


@asynccontextmanager
async def crew_for(
    workspace: Workspace,
    choice: ModelChoice,
    jobs: Sequence[Job],
    meter: Meter,
    workers: int | None,
    tell: Callable[[str], object],
    *,
    keep_empty: bool = False,
    with_tools: bool = True,
) -> AsyncGenerator[Crew | None]:
    """The processes of a run while it goes on; None where there are to be none.

    Args:
        workspace: where it works.
        choice: whom it asks.
        jobs: what it is to do.
        meter: how far it is.
        workers: how many processes; as many as there are cores, up to `MOST`, once they help, unless told; never more
            than jobs.
        tell: told a sentence when some are started by themselves.
        keep_empty: whether a new thread stays to which nothing came.
        with_tools: whether the model is offered any.

    Raises:
        SensorloomError: a process that was asked for cannot be started.
    """
    count = min(len(jobs), MOST, cores()) if workers is None else min(len(jobs), workers)
    if count < 2:
        yield None
        return
    crew = Crew(workspace, choice, count, keep_empty=keep_empty, with_tools=with_tools)
    looking: asyncio.Task[None] | None = None
    try:
        if workers is None:
            looking = asyncio.create_task(_start_when_busy(crew, meter, count, tell))
        else:
            await asyncio.to_thread(_tables_made, workspace, jobs)
            await crew.start()
        yield crew
    finally:
        if looking is not None:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
        await crew.close()


def _tables_made(workspace: Workspace, jobs: Sequence[Job]) -> None:
    """What is derived of the datasets, made here, where a person sees how far it is, before many would wait for it."""
    from core.datasets.standard import open_dataset

    for name in sorted({job.dataset for job in jobs if job.dataset}):
        with suppress(DatasetError):  # each thread says what is wrong with it
            dataset = open_dataset(workspace, name)
            dataset.features()
            if any(job.dataset == name and job.evidence == "measure" for job in jobs):
                dataset.measurements()


async def _start_when_busy(crew: Crew, meter: Meter, count: int, tell: Callable[[str], object]) -> None:
    """Start the processes when this one's core is what the run waits for, and will be for a while."""
    busy = 0
    wall, cpu = time.monotonic(), time.process_time()
    while busy < LOOKS:
        await asyncio.sleep(LOOK_SEC)
        then, wall, spent, cpu = wall, time.monotonic(), cpu, time.process_time()
        left_sec = meter.progress.left_sec
        is_busy = cpu - spent > BUSY * (wall - then) and left_sec is not None and left_sec > WORTH_SEC
        busy = busy + 1 if is_busy else 0
    try:
        await crew.start()
    except SensorloomError as error:
        tell(f"one core is not enough for the rate of these replies, and it is all there is: {error}")
    else:
        tell(f"one core is not enough for the rate of these replies: {count} processes go on")
