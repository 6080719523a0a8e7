"""The same for one thread on the screen: a sentence for what came of it, and the thread where it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from core.errors import ModelError
from core.model.client import Model
from core.model.refusals import Dropped
from core.model.reply import Waiting
from core.runs.batch import Job, Ran, run_jobs
from core.runs.events import Tell, TurnEvent
from core.runs.tally import Tally, counted_in
from core.storage.store import Stored
from core.teaching.difficulty import measure
from core.teaching.hinted import strip_hint, with_hints
from core.teaching.rejection import WAYS, count_right, keep_right, run_ways
from core.text import counted
from core.thread.form import form_of
from core.workspace import Workspace


async def several_ways(workspace: Workspace, stored: Stored, model: Model, tell: Tell) -> tuple[str, Stored | None]:
    """Go several ways at the thread's session with its question, and keep the right ones."""
    ended: list[Ran] = []
    tally = await run_ways(
        workspace, [_job(stored)], model, ways=WAYS, parallel=WAYS, ended=ended.append, watch=_telling(tell)
    )
    _refuse_failures(tally)
    over = sorted(ran.stored.stem for ran in ended if ran.stored and not (ran.cancelled or ran.error))
    await asyncio.to_thread(count_right, workspace, [over])
    sessions, done = await asyncio.to_thread(keep_right, workspace, [over])
    right, of, pairs = (sessions[0].rate.right, sessions[0].rate.of, sessions[0].pairs) if sessions else (0, 0, 0)
    problems = f"; {done.problems[0]}" if done.problems else ""
    kept_ways = f"{counted(right, 'thread')} kept with {counted(pairs, 'preference pair')}"
    return f"{right} of {of} ways were right: {kept_ways}, the others are in the trash{problems}", None


async def hinted(workspace: Workspace, stored: Stored, model: Model, tell: Tell) -> tuple[str, Stored | None]:
    """A new thread about the same session and question, whose teacher is told the truth; kept when nothing shows it."""
    ended: list[Ran] = []
    jobs, watch = with_hints([_job(stored)]), _telling(tell)
    await run_jobs(workspace, jobs, model, parallel=1, ended=ended.append, watch=watch, after=strip_hint)
    (result,) = ended
    if result.error:
        return result.error, None
    if result.stored is None or not result.finished:
        return "the teacher found no answer in time, the truth told or not", None
    return f"{result.stored.stem} is made, and nothing in it shows that its teacher was told the truth", None


async def difficulty(workspace: Workspace, stored: Stored, model: Model, tell: Tell) -> tuple[str, Stored | None]:
    """Measure how often the model answers the thread's session right."""
    tally = Tally()

    def counted(ran: Ran) -> None:
        nonlocal tally
        tally = counted_in(tally, ran)

    rates = await measure(
        workspace, [_job(stored)], model, attempts=WAYS, parallel=WAYS, ended=counted, watch=_telling(tell)
    )
    if not rates:
        _refuse_failures(tally)
        return "nothing was measured: no attempt came to its end", None
    rate = rates[stored.thread.dataset, stored.thread.session]
    several = rate.at_least_one_of(rate.of) or 0.0
    share = f"pass@1 {rate.at_least_one_of(1) or 0.0:.0%}, pass@{rate.of} {several:.0%}"
    return f"{await model.name()} was right {rate.right} of {rate.of} times ({share}): {rate.difficulty}", None


def _job(stored: Stored) -> Job:
    thread = stored.thread
    form = form_of(thread)
    return Job(thread.dataset, thread.session, thread.question, max_turns=thread.max_turns, form=form)


def _refuse_failures(tally: Tally) -> None:
    """Raise ModelError with the first reason where every attempt failed."""
    if tally.told and tally.failed == tally.told:
        raise ModelError(tally.problem)


def _telling(tell: Tell) -> Callable[[Job, TurnEvent], None]:
    def watch(_: Job, event: TurnEvent) -> None:
        if isinstance(event, Waiting | Dropped):
            tell(event)

    return watch
