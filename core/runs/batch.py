"""Running many threads to their end, a few at once: new ones for sessions drawn at random, or those there are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from core.model.client import Model
from core.runs.events import TurnEvent
from core.runs.job import After, Job, Ran, carry_out, looked_after
from core.runs.pace import Pace, pace_for
from core.runs.progress import Meter
from core.runs.tally import Tally, counted_in
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.runs.crew import Crew
    from tools.registry import Tool

_log = logging.getLogger(__name__)
CANCEL_AGAIN_SEC = 5.0
"""A job that did not end in this time is told once more: what it waits for may have taken the first for its own."""


async def run_jobs(
    workspace: Workspace,
    jobs: Sequence[Job],
    model: Model,
    *,
    ended: Callable[[Ran], None],
    parallel: int | None = None,
    meter: Meter | None = None,
    watch: Callable[[Job, TurnEvent], None] | None = None,
    tools: Sequence[Tool] | None = None,
    keep_empty: bool = False,
    crew: Crew | None = None,
    after: After | None = None,
) -> Tally:
    """Carry out the jobs, several at once, begun in their order. What is done stays done when the task is cancelled.
    After an error that would meet every other job too, no more are begun. Gives the counts of what came of them.

    Args:
        workspace: where the threads are.
        jobs: what to run.
        model: who makes the turns.
        ended: told of each thread when it is over, once; whoever wants more of it than is counted keeps that.
        parallel: how many threads run at the same time; see `core.runs.pace.pace_for`.
        meter: decides that instead, and counts what comes of them.
        watch: told of every event; of what the crew does, as `Crew.carry_out` has it.
        tools: what the model is offered; the workspace's tools unless told.
        keep_empty: whether a new thread stays to which nothing came.
        crew: the processes that carry out the jobs, with the workspace's tools, from when it has any.
        after: looks after each thread that is over, before `ended` is told.
    """
    from core.runs.toolbox import open_toolbox

    offered = await asyncio.to_thread(open_toolbox, workspace) if tools is None else tools
    here = partial(carry_out, workspace, model=model, tools=offered, keep_empty=keep_empty)
    meter = meter or Meter(pace_for(model.choice, parallel), len(jobs))
    under_way = _UnderWay(meter.pace)
    tally = Tally()

    def seen(job: Job, event: TurnEvent) -> None:
        meter.hear(event)
        if watch is not None:
            watch(job, event)

    async def work(job: Job) -> None:
        nonlocal tally
        where = crew.carry_out if crew is not None and crew.is_there else here
        result = await looked_after(workspace, await where(job, watch=seen, pace=meter.pace), after)
        tally = counted_in(tally, result)
        under_way.stopping = under_way.stopping or result.for_all or result.cancelled
        meter.hear(result)
        ended(result)

    try:
        await under_way.carry_out(jobs, work)
    except asyncio.CancelledError:
        meter.stopped = True
        await under_way.stopped()
    return tally


class _UnderWay:
    """The tasks that are not over yet."""

    def __init__(self, pace: Pace) -> None:
        """Args: `pace` says when another one may begin."""
        self.failed: list[BaseException] = []
        """What those raised that did not come to their own end."""
        self.stopping = False
        """Whether no more are to be begun."""
        self._pace = pace
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry_out(self, jobs: Iterable[Job], work: Callable[[Job], Coroutine[None, None, None]]) -> None:
        """Begin the jobs in their order, each once there is room, and wait until all are over. Raises what one of them
        raised."""
        for job in jobs:
            await self._pace.begin_thread()
            if self.stopping or self.failed:  # also where a job came to its own end at the moment of the stop
                self._pace.end_thread()
                break
            self._begin(work(job))
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self.failed:
            raise self.failed[0]

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed.append(error)
        self._pace.end_thread()

    async def stopped(self) -> None:
        """Stop all, and wait until they are over."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=CANCEL_AGAIN_SEC)
