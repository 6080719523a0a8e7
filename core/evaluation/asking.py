"""Asking one contestant what is still missing: whom, how, and the run, the same for the command and the screen."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

from core.errors import UsageError, system_reason
from core.evaluation.contest import Contestant, Evaluation, folder_of
from core.model.client import Model
from core.model.endpoints import ModelChoice, choose
from core.runs.crew_needed import Watching, run_on_cores
from core.runs.job import Job, Ran
from core.runs.tally import Tally
from core.workspace import Workspace

_LOCK = ".making.lock"
_LOCK_SEC = 1.0


@contextmanager
def alone(workspace: Workspace, evaluation: Evaluation) -> Generator[None]:
    """Be the only one that asks for an evaluation which was begun: two would ask everything twice.

    Raises:
        UsageError: another one does, or its folder cannot be written.
    """
    from filelock import FileLock, Timeout

    path = folder_of(workspace, evaluation.name) / _LOCK
    lock = FileLock(path, timeout=_LOCK_SEC, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(
            f"evaluation {evaluation.name} is under way in another process or window; wait for it, or stop it there"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {system_reason(error)}") from error
    try:
        yield
    finally:
        lock.release()


def choice_for(
    workspace: Workspace, evaluation: Evaluation, contestant: Contestant, headers: Mapping[str, str] | None = None
) -> ModelChoice:
    """Whom a contestant is, and how all are asked.

    Args:
        workspace: where the evaluation is.
        evaluation: what is asked of whom.
        contestant: one of its contestants.
        headers: which of them go with the requests beside the settings' own: an evaluation keeps none.

    Raises:
        UsageError: its endpoint is not there any more.
    """
    options = {**evaluation.options, "headers": headers}
    return choose(workspace, contestant.endpoint, contestant.model, seed=evaluation.seed, **options)


async def ask_contestant(
    workspace: Workspace,
    evaluation: Evaluation,
    contestant: Contestant,
    jobs: Sequence[Job],
    model: Model,
    watching: Watching,
    *,
    ended: Callable[[Ran], None],
    workers: int | None = None,
) -> Tally:
    """Run what is missing of one contestant, whom the model is; as `core.runs.crew_needed.run_on_cores`."""
    apart, with_tools = evaluation.apart(workspace, contestant), contestant.tools
    return await run_on_cores(apart, model, watching, jobs, ended, workers=workers, with_tools=with_tools)


def not_begun(jobs: Sequence[Job], tally: Tally) -> int:
    """How many jobs were not begun since what failed would meet them too; none where it was stopped."""
    return len(jobs) - tally.told if tally.for_all else 0
