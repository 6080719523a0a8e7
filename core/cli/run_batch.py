"""`sensorloom run --resume`: a batch as it is written down, and gone on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.cli.commands import say
from core.cli.run_cluster import RAY_OPTIONS
from core.cli.serving_options import serving_in
from core.errors import UsageError
from core.model.options import FLAGS
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.model.endpoints import ModelChoice
    from core.runs.batch import Job
    from core.runs.batches import Batch

GOES_WITH_RESUME = ("resume", "endpoint", "headers", "parallel", "workers", "keep_empty", *RAY_OPTIONS)
"""Options that a batch is gone on with; the others were said when it was begun."""


def written_down(
    workspace: Workspace, jobs: Sequence[Job], choice: ModelChoice, options: Mapping[str, Any]
) -> tuple[Batch | None, list[Job]]:
    """A batch of several new threads as a file, and its jobs, which note there what becomes of them. One thread alone,
    and stored ones, which a filter finds again, are no batch."""
    if len(jobs) < 2 or any(job.stem for job in jobs):
        return None, list(jobs)
    from core.runs.batches import begin_batch, setup_now

    endpoint, keep_empty = options["endpoint"], options["keep_empty"]
    setup = setup_now(choice, endpoint, parallel=options["parallel"], keep_empty=keep_empty)
    batch = begin_batch(workspace, jobs, setup)
    return batch, batch.left(workspace)


def batch_to_resume(
    workspace: Workspace, stems: Sequence[str], options: Mapping[str, Any]
) -> tuple[Batch, ModelChoice]:
    """The batch that is gone on with, and whom to ask.

    Raises:
        UsageError: there is none, or something was said that was decided when it was begun.
    """
    from core.runs.batch_run import choice_of
    from core.runs.batches import open_batch

    if stems or options["wanted"].strip():
        raise UsageError("--resume goes on with the threads of a batch: name no others")
    for name, value in options.items():
        if name not in GOES_WITH_RESUME and value not in (None, "", False, ()):
            flag = FLAGS[name][0] if name in FLAGS else f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} was decided when the batch was begun: leave it out, or begin another")
    batch = open_batch(workspace, options["resume"])
    setup, headers = batch.setup, serving_in({"headers": options["headers"]}).get("headers")
    choice = choice_of(workspace, batch, options["endpoint"], headers)
    done, of = len(batch.over), len(setup.jobs)
    say(f"batch {batch.name}, begun {setup.begun_at[:16].replace('T', ' ')}: {done} of {of} are over", err=True)
    return batch, choice
