"""What a run tells of its jobs, for tests: everything, in the order of the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.model.client import Model
from core.runs.batch import run_jobs
from core.runs.job import Job, Ran
from core.workspace import Workspace


async def told_by(workspace: Workspace, jobs: Sequence[Job], model: Model, **options: Any) -> list[Ran]:
    """Run the jobs, and give back what `ended` was told of each. Options as of `core.runs.batch.run_jobs`."""
    told: list[Ran] = []
    tally = await run_jobs(workspace, jobs, model, ended=told.append, **options)
    assert (tally.told, tally.finished) == (len(told), sum(ran.finished for ran in told))
    return in_order(jobs, told)


def in_order(jobs: Sequence[Job], told: Sequence[Ran]) -> list[Ran]:
    """What was told, in the order of the jobs."""
    places = {id(job): index for index, job in enumerate(jobs)}
    return sorted(told, key=lambda ran: places[id(ran.job)])
