"""Hint and strip: threads whose teacher was told the truth are kept only when nothing in them shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.curate.steps import commit
from core.curate.trash import delete
from core.lint import Context
from core.lint.hint import hint_trace
from core.lint.label_set import dataset_labels
from core.runs.batch import Job, Ran
from core.teaching.whisper import look_through
from core.thread.hint import STRIPPED, UNCHECKED, hint_for, hint_of, with_hint
from core.workspace import Workspace


def with_hints(jobs: Sequence[Job]) -> list[Job]:
    """The jobs, each with its session's truth told to the teacher in every request and stored nowhere."""
    return [replace(job, hint=hint_for) for job in jobs]


def strip_hint(workspace: Workspace, result: Ran) -> Ran:
    """Look through a thread that was made with a hint and is over: one that nothing gives away is recorded as stripped,
    another goes to the trash and is told as failed. What had no hint stays as it is.

    Raises:
        SensorloomError: the thread cannot be saved, or was changed meanwhile.
    """
    stored = result.stored
    if stored is not None and result.job.hint not in (None, hint_for):  # somebody's thread, and a hint on the way
        stored, trace = look_through(workspace, stored, [result.job.hint(stored.thread)])
        return replace(result, stored=stored, error=result.error or trace)
    if stored is None or hint_of(stored.thread) != UNCHECKED or stored.thread.status == "active":
        return result
    trace = hint_trace(stored.thread, Context(stored.stem, dataset_labels(workspace, stored.thread.dataset)))
    if trace:
        delete(workspace, [stored.stem])
        return Ran(result.job, None, f"{stored.stem} is thrown away: {trace}", seconds=result.seconds, thrown_away=True)
    return replace(result, stored=commit(workspace, stored, with_hint(stored.thread, STRIPPED), "hint checked"))
