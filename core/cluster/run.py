"""Threads run on a cluster as `core.runs.batch.run_jobs` runs them here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
