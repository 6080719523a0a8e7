"""Running many threads to their end, a few at once: new ones for sessions drawn at random, or those there are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.model.client import Model
from core.runs.events import TurnEvent
from core.runs.job import Job, Ran, carry_out
from core.thread.scoring import asks_for_a_label, kind_in
from core.thread.value import Thread
from core.workspace import Workspace

if TYPE_CHECKING:
    from tools.registry import Tool

_log = logging.getLogger(__name__)
CANCEL_AGAIN_SEC = 5.0
"""A job that did not end in this time is told once more: what it waits for may have taken the first for its own."""


async def run_jobs(
    workspace: Workspace,
    jobs: Sequence[Job],
    model: Model,
    *,
    parallel: int,
    ended: Callable[[Ran], None],
    watch: Callable[[Job, TurnEvent], None] | None = None,
    tools: Sequence[Tool] | None = None,
    keep_empty: bool = False,
) -> list[Ran]:
    """Carry out the jobs, `parallel` at once, in their order. What is done stays done when the task is cancelled. After
    an error that would meet every other job too, no more are begun.

    Args:
        workspace: where the threads are.
        jobs: what to run.
        model: who makes the turns.
        parallel: how many threads run at the same time.
        ended: told of each thread when it is over.
        watch: told of every event.
        tools: what the model is offered; the workspace's tools unless told.
        keep_empty: whether a new thread stays to which nothing came.

    Returns:
        What became of each job that was begun, in the jobs' order.
    """
    from core.runs.toolbox import open_toolbox

    offered = await asyncio.to_thread(open_toolbox, workspace) if tools is None else tools
    waiting: Iterator[tuple[int, Job]] = iter(enumerate(jobs))
    results: dict[int, Ran] = {}
    stopping = False

    async def work() -> None:
        nonlocal stopping
        for number, job in waiting:
            if stopping:  # also where a job came to its own end at the moment of the stop
                return
            result = await carry_out(workspace, job, model, offered, watch or _unwatched, keep_empty=keep_empty)
            results[number] = result
            ended(result)
            stopping = stopping or result.for_all
            if result.cancelled:
                return

    workers = [asyncio.create_task(work()) for _ in range(min(parallel, len(jobs)))]
    try:
        await asyncio.gather(*workers)
    except asyncio.CancelledError:
        stopping = True
        while under_way := [worker for worker in workers if not worker.done()]:
            for worker in under_way:
                worker.cancel()
            await asyncio.wait(under_way, timeout=CANCEL_AGAIN_SEC)
    return [results[number] for number in sorted(results)]


def _unwatched(job: Job, event: TurnEvent) -> None:
    pass


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
