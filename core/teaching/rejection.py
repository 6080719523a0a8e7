"""Rejection sampling: several ways at each session, of which the right ones stay.

Zelikman et al. (2022), STaR, and Yuan et al. (2023), rejection sampling fine-tuning: what a model reasoned on its way
to a right answer is what it is tuned on. Here the first step in which a wrong way parts from a right one is kept too,
as one of its alternatives, so that the preference profiles make a pair of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.curate.bulk import Bulk
from core.curate.ways import keep_ways
from core.errors import ModelError
from core.model.client import Model
from core.model.refusals import Dropped
from core.model.reply import Waiting
from core.runs.batch import Job, Ran, run_jobs
from core.runs.events import QueryProposed, TurnEnded, TurnEvent
from core.runs.progress import Meter
from core.runs.question import propose_question
from core.storage.pass_rates import PassRate, add_pass_rates
from core.storage.store import Stored
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
) -> list[Ran]:
    """Carry out each job so many times, all asking the same question; as `core.runs.batch.run_jobs` else.

    Raises:
        ModelError: the model proposed no question where none is given.
    """
    every = await in_ways(workspace, jobs, model, ways=ways, watch=watch)
    watched: Any = {"ended": ended, "parallel": parallel, "meter": meter, "watch": watch, "keep_empty": keep_empty}
    return await run_jobs(workspace, every, model, **watched)


async def in_ways(
    workspace: Workspace,
    jobs: Sequence[Job],
    model: Model,
    *,
    ways: int,
    watch: Callable[[Job, TurnEvent], None] | None = None,
) -> list[Job]:
    """Each job so many times, all asking the same question, which is proposed where none is given. Raises ModelError:
    the model proposed none."""
    every: list[Job] = []
    for job in jobs:
        question = (
            job.question or (job.asked.question if job.asked else "") or await _question(workspace, job, model, watch)
        )
        every += [
            replace(job, question=question, seed=None if job.seed is None else job.seed * ways + way)
            for way in range(ways)
        ]
    return every


async def _question(
    workspace: Workspace, job: Job, model: Model, watch: Callable[[Job, TurnEvent], None] | None
) -> str:
    from core.curate.task import asking_prompt
    from core.datasets.standard import open_dataset

    problem, question = "", ""
    manifest, prompt = open_dataset(workspace, job.dataset).manifest, asking_prompt(workspace, job.form)
    async for event in propose_question(manifest, model, run=job.session, seed=job.seed, prompt=prompt):
        match event:
            case QueryProposed():
                question = event.text
            case TurnEnded():
                problem = event.error
            case Waiting() | Dropped() if watch is not None:
                watch(job, event)
            case _:
                pass
    if not question:
        name = model.choice.endpoint.name
        raise ModelError(problem or f"{name} proposed no question; give one with --question")
    return question


def keep_right(workspace: Workspace, ran: Sequence[Ran], model: str) -> tuple[list[SessionWays], Bulk]:
    """Sort out the ways at each session as one step: right threads stay and take in where wrong ones part from them,
    wrong ones go to the trash. How often each session was answered right is recorded, in its threads and for the
    workspace. Threads that were stopped or failed are no attempts and stay as they are.

    Raises:
        SensorloomError: the rates cannot be recorded.
    """
    told: list[SessionWays] = []
    changes: list[tuple[Stored, Thread]] = []
    dropped: list[Stored] = []
    rates: dict[tuple[str, str], PassRate] = {}
    for (dataset, session, _), attempts in _by_question(ran).items():
        right = {stored.stem: stored for stored in attempts if is_right(stored.thread)}
        wrong = [stored for stored in attempts if stored.stem not in right]
        paired = with_wrong_ways(
            {stem: stored.thread for stem, stored in right.items()}, [stored.thread for stored in wrong]
        )
        pairs = sum(len(paired[stem].alternatives) - len(right[stem].thread.alternatives) for stem in right)
        ways = SessionWays(dataset, session, tuple(right), tuple(stored.stem for stored in wrong), pairs)
        told.append(ways)
        for stem, thread in paired.items():
            changes.append((right[stem], with_pass_rate(thread, ways.rate.right, ways.rate.of, model)))
        dropped += wrong
        # how hard a session is, is how hard its activity is to tell
        if asks_for_a_label(kind_in(attempts[0].thread.metadata)):
            rates[dataset, session] = ways.rate
    if rates:
        add_pass_rates(workspace.root, model, rates)
    return told, keep_ways(workspace, changes, dropped)


def is_right(thread: Thread) -> bool:
    """Whether the thread is finished with the right answer."""
    return thread.status == "finished" and thread.metadata.get("is_correct") is True


def _by_question(ran: Sequence[Ran]) -> dict[tuple[str, str, str], list[Stored]]:
    """The threads that are over, by dataset, session and kind of question."""
    sessions: dict[tuple[str, str, str], list[Stored]] = {}
    for result in ran:
        stored = result.stored
        if stored is not None and not result.cancelled and not result.error and stored.thread.status != "active":
            thread = stored.thread
            sessions.setdefault((thread.dataset, thread.session, kind_in(thread.metadata)), []).append(stored)
    return sessions
