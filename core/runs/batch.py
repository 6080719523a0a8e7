"""Running many threads to their end, a few at once: new ones for sessions drawn at random, or those there are."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.datasets.facts import holds_several
from core.errors import ModelError, SensorloomError, UsageError
from core.model.client import Model
from core.model.reply import Waiting
from core.runs.cancelling import in_full
from core.runs.events import QueryProposed, TurnAccepted, TurnEnded, TurnEvent
from core.runs.question import propose_question
from core.runs.turn_loop import run_to_end
from core.storage.store import Stored, read
from core.thread.evidence import Evidence, evidence_of
from core.thread.hint import UNCHECKED
from core.thread.proposal import Proposal
from core.thread.scoring import asks_for_a_label, kind_in
from core.thread.updates import with_metadata
from core.thread.value import Thread, is_assistant
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset
    from core.thread.kinds import Asked
    from tools.registry import Tool


_log = logging.getLogger(__name__)
CANCEL_AGAIN_SEC = 5.0
"""A job that did not end in this time is told once more: what it waits for may have taken the first for its own."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thread to run: a new one about a session, or the stored one `stem`."""

    dataset: str = ""
    session: str = ""
    question: str = ""
    """The question of a new thread; proposed by the model when empty."""
    seed: int | None = None
    stem: str = ""
    max_turns: int | None = None
    evidence: Evidence | None = None
    """Of a new thread; as the settings have it unless told."""
    asked: Asked | None = None
    """Of a new thread that asks for something else than the activity: the question, its kind and its truth."""
    hint: Callable[[Thread], str] | None = None
    """Makes of the new thread what is said to the model with every request and stored nowhere."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a job."""

    job: Job
    stored: Stored | None = None
    """The thread as it stands on disk; None when none was begun."""
    error: str = ""
    cancelled: bool = False
    seconds: float = 0.0

    @property
    def thread(self) -> Thread | None:
        """The thread, if one was begun."""
        return self.stored.thread if self.stored else None

    @property
    def finished(self) -> bool:
        """Whether the thread ends with a final answer."""
        return self.thread is not None and self.thread.status == "finished"


def draw_sessions(dataset: StandardDataset, count: int, seed: int, among: Collection[str] | None = None) -> list[str]:
    """`count` sessions at random, spread over the labels as evenly as there are sessions; of `among` where it is given.
    Sessions of several activities are left out.

    Raises:
        UsageError: the dataset has fewer.
    """
    chance = random.Random(seed)
    by_label: dict[str, list[str]] = {}
    sessions = dataset.sessions if among is None else among
    for session in sorted(session for session in sessions if not holds_several(dataset, session)):
        by_label.setdefault(dataset.labels[session][0], []).append(session)
    there = sum(map(len, by_label.values()))
    if count > there:
        which = "labelled sessions" if among is None else "sessions so difficult"
        raise UsageError(f"{dataset.name} has {there} {which}, fewer than the {count} asked for")
    groups = [chance.sample(group, len(group)) for _, group in sorted(by_label.items())]
    drawn: list[str] = []
    while len(drawn) < count:
        chance.shuffle(groups)
        drawn += [group.pop() for group in groups if group]
    return drawn[:count]


async def run_jobs(
    workspace: Workspace,
    jobs: Sequence[Job],
    model: Model,
    *,
    parallel: int,
    ended: Callable[[Ran], None],
    watch: Callable[[Job, TurnEvent], None] | None = None,
    tools: Sequence[Tool] | None = None,
) -> list[Ran]:
    """Carry out the jobs, `parallel` at once, in their order. What is done stays done when the task is cancelled.

    Args:
        workspace: where the threads are.
        jobs: what to run.
        model: who makes the turns.
        parallel: how many threads run at the same time.
        ended: told of each thread when it is over.
        watch: told of every event.
        tools: what the model is offered; the workspace's tools unless told.

    Returns:
        What became of each job that was begun, in the jobs' order.
    """
    from core.runs.toolbox import open_toolbox

    offered = await asyncio.to_thread(open_toolbox, workspace) if tools is None else tools
    waiting: Iterator[tuple[int, Job]] = iter(enumerate(jobs))
    results: dict[int, Ran] = {}
    stopping = False

    async def work() -> None:
        for number, job in waiting:
            if stopping:  # also where a job came to its own end at the moment of the stop
                return
            result = await _carry_out(workspace, job, model, offered, watch or _unwatched)
            results[number] = result
            ended(result)
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


async def _carry_out(
    workspace: Workspace,
    job: Job,
    model: Model,
    tools: Sequence[Tool],
    watch: Callable[[Job, TurnEvent], None],
) -> Ran:
    started = time.monotonic()
    stored: Stored | None = None
    ended = TurnEnded("", job.stem)
    try:
        async with aclosing(_events(workspace, job, model, tools)) as events:
            async for event in events:
                match event:
                    case Stored():
                        stored = event
                        continue
                    case TurnAccepted():
                        stored = event.stored
                    case TurnEnded():
                        ended = event
                    case _:
                        pass
                watch(job, event)
        if stored and ended.partial:
            stored, _ = await in_full(_with_partial_aside, workspace, stored, ended.partial)
    except asyncio.CancelledError:
        ended = replace(ended, cancelled=True)
    except SensorloomError as error:
        ended = replace(ended, error=str(error))
    except Exception as error:
        _log.exception("run of %s failed", job.stem or job.session)
        ended = replace(ended, error=f"the run failed unexpectedly: {type(error).__name__}: {error}")
    return Ran(job, stored, ended.error, ended.cancelled, time.monotonic() - started)


async def _events(
    workspace: Workspace, job: Job, model: Model, tools: Sequence[Tool]
) -> AsyncGenerator[TurnEvent | Stored]:
    """The events of a job; the thread as it is before the first turn comes first of all."""
    from core.runs.toolbox import context_for, offered_in

    question = job.question or (job.asked.question if job.asked else "")
    if not job.stem and not question:
        async for event in propose_question(await _manifest(workspace, job), model, run=job.session, seed=job.seed):
            if isinstance(event, QueryProposed):
                question = event.text
            elif isinstance(event, Waiting) or (isinstance(event, TurnEnded) and (event.error or event.cancelled)):
                yield event
            elif isinstance(event, TurnEnded) and not question:
                raise ModelError(f"{model.choice.endpoint.name} proposed no question; give one with --question")
        if not question:
            return
    stored, cancelled = await in_full(_opened, workspace, job, question)
    yield stored
    if cancelled:
        yield TurnEnded(stored.stem, stored.stem, cancelled=True)
        return
    tools = offered_in(tools, evidence_of(stored.thread))
    context = await asyncio.to_thread(context_for, workspace, stored.thread, tools)
    hint = job.hint(stored.thread) if job.hint else ""
    async for event in run_to_end(workspace, stored, model, tools, context, run=stored.stem, seed=job.seed, hint=hint):
        yield event


async def _manifest(workspace: Workspace, job: Job) -> Mapping[str, object]:
    """The dataset's manifest, for a question about a session that can be answered. Raises DatasetError."""
    from core.datasets.check import look_at_session
    from core.datasets.standard import open_dataset

    await asyncio.to_thread(look_at_session, workspace, job.dataset, job.session)
    return (await asyncio.to_thread(open_dataset, workspace, job.dataset)).manifest


def _opened(workspace: Workspace, job: Job, question: str) -> Stored:
    """The job's thread: begun now, or as it is on disk with its limit raised where that is asked."""
    from core import curate
    from core.curate.steps import commit
    from core.datasets.check import look_at_session

    if not job.stem:
        look_at_session(workspace, job.dataset, job.session)
        made_by = {"hint": UNCHECKED} if job.hint else None
        return curate.create_thread(
            workspace,
            job.dataset,
            job.session,
            question,
            max_turns=job.max_turns,
            made_by=made_by,
            evidence=job.evidence,
            asked=job.asked,
        )
    stored = read(workspace.threads, job.stem)
    look_at_session(workspace, stored.thread.dataset, stored.thread.session)
    if job.max_turns and job.max_turns != stored.thread.max_turns and stored.thread.status != "finished":
        return commit(workspace, stored, with_metadata(stored.thread, max_turns=job.max_turns), "limit of turns")
    return stored


def _with_partial_aside(workspace: Workspace, stored: Stored, partial: Proposal) -> Stored:
    """What came of a message that broke off, kept among the alternatives."""
    from core import curate

    if not any(is_assistant(message) for message in partial.messages):
        return stored
    return curate.set_aside(workspace, stored, partial, "superseded")


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
