"""Threads run, and their questions asked for, on a cluster as `core.runs.batch.run_jobs` does it here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event

from core.cluster.addresses import addresses_of, variables_for
from core.cluster.blocks import Blocks
from core.cluster.driver import Drive
from core.cluster.interface import Cluster
from core.cluster.kits import kit_of
from core.cluster.meter import ClusterMeter
from core.cluster.tables import make_tables
from core.cluster.travelling import Kit
from core.cluster.workers import Workers
from core.errors import ModelError
from core.model.endpoints import ModelChoice
from core.runs.job import After, Job, Ran
from core.runs.tally import Tally
from core.storage.store import read
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class OnCluster:
    """On which cluster, and on."""

    cluster: Cluster
    """Where the workers come from."""
    parallel: int | None = None
    """Threads at once of each worker; see `core.runs.pace.pace_for`. There is a worker for each core."""
    with_tools: bool = True
    keep_empty: bool = False
    shared: bool = True
    """Whether a dataset is read where the driver has it by nodes that see it there."""
    data_from: str = ""
    """A URL from which nodes read datasets; see `core.cluster.travelling.Kit`."""


async def run_on_cluster(
    on: OnCluster,
    workspace: Workspace,
    jobs: Sequence[Job],
    choice: ModelChoice,
    *,
    ended: Callable[[Ran], None],
    tell: Callable[[str], None],
    meter: ClusterMeter | None = None,
    after: After | None = None,
) -> Tally:
    """Run the jobs, saving each thread as it comes back. What is done stays done when the task is cancelled.

    Args:
        on: where, and how many at once.
        workspace: where the threads are.
        jobs: what to run.
        choice: who makes the turns.
        ended: told of each thread when it is over, and saved.
        tell: told a sentence that a person may want to know.
        meter: counts what comes of them.
        after: looks after each thread that is over, before `ended` is told.

    Returns:
        How many jobs were begun, and what came of them.

    Raises:
        UsageError: no worker can work, the endpoint has no address, or datasets are to be read at one URL.
        DatasetError: a dataset is not there.
    """
    addresses = addresses_of(choice.endpoint)

    stopped = Event()

    def packed() -> Kit:
        names = {job.dataset or read(workspace.threads, job.stem).thread.dataset for job in jobs}
        blocks = Blocks(on.cluster, workspace, tell, shared=on.shared, data_from=on.data_from, cancelled=stopped.is_set)
        make_tables(workspace, names, blocks.for_tables)
        kit = kit_of(workspace, names, tell, with_tools=on.with_tools, shared=on.shared, data_from=on.data_from)
        return replace(kit, choice=choice, parallel=on.parallel)

    try:
        kit = await asyncio.to_thread(packed)
    finally:
        stopped.set()
    drive = Drive(
        Workers(on.cluster, kit, variables_for(choice), tell),
        workspace,
        addresses,
        meter or ClusterMeter(len(jobs)),
        ended=ended,
        tell=tell,
        keep_empty=on.keep_empty,
        after=after,
    )
    return await drive.run(jobs)


async def asked_on_cluster(
    on: OnCluster,
    workspace: Workspace,
    jobs: Sequence[Job],
    choice: ModelChoice,
    *,
    tell: Callable[[str], None],
    meter: ClusterMeter | None = None,
) -> list[Job]:
    """The jobs of new threads, each with its question, which the model is asked for by workers where it is not known.

    Args:
        on: where, and how many at once.
        workspace: where the threads will be.
        jobs: what will be run.
        choice: who is asked.
        tell: told a sentence that a person may want to know.
        meter: counts the questions.

    Raises:
        UsageError: as `run_on_cluster`.
        DatasetError: a dataset is not there.
        ModelError: the model proposed no question.
        asyncio.CancelledError: it was stopped before all had theirs.
    """
    names = {job.dataset for job in jobs}
    kit = await asyncio.to_thread(
        partial(kit_of, workspace, names, tell, with_tools=False, shared=on.shared, data_from=on.data_from)
    )
    kit = replace(kit, choice=choice, parallel=on.parallel, tables=False)
    meter, questions = meter or ClusterMeter(len(jobs)), dict[int, str]()

    def ended(ran: Ran) -> None:
        questions[ran.job.number] = ran.job.question

    workers, addresses = Workers(on.cluster, kit, variables_for(choice), tell), addresses_of(choice.endpoint)
    drive = Drive(workers, workspace, addresses, meter, ended=ended, tell=tell, only_ask=True)
    tally = await drive.run([replace(job, number=number) for number, job in enumerate(jobs)])
    if tally.problem:
        raise ModelError(tally.problem)
    if meter.stopped:
        raise asyncio.CancelledError
    return [replace(job, question=questions[number]) for number, job in enumerate(jobs)]
