"""`sensorloom run --per-session`: several ways at each session, of which the right ones stay."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from core.cli.commands import print_json, say
from core.cli.run_cluster import cluster_in
from core.cli.run_progress import STOPPED, Shown, run_shown
from core.errors import UsageError
from core.text import counted
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.model.client import Model
    from core.model.endpoints import ModelChoice
    from core.runs.batches import Batch
    from core.runs.job import Job
    from core.runs.tally import Tally
    from core.teaching.rejection import SessionWays


def run_ways_shown(
    workspace: Workspace, jobs: Sequence[Job], choice: ModelChoice, options: Mapping[str, Any], as_json: bool
) -> int:
    """Go several ways at each job's session and sort them out. Exits with 0 only when every session was answered right
    at least once. It is a batch, which begins once every session has its question."""
    from core.runs.batches import begin_batch, setup_now
    from core.teaching.rejection import in_ways

    ways: int = options["per_session"]

    # before anybody is asked for a question: it refuses an address that may not be written down
    setup = setup_now(choice, options["endpoint"], parallel=options["parallel"], keep_empty=options["keep_empty"])
    setup = msgspec.structs.replace(setup, ways=ways, keep_all=options["keep"] == "all")

    async def begun(model: Model, shown: Shown) -> Batch:
        every = await in_ways(workspace, jobs, model, ways=ways, watch=shown.watch)
        return await asyncio.to_thread(begin_batch, workspace, every, setup)

    return _run_and_sort(workspace, choice, options, begun, (len(jobs) * ways, 0), as_json)


def resume_ways_shown(
    workspace: Workspace, batch: Batch, choice: ModelChoice, options: Mapping[str, Any], as_json: bool
) -> int:
    """Go on with a batch of several ways, and sort out all of them."""
    if batch.whole:
        say(f"batch {batch.name} is whole: its ways are sorted out", err=as_json)
        if as_json:
            print_json(_about(batch))
        return 0

    async def begun(_model: Model, _shown: Shown) -> Batch:
        return batch

    return _run_and_sort(workspace, choice, options, begun, (len(batch.setup.jobs), len(batch.over)), as_json)


def _run_and_sort(
    workspace: Workspace,
    choice: ModelChoice,
    options: Mapping[str, Any],
    begun: Callable[[Model, Shown], Awaitable[Batch]],
    counts: tuple[int, int],
    as_json: bool,
) -> int:
    """Make what is left of a batch; once all of it was begun, sort out its ways.

    Args:
        workspace: where the threads are.
        choice: who makes them.
        options: of the command.
        begun: gives the batch.
        counts: how many threads it is, and how many of them were over before.
        as_json: print a document.
    """
    from core.runs.batch_run import run_batch
    from core.runs.batches import open_batch
    from core.runs.crew_needed import run_on_cores
    from core.teaching.hinted import strip_hint

    async def work(model: Model, shown: Shown) -> tuple[Batch, Tally, str, bool]:
        batch = await begun(model, shown)
        told, workers, keep_empty = shown.watching, options["workers"], options["keep_empty"]
        make = partial(run_on_cores, workspace, model, told, workers=workers, keep_empty=keep_empty, after=strip_hint)
        tally = await run_batch(workspace, batch.name, (), shown.meter, make, shown.ended)
        return batch, tally, await model.name(), shown.meter.stopped

    if options["ray"]:
        raise UsageError("several ways at a session are sorted out where they are made: leave --ray out")
    with cluster_in(options, [choice.endpoint]):
        every = run_shown(workspace, choice, counts[0], work, options["parallel"], counts[1])
    batch, tally, name, stopped = every
    if not stopped and not tally.for_all:
        return _sort_out(workspace, batch, name, as_json)
    why = "stopped" if stopped else "every other thread would meet this error too"
    say(f"{why}: the ways are not sorted out yet; `sensorloom run --resume {batch.name}` goes on", err=True)
    if as_json:
        print_json(_unsorted(workspace, batch, open_batch(workspace, batch.name).ended(workspace), name, stopped=True))
    return STOPPED if stopped else 1


def _sort_out(workspace: Workspace, batch: Batch, name: str, as_json: bool) -> int:
    """Sort out the ways of a batch all of which was begun, made by the model of that name, and say what became of
    them."""
    from core.runs.batches import open_batch
    from core.teaching.rejection import keep_right

    setup = batch.setup
    by_session = open_batch(workspace, batch.name).ended(workspace)
    batch.note(0, sorted_out=True)  # before it is done: a second time would count every way twice
    if setup.keep_all:
        say(f"{counted(sum(map(len, by_session)), 'thread')} stay as they are", err=as_json)
        if as_json:
            print_json(_unsorted(workspace, batch, by_session, name, stopped=False))
        return 0
    sessions, done = keep_right(workspace, by_session, name)
    for problem in done.problems:
        say(f"sensorloom: {problem}", err=True)
    if as_json:
        told = [_document(session) for session in sessions]
        print_json({**_about(batch), "model": name, "sessions": told})
    else:
        _tell(sessions)
    answered = sum(bool(session.right) for session in sessions)
    return 0 if answered == len(setup.jobs) // setup.ways and not done.problems else 1


def _about(batch: Batch, *, stopped: bool = False) -> dict[str, Any]:
    """Which batch a document is about, and whether it came to its end."""
    return {"batch": batch.name, "per_session": batch.setup.ways, "stopped": stopped}


def _unsorted(
    workspace: Workspace, batch: Batch, by_session: Sequence[Sequence[str]], name: str, *, stopped: bool
) -> dict[str, Any]:
    """The document where all ways that are over stay, right or not."""
    from core.teaching.rejection import ways_of

    sessions = [
        {**_document(session), "kept": [*session.right, *session.wrong], "to_trash": []}
        for session in ways_of(workspace, by_session)
    ]
    return {**_about(batch, stopped=stopped), "model": name, "sessions": sessions}


def _document(session: SessionWays) -> dict[str, Any]:
    return {
        "dataset": session.dataset,
        "session": session.session,
        "right": session.rate.right,
        "of": session.rate.of,
        "difficulty": session.rate.difficulty,
        "kept": list(session.right),
        "to_trash": list(session.wrong),
        "pairs": session.pairs,
    }


def _tell(sessions: Sequence[SessionWays]) -> None:
    for session in sessions:
        rate = session.rate
        say(f"{session.session}: {rate.right} of {rate.of} right, {rate.difficulty}; {counted(session.pairs, 'pair')}")
    right = sum(len(session.right) for session in sessions)
    wrong = sum(len(session.wrong) for session in sessions)
    say(f"kept      {counted(right, 'right thread')}; {counted(wrong, 'other')} in the trash, one undo away")
