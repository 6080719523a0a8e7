"""In which mode of evidence new threads are begun, where that is not said of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.thread.evidence import Wanted, settled, usual
from core.thread.scoring import ACTIVITY

if TYPE_CHECKING:
    from core.model.endpoints import ModelChoice
    from core.runs.batch import Job
    from core.workspace import Workspace


def wanted_evidence(workspace: Workspace, choice: ModelChoice) -> Wanted:
    """As the settings have it, else as is usual with this model."""
    return workspace.settings.run.evidence or usual(choice.endpoint.builtin)


def with_evidence(
    workspace: Workspace, jobs: Sequence[Job], choice: ModelChoice, wanted: Wanted | None = None
) -> list[Job]:
    """The jobs, those of new threads in the mode that is wanted, or that the settings and the model make usual.

    Nothing is usual for a question that asks for something else than the activity: it may ask about comparisons.
    """
    named = wanted or wanted_evidence(workspace, choice)
    return [
        job
        if job.stem or (wanted is None and job.asked is not None and job.asked.kind != ACTIVITY)
        else replace(job, evidence=settled(named, job.session, job.seed))
        for job in jobs
    ]
