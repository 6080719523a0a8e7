"""`sensorloom run THREAD --say` and `--whisper`: what the model is told before it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from core.errors import UsageError
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.runs.batch import Job


def with_words(workspace: Workspace, jobs: Sequence[Job], options: Mapping[str, Any]) -> list[Job]:
    """The jobs with what is said to the model: as the user's message, which is saved now, or as a hint.

    Raises:
        UsageError: there is not exactly one stored thread to say it in, or nothing can follow its last message.
    """
    words, hint = options["say"], options["whisper"]
    if words is None and hint is None:
        return list(jobs)
    if len(jobs) != 1 or not jobs[0].stem:
        raise UsageError("--say and --whisper are said in one stored thread: name one")
    if hint is not None and not hint.strip():
        raise UsageError("there is nothing to whisper")
    from core.curate import say
    from core.storage.store import read
    from core.teaching.whisper import whispered
    from core.thread.hint import same_hint

    (job,) = jobs
    if words is not None:
        say(workspace, read(workspace.threads, job.stem), words)
    if hint is None:
        return [job]
    whispered(workspace, read(workspace.threads, job.stem))
    return [replace(job, hint=partial(same_hint, hint))]
