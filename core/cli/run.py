"""`sensorloom run`: make new threads about sessions drawn at random, or run stored ones to their end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.run_batch import batch_to_resume, written_down
from core.cli.run_cluster import cluster_in, ray_options
from core.cli.run_here_or_there import run_jobs_shown
from core.cli.run_progress import STOPPED
from core.cli.run_told import Results, document, summary, thread_document
from core.cli.run_which import questions_drawn, unfinished
from core.cli.run_words import with_words
from core.cli.run_workers import workers_option
from core.cli.serving_options import (
    PROMPTS,
    form_options,
    parallel_option,
    question_prompt_option,
    serving_in,
    serving_options,
)
from core.cli.threads import filter_option
from core.errors import UsageError
from core.text import counted
from core.thread.evidence import WANTED
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.cluster.run import OnCluster
    from core.model.endpoints import ModelChoice
    from core.runs.batches import Batch
    from core.runs.job import Job, Ran

NEW_ONLY = (
    "dataset", "goal", "count", "sessions", "question", "kind", "difficulty", "per_session", "hint", "evidence",
    "form",
    *PROMPTS,
    "question_prompt",
)  # fmt: skip
"""Options that say how new threads are made."""
ENDPOINT_HELP = "An endpoint of sensorloom.toml, `openai`, `builtin`, or a URL."

KIND_HELP = "Kinds of questions, with commas, or `mix`: `sensorloom questions` lists them. The activity unless told."
EVIDENCE_HELP = (
    "`reference`: comparisons that rank the labels; `measure`: measurements alone; `mix`: half of the threads each. As "
    "the settings have it, else `mix` with the built-in analyst and `reference` with others."
)


@click.command("run")
@click.argument("stems", nargs=-1, metavar="[THREAD_ID]...")
@filter_option
@click.option("--dataset", help="Make new threads about sessions of this dataset.")
@click.option("--goal", is_flag=True, help="Make new threads about the sessions that the goal lacks, --count of them.")
@click.option("--count", type=click.IntRange(1), help="How many new threads; 1 unless told.")
@click.option("--session", "sessions", multiple=True, metavar="ID", help="A session, instead of drawing them.")
@click.option("--seed", type=click.IntRange(0), help="Decides which sessions are drawn, and seeds the model.")
@click.option(
    "--question", "--query", "question", help="The question; each thread's is proposed by the model unless told."
)
@click.option("--kind", metavar="NAMES", help=KIND_HELP)
@click.option("--evidence", type=click.Choice(WANTED), help=EVIDENCE_HELP)
@form_options
@question_prompt_option
@click.option("--max-turns", type=click.IntRange(1), help="Assistant messages a thread may hold.")
@click.option("--endpoint", default="", help=ENDPOINT_HELP)
@click.option("--model", default="", help="The model to ask.")
@click.option("--difficulty", type=click.Choice(["easy", "middle", "hard"]), help="Draw only sessions so difficult.")
@click.option("--per-session", type=click.IntRange(2, 256), help="So many ways at each session, each a thread.")
@click.option("--keep", type=click.Choice(["right", "all"]), help="Which ways stay; `right` unless told.")
@click.option("--hint", is_flag=True, help="Tell the model the truth; keep only what does not show it.")
@click.option("--say", metavar="TEXT", help="Of one thread: the user says this first, and the thread keeps it.")
@click.option("--whisper", metavar="TEXT", help="Of one thread: a hint with every request, which nothing keeps.")
@serving_options
@parallel_option
@ray_options
@workers_option
@click.option("--keep-empty", is_flag=True, help="Keep new threads to which nothing came but their question.")
@click.option(
    "--resume", is_flag=False, flag_value="", metavar="[BATCH]",
    help="Go on with a batch, the latest unless named, where it was stopped or killed.",
)  # fmt: skip
@json_option
@workspace_options
def command(workspace: Workspace, stems: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Run threads to their final answer, saving every turn.

    Either stored ones, by id or --filter (`status:active` goes on with what a crash left), or new ones: --dataset with
    a --count draws sessions at random, spread over the labels, which the model is never told; --goal takes those whose
    threads the goal of the workspace lacks even when all that could be judged were accepted. Exits with 0 only when
    every thread is finished. Ctrl-C stops and keeps what is done; `run --resume` goes on, after a kill too.
    """
    from core.model.endpoints import choose
    from core.runs.after_kill import tidy_after_kills
    from core.runs.mode import form_told, with_evidence, with_form

    if told := tidy_after_kills(workspace):
        say(f"note: {told}", err=True)
    if options["resume"] is not None:
        return _resumed(workspace, stems, options, as_json)
    seed: int | None = options["seed"]
    jobs = _jobs(workspace, stems, options, secrets.randbelow(2**31) if seed is None else seed)
    choice = choose(
        workspace,
        options["endpoint"],
        options["model"],
        seed=seed,
        **serving_in(options),
    )
    jobs = with_evidence(workspace, with_words(workspace, jobs, options), choice, options["evidence"])
    jobs = with_form(jobs, form_told(workspace, options)) if not jobs[0].stem else jobs
    if options["per_session"]:
        from core.cli.run_ways import run_ways_shown

        return run_ways_shown(workspace, jobs, choice, options, as_json)
    with cluster_in(options, [choice.endpoint]) as on:
        batch, jobs = written_down(workspace, jobs, choice, options)
        return _run_and_tell(workspace, jobs, choice, options, batch, as_json, on)


def _resumed(workspace: Workspace, stems: tuple[str, ...], options: dict[str, Any], as_json: bool) -> int:
    """Go on with a batch."""
    batch, choice = batch_to_resume(workspace, stems, options)
    options["parallel"] = options["parallel"] or batch.setup.parallel
    options["keep_empty"] = options["keep_empty"] or batch.setup.keep_empty
    if batch.setup.ways:
        from core.cli.run_ways import resume_ways_shown

        return resume_ways_shown(workspace, batch, choice, options, as_json)
    jobs = batch.left(workspace)
    if not jobs:
        say(f"batch {batch.name} is whole: all of its {counted(len(batch.setup.jobs), 'thread')} are over", err=as_json)
        return 0
    with cluster_in(options, [choice.endpoint]) as on:
        return _run_and_tell(workspace, jobs, choice, options, batch, as_json, on)


def _run_and_tell(
    workspace: Workspace,
    jobs: Sequence[Job],
    choice: ModelChoice,
    options: Mapping[str, Any],
    batch: Batch | None,
    as_json: bool,
    on: OnCluster | None,
) -> int:
    started = time.monotonic()
    results = Results(with_threads=as_json)
    tally, stopped = run_jobs_shown(
        workspace,
        jobs,
        choice,
        options["parallel"],
        batch,
        results.add,
        workers=options["workers"],
        keep_empty=options["keep_empty"],
        on=on,
    )
    seconds = time.monotonic() - started
    if as_json:
        of_all = document(results, len(jobs), choice, options["seed"], seconds)
        print_json({**of_all, "batch": batch.name if batch else None})
    else:
        for line in summary(results, len(jobs), seconds, batch.name if batch else "", stopped=stopped):
            say(line)
    if stopped:
        return STOPPED
    return 0 if tally.finished == len(jobs) else 1


def _jobs(workspace: Workspace, stems: tuple[str, ...], options: dict[str, Any], seed: int) -> list[Job]:
    from core.runs.batch import Job

    max_turns = options["max_turns"]
    if options["keep"] and not options["per_session"]:
        raise UsageError("--keep says which of several ways stay: give --per-session too")
    if stems or options["wanted"].strip():
        new = [name for name in NEW_ONLY if options[name]]
        if new:
            option = new[0].rstrip("s") if new[0] == "sessions" else new[0].replace("_", "-")
            raise UsageError(f"--{option} is for new threads; name either threads or a dataset")
        chosen = unfinished(workspace, stems, options["wanted"])
        return [Job(stem=stem, max_turns=max_turns, number=number) for number, stem in enumerate(chosen)]
    own = options["seed"]
    jobs = [
        Job(
            dataset,
            session,
            options["question"] or "",
            None if own is None else own + number,
            "",
            max_turns,
            None,
            asked,
        )
        for number, (dataset, session, asked) in enumerate(questions_drawn(workspace, options, seed))
    ]
    if not options["hint"]:
        return jobs
    from core.teaching.hinted import with_hints

    return with_hints(jobs)


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

    told: list[Ran] = []
    _, stopped = run_jobs_shown(workspace, [Job(stem=stem)], choose(workspace, endpoint, model), 1, None, told.append)
    if not told or stopped:
        return STOPPED, {"id": stem, "stopped": True}
    return 0 if told[0].finished else 1, thread_document(told[0])
