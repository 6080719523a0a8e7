"""Rejection sampling: several ways at each session, of which the right ones stay.

Zelikman et al. (2022), STaR, and Yuan et al. (2023), rejection sampling fine-tuning: what a model reasoned on its way
to a right answer is what it is tuned on. Here the first step in which a wrong way parts from a right one is kept too,
as one of its alternatives, so that the preference profiles make a pair of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.curate.bulk import Bulk
from core.curate.ways import keep_ways
from core.errors import ModelError, ThreadError
from core.model.client import Model
from core.model.refusals import Dropped
from core.model.reply import Waiting
from core.runs.batch import Job, Ran, run_jobs
from core.runs.events import QueryProposed, TurnEnded, TurnEvent
from core.runs.progress import Meter
from core.runs.question import propose_question
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
    every = await in_ways(workspace, jobs, model, ways=ways, watch=watch)
    return await run_jobs(
        workspace, every, model, ended=ended, parallel=parallel, meter=meter, watch=watch, keep_empty=keep_empty
    )


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


def keep_right(workspace: Workspace, sessions: Sequence[Sequence[str]], model: str) -> tuple[list[SessionWays], Bulk]:
    """Sort out the ways at each session as one step: right threads stay and take in where wrong ones part from them,
    wrong ones go to the trash. How often each session was answered right is recorded, in its threads and for the
    workspace. Sessions are read one after the other, so that it matters little how many they are.

    Args:
        workspace: where they are.
        sessions: the stems of the threads that are over, those of each session and kind of question together.
        model: who made them.

    Raises:
        SensorloomError: the rates cannot be recorded.
    """
    told: list[SessionWays] = []
    rates: dict[tuple[str, str], PassRate] = {}

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
        first = attempts[0].thread
        wrong_stems = tuple(stored.stem for stored in wrong)
        told.append(ways := SessionWays(first.dataset, first.session, tuple(right), wrong_stems, pairs))
        # how hard a session is, is how hard its activity is to tell
        if asks_for_a_label(kind_in(first.metadata)):
            rates[first.dataset, first.session] = ways.rate
        of = ways.rate.of
        changes = [(right[stem], with_pass_rate(thread, len(right), of, model)) for stem, thread in paired.items()]
        return changes, wrong

    bulk = keep_ways(workspace, sessions, sorted_out)
    if rates:
        add_pass_rates(workspace.root, model, rates)
    return told, bulk


def ways_of(workspace: Workspace, sessions: Sequence[Sequence[str]]) -> list[SessionWays]:
    """How the ways at each session went, with nothing done about them. `sessions` are as for `keep_right`."""
    told: list[SessionWays] = []
    for stems in sessions:
        if attempts := _attempts(workspace, stems):
            right = tuple(stored.stem for stored in attempts if is_right(stored.thread))
            wrong = tuple(stored.stem for stored in attempts if not is_right(stored.thread))
            first = attempts[0].thread
            told.append(SessionWays(first.dataset, first.session, right, wrong, 0))
    return told


def _attempts(workspace: Workspace, stems: Sequence[str]) -> list[Stored]:
    """Those of the threads that can be read and are over."""
    there = (stored for stored in read_all(workspace.threads, stems) if not isinstance(stored, ThreadError))
    return [stored for stored in there if stored.thread.status != "active"]


def is_right(thread: Thread) -> bool:
    """Whether the thread is finished with the right answer."""
    return thread.status == "finished" and thread.metadata.get("is_correct") is True
