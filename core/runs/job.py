"""One thread run to its end: begun about a session, or gone on with."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.curate.task import asking_prompt
from core.errors import ConflictError, ModelError, SensorloomError
from core.model.client import Model
from core.model.refusals import Dropped
from core.model.reply import Waiting
from core.runs.cancelling import in_full
from core.runs.events import QueryProposed, TurnAccepted, TurnEnded, TurnEvent
from core.runs.pace import Pacing
from core.runs.question import propose_question
from core.runs.turn_loop import run_to_end
from core.storage.store import Stored, read
from core.thread.evidence import Evidence
from core.thread.form import TaskForm
from core.thread.hint import UNCHECKED
from core.thread.proposal import Proposal
from core.thread.updates import with_metadata
from core.thread.value import Thread, is_assistant
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.thread.kinds import Asked
    from tools.registry import Tool

_log = logging.getLogger(__name__)


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
    """Makes of the thread what is said to the model with every request and stored nowhere; a function of a module, or a
    `partial` of one, since jobs go to other processes."""
    number: int = 0
    """Its place among the jobs of its run; in a batch that is written down, see `core.runs.batches`."""
    begun: Callable[[str], None] | None = None
    """Told a new thread's id before its file is written."""
    form: TaskForm | None = None
    """Of a new thread; as the settings have it unless told."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a job."""

    job: Job
    stored: Stored | None = None
    """The thread as it stands on disk; None when none was begun."""
    error: str = ""
    cancelled: bool = False
    seconds: float = 0.0
    for_all: bool = False
    """Whether what failed would meet every other job too."""
    thrown_away: bool = False
    """Whether the thread came to its end, and is in the trash for what was found in it."""

    @property
    def thread(self) -> Thread | None:
        """The thread, if one was begun."""
        return self.stored.thread if self.stored else None

    @property
    def finished(self) -> bool:
        """Whether the thread ends with a final answer."""
        return self.thread is not None and self.thread.status == "finished"


After = Callable[[Workspace, Ran], Ran]
"""What is done with a job's thread when that is over, before anybody is told of it."""


async def looked_after(workspace: Workspace, ran: Ran, after: After | None) -> Ran:
    """What became of a job once its thread was looked after."""
    if after is None or ran.stored is None:
        return ran
    try:
        return (await in_full(after, workspace, ran))[0]
    except SensorloomError as error:
        return replace(ran, error=ran.error or str(error))


async def carry_out(
    workspace: Workspace,
    job: Job,
    model: Model,
    tools: Sequence[Tool],
    watch: Callable[[Job, TurnEvent], None],
    *,
    pace: Pacing,
    keep_empty: bool = False,
) -> Ran:
    """Carry out one job. A new thread to which nothing came, as it failed or was stopped, is taken away again unless
    `keep_empty`. `pace` says when a turn may begin."""
    started = time.monotonic()
    stored: Stored | None = None
    ended = TurnEnded("", job.stem)
    try:
        async with (
            aclosing(_events(workspace, job, model, tools)) as every,
            aclosing(_paced(every, pace)) as events,
        ):
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
                pace.hear(event)
                watch(job, event)
        if stored and ended.partial:
            stored, _ = await in_full(_with_partial_aside, workspace, stored, ended.partial)
        if stored and not (job.stem or keep_empty) and (ended.error or ended.cancelled):
            stored, _ = await in_full(unless_empty, workspace, stored)
    except asyncio.CancelledError:
        ended = replace(ended, cancelled=True)
    except SensorloomError as error:
        ended = replace(ended, error=str(error), for_all=getattr(error, "for_all", False))
    except Exception as error:
        _log.exception("run of %s failed", job.stem or job.session)
        ended = replace(ended, error=f"the run failed unexpectedly: {type(error).__name__}: {error}")
    return Ran(job, stored, ended.error, ended.cancelled, time.monotonic() - started, ended.for_all)


async def _paced(events: AsyncGenerator[TurnEvent | Stored], pace: Pacing) -> AsyncGenerator[TurnEvent | Stored]:
    """The events of a job, asked for a turn at a time: each is begun once there is room for it."""
    while True:
        async with pace.turn():
            async for event in events:
                yield event
                if isinstance(event, TurnAccepted) and event.stored.thread.status == "active":
                    break
            else:
                return


async def _events(
    workspace: Workspace, job: Job, model: Model, tools: Sequence[Tool]
) -> AsyncGenerator[TurnEvent | Stored]:
    """The events of a job; the thread as it is before the first turn comes first of all."""
    from core.runs.toolbox import context_for, offered_to

    question = question_of(job)
    if not job.stem and not question:
        prompt = await asyncio.to_thread(asking_prompt, workspace, job.form)
        async for event in question_events(workspace, job, model, prompt):
            if isinstance(event, QueryProposed):
                question = event.text
            elif isinstance(event, Waiting | Dropped) or (
                isinstance(event, TurnEnded) and (event.error or event.cancelled)
            ):
                yield event
        if not question:
            return
    stored, cancelled = await in_full(begin, workspace, job, question)
    yield stored
    if cancelled:
        yield TurnEnded(stored.stem, stored.stem, cancelled=True)
        return
    tools = offered_to(stored.thread, tools)
    context = await asyncio.to_thread(context_for, workspace, stored.thread, tools)
    hint = job.hint(stored.thread) if job.hint else ""
    async for event in run_to_end(workspace, stored, model, tools, context, run=stored.stem, seed=job.seed, hint=hint):
        yield event


def question_of(job: Job) -> str:
    """What a new thread asks, where that is known; empty where the model is to propose it."""
    return job.question or (job.asked.question if job.asked else "")


async def question_events(workspace: Workspace, job: Job, model: Model, prompt: str) -> AsyncGenerator[TurnEvent]:
    """Let the model propose a new thread's question; `prompt` is what it is told. Raises DatasetError: the session
    cannot be read; ModelError: it proposed none."""
    manifest, question, ended = await _manifest(workspace, job), "", None
    async for event in propose_question(manifest, model, run=job.session, seed=job.seed, prompt=prompt):
        match event:
            case QueryProposed():
                question = event.text
            case TurnEnded():
                ended = event
            case _:
                pass
        yield event
    if not question and ended is not None and not (ended.error or ended.cancelled):
        raise ModelError(f"{model.choice.endpoint.name} proposed no question; give one with --question")


async def _manifest(workspace: Workspace, job: Job) -> Mapping[str, object]:
    """The dataset's manifest, for a question about a session that can be answered. Raises DatasetError."""
    from core.datasets.check import look_at_session
    from core.datasets.standard import open_dataset

    await asyncio.to_thread(look_at_session, workspace, job.dataset, job.session)
    return (await asyncio.to_thread(open_dataset, workspace, job.dataset)).manifest


def begin(workspace: Workspace, job: Job, question: str) -> Stored:
    """The job's thread: begun now with this question, or as it is on disk with its limit raised where that is asked.

    Raises:
        SensorloomError: there is no such session or thread, or it cannot be saved.
    """
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
            begun=job.begun,
            form=job.form,
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


def unless_empty(workspace: Workspace, stored: Stored) -> Stored | None:
    """The thread that was begun, if there is more in it than its question; else it is taken away, and None."""
    from core import curate

    if stored.thread.alternatives or len(stored.thread.messages) > 1:
        return stored
    try:
        curate.unbegin(workspace, stored)
    except ConflictError:  # somebody has begun to work on it
        return stored
    return None
