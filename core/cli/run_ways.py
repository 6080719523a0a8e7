"""`sensorloom run --per-session`: several ways at each session, of which the right ones stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from core.cli.commands import print_json, say
from core.cli.run_cluster import asked_shown_on, cluster_in
from core.cli.run_here_or_there import run_jobs_shown
from core.cli.run_progress import STOPPED, say_meanwhile, with_model
from core.text import counted
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.cluster.run import OnCluster
    from core.model.client import Model
    from core.model.endpoints import ModelChoice
    from core.runs.batches import Batch
    from core.runs.events import TurnEvent
    from core.runs.job import Job
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
    with cluster_in(options, [choice.endpoint]) as on:
        asked = _with_questions(workspace, jobs, choice, on)
        batch = begin_batch(workspace, in_ways(asked, ways), setup)
        return _run_and_sort(workspace, batch, choice, options, as_json, on)


def resume_ways_shown(
    workspace: Workspace, batch: Batch, choice: ModelChoice, options: Mapping[str, Any], as_json: bool
) -> int:
    """Go on with a batch of several ways, and sort out all of them."""
    if batch.whole:
        say(f"batch {batch.name} is whole: its ways are sorted out", err=as_json)
        if as_json:
            print_json(_about(batch))
        return 0
    with cluster_in(options, [choice.endpoint]) as on:
        return _run_and_sort(workspace, batch, choice, options, as_json, on)


def _with_questions(
    workspace: Workspace, jobs: Sequence[Job], choice: ModelChoice, on: OnCluster | None
) -> Sequence[Job]:
    """The jobs with the question that all ways of each ask. On a cluster its workers ask the model for it, who may be
    the only ones that can."""
    from core.teaching.rejection import to_be_asked, with_questions

    indices = to_be_asked(workspace, jobs)
    if not indices:
        return jobs
    if on is None or choice.endpoint.builtin:

        async def work(model: Model) -> list[Job]:
            def watch(job: Job, event: TurnEvent) -> None:
                say_meanwhile(job.session, event)

            return await with_questions(workspace, jobs, model, watch=watch)

        return with_model(workspace, choice, work)
    asked = dict(zip(indices, asked_shown_on(on, workspace, choice, [jobs[index] for index in indices]), strict=True))
    return [asked.get(index, job) for index, job in enumerate(jobs)]


def _run_and_sort(
    workspace: Workspace,
    batch: Batch,
    choice: ModelChoice,
    options: Mapping[str, Any],
    as_json: bool,
    on: OnCluster | None,
) -> int:
    """Make what is left of a batch; once all of it was begun, sort out its ways."""
    from core.runs.batches import open_batch

    if left := batch.left(workspace):
        tally, stopped = run_jobs_shown(
            workspace,
            left,
            choice,
            options["parallel"],
            batch,
            lambda _: None,
            workers=options["workers"],
            keep_empty=options["keep_empty"],
            on=on,
        )
        if stopped or tally.for_all:
            why = "stopped" if stopped else "every other thread would meet this error too"
            say(f"{why}: the ways are not sorted out yet; `sensorloom run --resume {batch.name}` goes on", err=True)
            if as_json:
                print_json(_unsorted(workspace, open_batch(workspace, batch.name), choice, stopped=True))
            return STOPPED if stopped else 1
    return _sort_out(workspace, open_batch(workspace, batch.name), choice, as_json)


def _sort_out(workspace: Workspace, batch: Batch, choice: ModelChoice, as_json: bool) -> int:
    """Sort out the ways of a batch all of which was begun, and say what became of them."""
    from core.teaching.rejection import count_right, keep_right

    setup, by_session = batch.setup, batch.ended(workspace)
    if setup.keep_all:
        batch.note(0, sorted_out=True)
        say(f"{counted(sum(map(len, by_session)), 'thread')} stay as they are", err=as_json)
        if as_json:
            print_json(_unsorted(workspace, batch, choice, stopped=False))
        return 0
    count_right(workspace, by_session)
    batch.note(0, sorted_out=True)  # before it is done: a second time would count every way twice
    sessions, done = keep_right(workspace, by_session)
    for problem in done.problems:
        say(f"sensorloom: {problem}", err=True)
    if as_json:
        print_json(_about_sessions(batch, sessions, choice, [_document(session) for session in sessions]))
    else:
        _tell(sessions)
    answered = sum(bool(session.right) for session in sessions)
    return 0 if answered == len(setup.jobs) // setup.ways and not done.problems else 1


def _about(batch: Batch, *, stopped: bool = False) -> dict[str, Any]:
    """Which batch a document is about, and whether it came to its end."""
    return {"batch": batch.name, "per_session": batch.setup.ways, "stopped": stopped}


def _about_sessions(
    batch: Batch,
    sessions: Sequence[SessionWays],
    choice: ModelChoice,
    told: Sequence[Mapping[str, Any]],
    *,
    stopped: bool = False,
) -> dict[str, Any]:
    """The whole document: what is told of each session, and by which model its ways were made."""
    model = next((session.model for session in sessions), choice.model)
    return {**_about(batch, stopped=stopped), "model": model, "sessions": list(told)}


def _unsorted(workspace: Workspace, batch: Batch, choice: ModelChoice, *, stopped: bool) -> dict[str, Any]:
    """The document where all ways that are over stay, right or not."""
    from core.teaching.rejection import ways_of

    sessions = ways_of(workspace, batch.ended(workspace))
    told = [{**_document(session), "kept": [*session.right, *session.wrong], "to_trash": []} for session in sessions]
    return _about_sessions(batch, sessions, choice, told, stopped=stopped)


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
