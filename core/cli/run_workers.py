"""`--workers`: what a command runs, run by several processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from core.workspace import Workspace

if TYPE_CHECKING:
    from core.cli.run_progress import Shown
    from core.model.client import Model
    from core.model.endpoints import ModelChoice
    from core.runs.job import After, Job, Ran
    from core.runs.tally import Tally


def workers_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--workers`."""
    about = "Processes that run the threads; as many as there are cores, up to 16, once one is not enough, unless told."
    return click.option("--workers", type=click.IntRange(1, 64), help=about)(function)


async def run_here(
    workspace: Workspace,
    choice: ModelChoice,
    jobs: Sequence[Job],
    model: Model,
    shown: Shown,
    ended: Callable[[Ran], None],
    *,
    workers: int | None,
    keep_empty: bool,
    after: After | None = None,
) -> Tally:
    """Run the jobs on this machine, in one process or several, and tell of each that is over. As
    `core.runs.batch.run_jobs`."""
    from core.processes.starting import allow_many_files
    from core.runs.batch import run_jobs
    from core.runs.crew_needed import crew_for

    allow_many_files()
    told: Any = {"meter": shown.meter, "keep_empty": keep_empty}
    async with crew_for(workspace, choice, jobs, workers=workers, tell=shown.note, **told) as crew:
        return await run_jobs(workspace, jobs, model, ended=ended, watch=shown.watch, crew=crew, after=after, **told)
