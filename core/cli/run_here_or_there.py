"""Jobs run as a person watches them: on this machine, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.cli.run_cluster import run_shown_on
from core.cli.run_progress import run_shown
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.cli.run_progress import Shown
    from core.cluster.run import OnCluster
    from core.model.client import Model
    from core.model.endpoints import ModelChoice
    from core.runs.batches import Batch
    from core.runs.job import Job, Ran
    from core.runs.tally import Tally


def run_jobs_shown(
    workspace: Workspace,
    jobs: Sequence[Job],
    choice: ModelChoice,
    parallel: int | None,
    batch: Batch | None,
    ended: Callable[[Ran], object],
    *,
    workers: int | None = 1,
    keep_empty: bool = False,
    on: OnCluster | None = None,
) -> tuple[Tally, bool]:
    """Run the jobs, and say on stderr how each went and how far it is.

    Args:
        workspace: where the threads are.
        jobs: what to run.
        choice: who makes the turns.
        parallel: how many at once; see `core.runs.pace.pace_for`.
        batch: theirs, where they are one.
        ended: told of each that is over.
        workers: processes of this machine; see `core.runs.crew_needed.crew_for`.
        keep_empty: whether a new thread stays to which nothing came.
        on: the cluster that runs them instead of this machine.

    Returns:
        What came of them, and whether they were stopped.
    """
    from core.runs.batch_run import run_batch
    from core.runs.crew_needed import run_on_cores
    from core.teaching.hinted import strip_hint

    name = batch.name if batch is not None else ""
    done = 0 if batch is None else len(batch.over)
    if on is not None:
        on = replace(on, keep_empty=keep_empty)
        return run_shown_on(on, workspace, choice, jobs, name, done, ended=ended, after=strip_hint)

    async def work(model: Model, shown: Shown) -> tuple[Tally, bool]:
        told = shown.watching
        make = partial(run_on_cores, workspace, model, told, workers=workers, keep_empty=keep_empty, after=strip_hint)

        def over(ran: Ran) -> None:
            ended(ran)
            shown.ended(ran)

        tally = await run_batch(workspace, name, jobs, shown.meter, make, over)
        return tally, shown.meter.stopped

    return run_shown(workspace, choice, len(jobs) + done, work, parallel, done)
