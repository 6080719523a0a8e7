"""Rejection sampling: several ways at each session, of which the right ones stay.

Zelikman et al. (2022), STaR, and Yuan et al. (2023), rejection sampling fine-tuning: what a model reasoned on its way
to a right answer is what it is tuned on. Here the first step in which a wrong way parts from a right one is kept too,
as one of its alternatives, so that the preference profiles make a pair of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from core.curate.bulk import Bulk
from core.curate.task import asking_prompt
from core.curate.ways import keep_ways
from core.datasets.check import look_at_session
from core.errors import DatasetError, ModelError, ThreadError
from core.model.client import Model
from core.model.refusals import Dropped
from core.model.reply import Waiting
from core.runs.batch import Job, Ran, run_jobs
from core.runs.events import QueryProposed, TurnEnded, TurnEvent
from core.runs.job import question_events, question_of
from core.runs.progress import Meter
from core.runs.tally import Tally
from core.storage.pass_rates import PassRate, add_pass_rates
from core.storage.store import Stored, read_all
from core.thread.scoring import asks_for_a_label, kind_in
from core.thread.value import Thread
from core.thread.ways import with_pass_rate, with_wrong_ways
from core.workspace import Workspace

WAYS = 4
"""Ways at a session where nobody says how many."""


@dataclass(frozen=True, slots=True)
class SessionWays:
    """What became of the ways at one session."""

    dataset: str
    session: str
    model: str
    """Who made them; where they are of several, the first."""
    right: tuple[str, ...]
    """Stems of the threads that were kept."""
    wrong: tuple[str, ...]
    """Stems of those that answered wrongly, or not within their turns."""
    pairs: int
    """Wrong ways of which a right thread keeps the first wrong step."""

    @property
    def rate(self) -> PassRate:
        """How many of the ways were right."""
        return PassRate(len(self.right), len(self.right) + len(self.wrong))


async def run_ways(
    workspace: Workspace,
    jobs: Sequence[Job],
    model: Model,
    *,
    ways: int,
    parallel: int | None = None,
    meter: Meter | None = None,
    ended: Callable[[Ran], None],
    watch: Callable[[Job, TurnEvent], None] | None = None,
    keep_empty: bool = False,
) -> Tally:
    """Carry out each job so many times, all asking the same question; as `core.runs.batch.run_jobs` else.

    Raises:
        ModelError: the model proposed no question where none is given.
    """
    every = in_ways(await with_questions(workspace, jobs, model, watch=watch), ways)
    return await run_jobs(
        workspace, every, model, ended=ended, parallel=parallel, meter=meter, watch=watch, keep_empty=keep_empty
    )


def in_ways(jobs: Sequence[Job], ways: int) -> list[Job]:
    """Each job so many times, with a seed of its own."""
    return [
        replace(job, seed=None if job.seed is None else job.seed * ways + way) for job in jobs for way in range(ways)
    ]


async def with_questions(
    workspace: Workspace,
    jobs: Sequence[Job],
    model: Model,
    *,
    watch: Callable[[Job, TurnEvent], None] | None = None,
) -> list[Job]:
    """The jobs with the question that all ways of each ask, which the model proposes where it is not known. Raises
    ModelError: it proposed none."""
    every = list(jobs)
    for index in await asyncio.to_thread(to_be_asked, workspace, jobs):
        every[index] = replace(jobs[index], question=await _question(workspace, jobs[index], model, watch))
    return every


def to_be_asked(workspace: Workspace, jobs: Sequence[Job]) -> list[int]:
    """The indices of the jobs whose question the model is to propose. A session that cannot be read needs none: each of
    its ways says what is wrong."""
    indices: list[int] = []
    for index, job in enumerate(jobs):
        with suppress(DatasetError):
            if not question_of(job):
                look_at_session(workspace, job.dataset, job.session)
                indices.append(index)
    return indices


async def _question(
    workspace: Workspace, job: Job, model: Model, watch: Callable[[Job, TurnEvent], None] | None
) -> str:
    question, prompt = "", await asyncio.to_thread(asking_prompt, workspace, job.form)
    async for event in question_events(workspace, job, model, prompt):
        match event:
            case QueryProposed():
                question = event.text
            case TurnEnded(cancelled=True):
                raise asyncio.CancelledError
            case TurnEnded() if event.error:
                raise ModelError(event.error)
            case Waiting() | Dropped() if watch is not None:
                watch(job, event)
            case _:
                pass
    return question


def count_right(workspace: Workspace, sessions: Sequence[Sequence[str]]) -> None:
    """Record for the workspace how often each model was right about each session, by threads that are over; `sessions`
    are as for `keep_right`. Only for questions after the activity: how hard a session is, is how hard that is to tell.

    Raises:
        SensorloomError: the rates cannot be recorded.
    """
    rates: dict[str, dict[tuple[str, str], PassRate]] = {}
    for stems in sessions:
        for thread in (stored.thread for stored in _attempts(workspace, stems)):
            if asks_for_a_label(kind_in(thread.metadata)):
                of_model, session = rates.setdefault(_model_of(thread), {}), (thread.dataset, thread.session)
                before = of_model.get(session, PassRate(0, 0))
                of_model[session] = PassRate(before.right + is_right(thread), before.of + 1)
    for model, counted in rates.items():
        add_pass_rates(workspace.root, model, counted)


def keep_right(workspace: Workspace, sessions: Sequence[Sequence[str]]) -> tuple[list[SessionWays], Bulk]:
    """Sort out the ways at each session as one step: right threads stay and take in where wrong ones part from them,
    wrong ones go to the trash. How often its session was answered right is recorded in each thread that stays. Sessions
    are read one after the other, so that it matters little how many they are.

    Args:
        workspace: where they are.
        sessions: the stems of the threads that are over, those of each session and kind of question together.
    """
    told: list[SessionWays] = []

    def sorted_out(stems: Sequence[str]) -> tuple[list[tuple[Stored, Thread]], list[Stored]]:
        attempts = _attempts(workspace, stems)
        if not attempts:
            return [], []
        right = {stored.stem: stored for stored in attempts if is_right(stored.thread)}
        wrong = [stored for stored in attempts if stored.stem not in right]
        paired = with_wrong_ways(
            {stem: stored.thread for stem, stored in right.items()}, [stored.thread for stored in wrong]
        )
        pairs = sum(len(paired[stem].alternatives) - len(right[stem].thread.alternatives) for stem in right)
        told.append(ways := _ways(attempts, pairs))
        of, model = ways.rate.of, ways.model
        changes = [(right[stem], with_pass_rate(thread, len(right), of, model)) for stem, thread in paired.items()]
        return changes, wrong

    return told, keep_ways(workspace, sessions, sorted_out)


def ways_of(workspace: Workspace, sessions: Sequence[Sequence[str]]) -> list[SessionWays]:
    """How the ways at each session went, with nothing done about them. `sessions` are as for `keep_right`."""
    every = (_attempts(workspace, stems) for stems in sessions)
    return [_ways(attempts) for attempts in every if attempts]


def _ways(attempts: Sequence[Stored], pairs: int = 0) -> SessionWays:
    """What the attempts at one session come to."""
    right = tuple(stored.stem for stored in attempts if is_right(stored.thread))
    wrong = tuple(stored.stem for stored in attempts if not is_right(stored.thread))
    first = attempts[0].thread
    return SessionWays(first.dataset, first.session, _model_of(first), right, wrong, pairs)


def _attempts(workspace: Workspace, stems: Sequence[str]) -> list[Stored]:
    """Those of the threads that can be read and are over."""
    there = (stored for stored in read_all(workspace.threads, stems) if not isinstance(stored, ThreadError))
    return [stored for stored in there if stored.thread.status != "active"]


def is_right(thread: Thread) -> bool:
    """Whether the thread is finished with the right answer."""
    return thread.status == "finished" and thread.metadata.get("is_correct") is True


def _model_of(thread: Thread) -> str:
    return str(thread.metadata.get("model") or "")
