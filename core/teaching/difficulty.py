"""How hard sessions are: how often a chosen model answers each of them right, without keeping what it said."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from core.datasets.standard import StandardDataset
from core.model.client import Model
from core.runs.batch import Job, Ran
from core.runs.events import TurnEvent
from core.runs.progress import Meter
from core.storage import history_files
from core.storage.pass_rates import DIFFICULTIES, PassRate, add_pass_rates, latest, read_pass_rates
from core.teaching.rejection import is_right, run_ways
from core.workspace import Workspace


async def measure(
    workspace: Workspace,
    jobs: Sequence[Job],
    model: Model,
    *,
    attempts: int,
    parallel: int | None = None,
    meter: Meter | None = None,
    ended: Callable[[Ran], None],
    watch: Callable[[Job, TurnEvent], None] | None = None,
) -> dict[tuple[str, str], PassRate]:
    """Let the model try each session so many times and record how often it was right. The threads are made apart and
    thrown away. Attempts that failed or were stopped do not count; those that found no answer in time are wrong.

    Returns:
        What was counted now, by dataset and session.

    Raises:
        SensorloomError: the rates cannot be recorded.
    """
    rates: dict[tuple[str, str], PassRate] = {}

    def counted(ran: Ran) -> None:
        thread = ran.thread
        if thread is not None and not ran.error and not ran.cancelled and thread.status != "active":
            key = thread.dataset, thread.session
            before = rates.get(key, PassRate(0, 0))
            rates[key] = PassRate(before.right + is_right(thread), before.of + 1)
        ended(ran)

    with tempfile.TemporaryDirectory() as folder:
        apart = replace(workspace.apart(Path(folder) / "threads"), exports=Path(folder) / "exports")
        try:
            await run_ways(
                apart, jobs, model, ways=attempts, ended=counted, parallel=parallel, meter=meter, watch=watch
            )
        finally:
            shutil.rmtree(history_files.folder(apart), ignore_errors=True)
    if rates:
        add_pass_rates(workspace.root, await model.name(), rates)
    return rates


def sessions_of(workspace: Workspace, dataset: StandardDataset, difficulty: str, model: str = "") -> list[str]:
    """The sessions that are so difficult, by the last model that was asked, or by this one; those that nobody measured
    are in no band. Raises WorkspaceError where the rates cannot be read."""
    assert difficulty in DIFFICULTIES
    rates = read_pass_rates(workspace.root)
    measured = {session: latest(rates, dataset.name, session, model) for session in sorted(dataset.sessions)}
    return [session for session, rate in measured.items() if rate is not None and rate.difficulty == difficulty]
