"""`sensorloom evaluate`: the same sessions for each model, kept apart from training threads, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.run_cluster import cluster_in, ray_options, run_shown_on
from core.cli.run_progress import STOPPED, Shown, run_shown
from core.cli.run_workers import workers_option
from core.cli.serving_options import (
    PROMPTS,
    form_options,
    parallel_option,
    serving_in,
    serving_options,
)
from core.datasets.session_filter import TERMS
from core.errors import UsageError
from core.evaluation import MAX_TRIES
from core.model.options import FLAGS
from core.settings import BUILTIN_NAME
from core.text import counted
from core.thread.evidence import EVIDENCE
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.cluster.run import OnCluster
    from core.evaluation.contest import Contestant, Evaluation
    from core.evaluation.scores import Outcome
    from core.model.client import Model
    from core.runs.batch import Job
    from core.runs.tally import Tally

SETS_UP = (
    "datasets", "count", "wanted", "seed", "held_out", "endpoints", "control", "tries", "question", "evidence",
    "form", *PROMPTS, "max_turns", *(name for name in FLAGS if name != "headers"),
)  # fmt: skip
"""Options that an evaluation is begun with; one that is gone on with has them already."""


@click.command("evaluate", epilog=f"Sessions are filtered by {TERMS}. `sensorloom filters` is about threads.")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--dataset", "datasets", multiple=True, metavar="NAME", help="Whose sessions; may stand often.")
@click.option("--count", type=click.IntRange(1), help="Of each dataset, spread over the labels; 50 unless told.")
@click.option("--filter", "wanted", default="", metavar="TEXT", help="Only sessions that this lets through; see below.")
@click.option("--seed", type=click.IntRange(0), help="Decides which sessions are drawn, and seeds the models.")
@click.option("--held-out", is_flag=True, help="Only sessions that are held out from training.")
@click.option("--endpoint", "endpoints", multiple=True, metavar="NAME[=MODEL]", help="Who answers; may stand often.")
@click.option("--control", is_flag=True, help="Each of them once more without tools.")
@click.option("--tries", type=click.IntRange(1, MAX_TRIES), help="Tries at each session; 1 unless told.")
@click.option("--question", "--query", "question", help="What is asked of all.")
@click.option("--evidence", type=click.Choice(EVIDENCE), help="What answers may rest on.")
@form_options
@click.option("--max-turns", type=click.IntRange(1), help="Assistant messages a thread may hold.")
@serving_options
@parallel_option
@ray_options
@workers_option
@click.option("--resume", is_flag=True, help="Go on with NAME, or with the latest, where it was stopped or killed.")
@click.option("--inspect", is_flag=True, help="Write a file by which Inspect asks the same sessions; ask nobody.")
@json_option
@workspace_options
def command(workspace: Workspace, name: str | None, as_json: bool, **options: Any) -> int:
    """Measure how good models are, and whether one is better than another.

    Every model answers the same question about the same sessions; its threads are kept in evaluations/NAME/, where
    `--threads` opens them, and are never exported. Figures come with intervals of 95 %; those of several datasets
    stand for each too. Without --dataset and
    --resume, the report of NAME, or of the latest evaluation, is printed once more. Exits with 1 where a thread failed,
    as with an endpoint that does not answer.
    """
    from core.evaluation.asking import alone, choice_for
    from core.evaluation.contest import begin, missing, outcomes_of

    evaluation = _evaluation(workspace, name, options)
    if options["headers"] and len({each.endpoint for each in evaluation.contestants} - {BUILTIN_NAME}) > 1:
        raise UsageError("--header would go to every endpoint: write it under its [[endpoints]] in sensorloom.toml")
    new = not options["resume"] and bool(options["datasets"])
    if options["inspect"]:
        return _for_inspect(workspace, evaluation, begin if new else None)
    stopped, failed = False, 0
    if new or options["resume"]:
        with ExitStack() as held:
            if not new:
                held.enter_context(alone(workspace, evaluation))
            every = {each: missing(workspace, evaluation, each) for each in evaluation.contestants}
            left = {each: jobs for each, jobs in every.items() if jobs}
            asked = [choice_for(workspace, evaluation, each, options["headers"]) for each in left]
            on = held.enter_context(cluster_in(options, [choice.endpoint for choice in asked]))
            if new:
                begin(workspace, evaluation)
                held.enter_context(alone(workspace, evaluation))
            stopped, failed = _ask_all(workspace, evaluation, left, options, on)
    elif options["ray"]:
        raise UsageError("--ray is for an evaluation that is begun or gone on with: give --dataset or --resume too")
    answers = {contestant: outcomes_of(workspace, evaluation, contestant) for contestant in evaluation.contestants}
    _tell(workspace, evaluation, answers, as_json, stopped)
    if failed:
        again = f"`sensorloom evaluate {evaluation.name} --resume` goes on with them"
        say(f"{counted(failed, 'thread')} failed, and count as wrong; {again}", err=True)
    return STOPPED if stopped else 1 if failed else 0


def _evaluation(workspace: Workspace, name: str | None, options: Mapping[str, Any]) -> Evaluation:
    """The evaluation that is begun, gone on with, or shown."""
    from core.evaluation.contest import evaluations, open_evaluation

    if options["datasets"] and not options["resume"]:
        return _new(workspace, name, options)
    if option := next((option for option in SETS_UP if options[option]), ""):
        named = {
            **FLAGS, **PROMPTS, "endpoints": ("--endpoint",), "datasets": ("--dataset",), "wanted": ("--filter",),
        }  # fmt: skip
        flag = named[option][0] if option in named else f"--{option.replace('_', '-')}"
        raise UsageError(f"{flag} is for a new evaluation: give --dataset, and leave --resume out")
    known = evaluations(workspace)
    if name is None and not known:
        raise UsageError("there is no evaluation yet; `sensorloom evaluate --dataset demo --count 20` makes one")
    return open_evaluation(workspace, name or known[0])


def _new(workspace: Workspace, name: str | None, options: Mapping[str, Any]) -> Evaluation:
    from core.evaluation.contest import QUESTION
    from core.evaluation.planning import Wanted, planned
    from core.runs.mode import form_told

    wanted = Wanted(
        options["datasets"],
        name or "",
        options["count"] or 0,
        options["seed"],
        options["held_out"],
        options["endpoints"],
        options["control"],
        options["tries"] or 1,
        options["question"] or QUESTION,
        options["evidence"],
        options["max_turns"],
        serving_in(options),
        form_told(workspace, options),
        options["wanted"],
    )
    return planned(workspace, wanted)


def _ask_all(
    workspace: Workspace,
    evaluation: Evaluation,
    left: Mapping[Contestant, Sequence[Job]],
    options: Mapping[str, Any],
    on: OnCluster | None,
) -> tuple[bool, int]:
    """Run what is left of each contestant. Returns whether it was stopped, and how many threads failed."""
    from core.evaluation.asking import not_begun

    stopped, failed = False, 0
    for contestant, jobs in left.items():
        tally = _run(workspace, evaluation, contestant, jobs, options, on)
        hopeless = not_begun(jobs, tally)
        stopped = tally.cancelled or (tally.told < len(jobs) and not hopeless)
        failed += tally.failed + hopeless
        if stopped:
            say(f"stopped; `sensorloom evaluate {evaluation.name} --resume` goes on", err=True)
            break
    return stopped, failed


def _run(
    workspace: Workspace,
    evaluation: Evaluation,
    contestant: Contestant,
    jobs: Sequence[Job],
    options: Mapping[str, Any],
    on: OnCluster | None,
) -> Tally:
    """Run what is missing of one contestant."""
    from core.evaluation.asking import ask_contestant, choice_for

    choice = choice_for(workspace, evaluation, contestant, options["headers"])
    if not contestant.tools:
        say("without tools, as a control:", err=True)
    if on is not None:
        apart = evaluation.apart(workspace, contestant)
        return run_shown_on(replace(on, with_tools=contestant.tools), apart, choice, jobs)[0]

    async def work(model: Model, shown: Shown) -> Tally:
        workers = options["workers"]
        return await ask_contestant(
            workspace, evaluation, contestant, jobs, model, shown.watching, ended=shown.ended, workers=workers
        )

    return run_shown(workspace, choice, len(jobs), work, options["parallel"])


def _for_inspect(
    workspace: Workspace, evaluation: Evaluation, begin: Callable[[Workspace, Evaluation], None] | None
) -> int:
    """Write the file for Inspect; with `begin`, the evaluation first."""
    from core.evaluation.inspect_file import write_inspect_file

    if begin is not None:
        begin(workspace, evaluation)
    path = write_inspect_file(workspace, evaluation)
    say(f"written: {path}; `inspect eval {path} --model NAME` asks, where inspect-ai is installed beside sensorloom")
    return 0


def _tell(
    workspace: Workspace,
    evaluation: Evaluation,
    answers: Mapping[Contestant, Sequence[Outcome]],
    as_json: bool,
    stopped: bool,
) -> None:
    from core.evaluation.contest import folder_of
    from core.evaluation.report import document, lines
    from core.evaluation.report_files import FILES, write_report

    write_report(workspace, evaluation, answers)
    if as_json:
        print_json({**document(evaluation, answers), "stopped": stopped})
        return
    for line in lines(evaluation, answers):
        say(line)
    say("")
    folder = workspace.shown(folder_of(workspace, evaluation.name))
    say(f"kept in {folder}: {', '.join(FILES)}, and the threads of each, which --threads opens")
