"""`sensorloom run`: make new threads about sessions drawn at random, or run stored ones to their end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import Finite, json_option, print_json, say, workspace_options
from core.cli.run_progress import STOPPED, run_shown
from core.cli.threads import stem_of
from core.errors import UsageError
from core.thread.evidence import EVIDENCE
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.cli.run_progress import Watch
    from core.datasets.standard import StandardDataset
    from core.model.client import Model
    from core.model.endpoints import ModelChoice
    from core.runs.batch import Job, Ran

NEW_ONLY = ("dataset", "count", "sessions", "question", "difficulty", "per_session", "hint", "evidence")
"""Options that say how new threads are made."""
ENDPOINT_HELP = "An endpoint of sensorloom.toml, `openai`, `builtin`, or a URL."

EVIDENCE_HELP = "`reference`: comparisons that rank the labels; `measure`: measurements alone. As the settings have it."


@click.command("run")
@click.argument("stems", nargs=-1, metavar="[THREAD_ID]...")
@click.option("--dataset", help="Make new threads about sessions of this dataset.")
@click.option("--count", type=click.IntRange(1), help="How many new threads; 1 unless told.")
@click.option("--session", "sessions", multiple=True, metavar="ID", help="A session, instead of drawing them.")
@click.option("--seed", type=click.IntRange(0), help="Decides which sessions are drawn, and seeds the model.")
@click.option(
    "--question", "--query", "question", help="The question; each thread's is proposed by the model unless told."
)
@click.option("--evidence", type=click.Choice(EVIDENCE), help=EVIDENCE_HELP)
@click.option("--max-turns", type=click.IntRange(1), help="Assistant messages a thread may hold.")
@click.option("--endpoint", default="", help=ENDPOINT_HELP)
@click.option("--model", default="", help="The model to ask.")
@click.option("--temperature", type=Finite(0), help="How freely the model chooses its words.")
@click.option("--max-tokens", type=click.IntRange(1), help="Tokens a message may have.")
@click.option("--difficulty", type=click.Choice(["easy", "middle", "hard"]), help="Draw only sessions so difficult.")
@click.option("--per-session", type=click.IntRange(2, 256), help="So many ways at each session, each a thread.")
@click.option("--keep", type=click.Choice(["right", "all"]), help="Which ways stay; `right` unless told.")
@click.option("--hint", is_flag=True, help="Tell the model the truth; keep only what does not show it.")
@click.option("--parallel", type=click.IntRange(1, 256), default=4, show_default=True, help="Threads run at once.")
@json_option
@workspace_options
def command(workspace: Workspace, stems: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Run threads to their final answer, saving every turn.

    Either THREAD_IDs, or --dataset with a --count: sessions are drawn at random, spread over the labels, which the
    model is never told. Exits with 0 only when every thread is finished. Ctrl-C stops and keeps what is done.
    """
    from core.model.endpoints import choose

    seed: int | None = options["seed"]
    jobs = _jobs(workspace, stems, options, secrets.randbelow(2**31) if seed is None else seed)
    choice = choose(
        workspace,
        options["endpoint"],
        options["model"],
        temperature=options["temperature"],
        max_tokens=options["max_tokens"],
        seed=seed,
    )
    started = time.monotonic()
    if options["per_session"]:
        from core.cli.run_ways import run_ways_shown

        return run_ways_shown(workspace, jobs, choice, options, as_json)
    ran = _run(workspace, jobs, choice, options["parallel"])
    seconds = time.monotonic() - started
    if as_json:
        print_json(_document(jobs, ran, choice, seed, seconds))
    else:
        for line in _summary(jobs, ran, seconds):
            say(line)
    if any(result.cancelled for result in ran):
        return STOPPED
    return 0 if len(ran) == len(jobs) and all(result.finished for result in ran) else 1


def _jobs(workspace: Workspace, stems: tuple[str, ...], options: dict[str, Any], seed: int) -> list[Job]:
    from core.datasets.standard import open_dataset
    from core.runs.batch import Job, draw_sessions

    max_turns = options["max_turns"]
    if options["keep"] and not options["per_session"]:
        raise UsageError("--keep says which of several ways stay: give --per-session too")
    if stems:
        new = [name for name in NEW_ONLY if options[name]]
        if new:
            option = new[0].rstrip("s") if new[0] == "sessions" else new[0].replace("_", "-")
            raise UsageError(f"--{option} is for new threads; name either threads or a dataset")
        return [Job(stem=stem, max_turns=max_turns) for stem in _unfinished(workspace, stems)]
    if not options["dataset"]:
        raise UsageError("name a dataset with --dataset, or threads by their ids (`sensorloom list` shows them)")
    dataset = open_dataset(workspace, options["dataset"])
    sessions = list(options["sessions"])
    unknown = [session for session in sessions if session not in dataset.labels]
    if unknown:
        raise UsageError(f"{dataset.name} has no session {unknown[0]!r}")
    if sessions and options["count"]:
        raise UsageError("give --session or --count, not both")
    drawn = sessions or draw_sessions(dataset, options["count"] or 1, seed, _band(workspace, dataset, options))
    own, evidence = options["seed"], options["evidence"]
    jobs = [
        Job(
            dataset.name,
            session,
            options["question"] or "",
            None if own is None else own + number,
            "",
            max_turns,
            evidence,
        )
        for number, session in enumerate(drawn)
    ]
    if not options["hint"]:
        return jobs
    from core.teaching.hinted import with_hints

    return with_hints(jobs)


def _band(workspace: Workspace, dataset: StandardDataset, options: Mapping[str, Any]) -> list[str] | None:
    """The sessions to draw from, where they are to be so difficult."""
    if not options["difficulty"]:
        return None
    from core.teaching.difficulty import sessions_of

    return sessions_of(workspace, dataset, options["difficulty"])


def _unfinished(workspace: Workspace, names: tuple[str, ...]) -> list[str]:
    """The stems of the named threads. Raises UsageError where one is not there, or finished: nothing would be run."""
    from core.errors import ThreadError
    from core.storage.store import read_all
    from core.storage.thread_files import path_of

    stems = list(dict.fromkeys(map(stem_of, names)))
    missing = [stem for stem in stems if not path_of(workspace.threads, stem).exists()]
    if missing:
        raise UsageError(f"there is no thread {missing[0]!r} in {workspace.shown(workspace.threads)}")
    stored = [read for read in read_all(workspace.threads, stems) if not isinstance(read, ThreadError)]
    finished = [thread.stem for thread in stored if thread.thread.status == "finished"]
    if finished:
        which = finished[0] if len(finished) == 1 else f"{finished[0]} and {len(finished) - 1} more"
        are = "is" if len(finished) == 1 else "are"
        raise UsageError(
            f"{which} {are} finished: nothing would be run; leave {'it' if are == 'is' else 'them'} out, "
            "or branch from a turn to go on differently"
        )
    return stems


def refuse_model_options(options: Mapping[str, Any], unless: str) -> None:
    """Raise UsageError for `--endpoint` or `--model` where nothing is run with them. `unless`: what would run it."""
    for name in ("endpoint", "model"):
        if options[name]:
            raise UsageError(f"--{name} is for {unless}; without it no model is asked")


def model_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that goes on running a thread `--endpoint` and `--model`."""
    for name, about in (("model", "The model to ask."), ("endpoint", ENDPOINT_HELP)):
        function = click.option(f"--{name}", default="", help=about)(function)
    return function


def run_on(workspace: Workspace, stem: str, endpoint: str, model: str) -> tuple[int, dict[str, Any]]:
    """Run a stored thread to its end. Returns the exit code, and what `--json` tells of it."""
    from core.model.endpoints import choose
    from core.runs.batch import Job

    ran = _run(workspace, [Job(stem=stem)], choose(workspace, endpoint, model), 1)
    if not ran or ran[0].cancelled:
        return STOPPED, {"id": stem, "stopped": True}
    return 0 if ran[0].finished else 1, _thread_document(ran[0])


def _run(workspace: Workspace, jobs: Sequence[Job], choice: ModelChoice, parallel: int) -> list[Ran]:
    from core.runs.batch import run_jobs
    from core.teaching.hinted import strip_hints

    async def work(model: Model, ended: Callable[[Ran], None], watch: Watch) -> list[Ran]:
        ran = await run_jobs(workspace, jobs, model, parallel=parallel, ended=ended, watch=watch)
        return strip_hints(workspace, ran)

    return run_shown(choice, len(jobs), work)


def _summary(jobs: Sequence[Job], ran: Sequence[Ran], seconds: float) -> list[str]:
    from core.runs.batch import per_class

    finished = [result.thread for result in ran if result.finished and result.thread]
    lines = [f"finished  {len(finished)} of {len(jobs)} in {seconds:.1f} s"]
    counts = per_class(finished)
    if counts:
        right, of = sum(label.correct for label in counts), sum(label.finished for label in counts)
        lines.append(f"correct   {right} of {of} ({right / of:.1%})")
        width = max(len(label.label) for label in counts)
        lines += [
            f"  {label.label:<{width}}  {label.correct:>4} of {label.finished:<4} {label.correct / label.finished:6.1%}"
            for label in counts
        ]
    failed = [result for result in ran if result.error]
    lines += [f"failed    {len(failed)}: {failed[0].error}"] if failed else []
    if any(result.cancelled for result in ran):
        lines.append("stopped   what is done is kept; `sensorloom run THREAD_ID` goes on")
    return lines


def _document(
    jobs: Sequence[Job], ran: Sequence[Ran], choice: ModelChoice, seed: int | None, seconds: float
) -> dict[str, Any]:
    from core.runs.batch import per_class

    finished = [result.thread for result in ran if result.finished and result.thread]
    counts = per_class(finished)
    return {
        "endpoint": choice.endpoint.name,
        "model": finished[0].metadata.get("model") if finished else choice.model or choice.endpoint.model,
        "seed": seed,
        "asked": len(jobs),
        "finished": len(finished),
        "correct": sum(result.correct for result in counts),
        "per_class": {result.label: {"finished": result.finished, "correct": result.correct} for result in counts},
        "seconds": round(seconds, 3),
        "threads": [_thread_document(result) for result in ran],
    }


def _thread_document(ran: Ran) -> dict[str, Any]:
    thread = ran.thread
    told = {
        "id": thread.id if thread else ran.job.stem or None,
        "dataset": thread.dataset if thread else ran.job.dataset,
        "session": thread.session if thread else ran.job.session,
        "seconds": round(ran.seconds, 3),
        "error": ran.error,
        "stopped": ran.cancelled,
    }
    if thread is None:
        return {**told, "status": None}
    keys = ("status", "ground_truth", "final_answer", "is_correct", "confidence", "user_query")
    counts = ("num_turns", "num_tool_calls")
    return {**told, **{key: thread.metadata.get(key) for key in (*keys, *counts)}}
