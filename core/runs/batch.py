"""Running many threads to their end, a few at once: new ones for sessions drawn at random, or those there are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from core.model.client import Model
from core.runs.events import TurnEvent
from core.runs.job import Job, Ran, carry_out
from core.runs.pace import pace_for
from core.runs.progress import Meter
from core.thread.scoring import asks_for_a_label, kind_in
from core.thread.value import Thread
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
) -> list[Ran]:
    """Carry out the jobs, several at once, in their order. What is done stays done when the task is cancelled. After an
    error that would meet every other job too, no more are begun. Gives what became of each that was, in their order.

    Args:
        workspace: where the threads are.
        jobs: what to run.
        model: who makes the turns.
        ended: told of each thread when it is over.
        parallel: how many threads run at the same time; see `core.runs.pace.pace_for`.
        meter: decides that instead, and counts what comes of them.
        watch: told of every event; of what the crew does, as `Crew.carry_out` has it.
        tools: what the model is offered; the workspace's tools unless told.
        keep_empty: whether a new thread stays to which nothing came.
        crew: the processes that carry out the jobs, with the workspace's tools, from when it has any.
    """
    from core.runs.toolbox import open_toolbox

    offered = await asyncio.to_thread(open_toolbox, workspace) if tools is None else tools
    here = partial(carry_out, workspace, model=model, tools=offered, keep_empty=keep_empty)
    meter = meter or Meter(pace_for(model.choice, parallel), len(jobs))
    under_way = _UnderWay(meter.pace.end_thread)
    results: dict[int, Ran] = {}

    def seen(job: Job, event: TurnEvent) -> None:
        meter.hear(event)
        if watch is not None:
            watch(job, event)

    async def work(number: int, job: Job) -> None:
        where = crew.carry_out if crew is not None and crew.is_there else here
        result = results[number] = await where(job, watch=seen, pace=meter.pace)
        under_way.stopping = under_way.stopping or result.for_all or result.cancelled
        meter.hear(result)
        ended(result)

    try:
        for number, job in enumerate(jobs):
            await meter.pace.begin_thread()
            if under_way.stopping or under_way.failed:  # also where a job came to its own end at the moment of the stop
                meter.pace.end_thread()
                break
            under_way.begin(work(number, job))
        await under_way.ended()
    except asyncio.CancelledError:
        meter.stopped = True
        await under_way.stopped()
    return [results[number] for number in sorted(results)]


class _UnderWay:
    """The tasks that are not over yet."""

    def __init__(self, over: Callable[[], object]) -> None:
        """Args: `over` is called when one is over."""
        self.failed: list[BaseException] = []
        """What those raised that did not come to their own end."""
        self.stopping = False
        """Whether no more are to be begun."""
        self._over = over
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed.append(error)
        self._over()

    async def ended(self) -> None:
        """Wait until all are over. Raises what one of them raised."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self.failed:
            raise self.failed[0]

    async def stopped(self) -> None:
        """Stop all, and wait until they are over."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=CANCEL_AGAIN_SEC)


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How often the answer was right for one true label, or for one kind of question."""

    label: str
    finished: int
    correct: int


def per_class(threads: Iterable[Thread]) -> list[ClassCount]:
    """Finished and right answers for each true label, sorted by label; threads without a label are left out, and those
    that ask for something else than a label."""
    return _counted((thread.truth, thread) for thread in threads if asks_for_a_label(kind_in(thread.metadata)))


def per_kind(threads: Iterable[Thread]) -> list[ClassCount]:
    """Finished and right answers for each kind of question, sorted by name; threads without a truth are left out."""
    return _counted((kind_in(thread.metadata), thread) for thread in threads)


def _counted(threads: Iterable[tuple[str, Thread]]) -> list[ClassCount]:
    counts: dict[str, list[int]] = {}
    for name, thread in threads:
        if thread.truth and thread.status == "finished":
            count = counts.setdefault(name, [0, 0])
            count[0] += 1
            count[1] += thread.metadata.get("is_correct") is True
    return [ClassCount(name, finished, correct) for name, (finished, correct) in sorted(counts.items())]
