"""`sensorloom difficulty`: how often a model answers sessions right, recorded for the filter and for drawing."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.run import model_options
from core.cli.run_progress import Shown, run_shown
from core.cli.serving_options import parallel_option, serving_in, serving_options
from core.errors import UsageError
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.model.client import Model
    from core.storage.pass_rates import PassRate


@click.command("difficulty")
@click.option("--dataset", required=True, help="Whose sessions.")
@click.option("--count", type=click.IntRange(1), default=20, show_default=True, help="Sessions, drawn at random.")
@click.option("--session", "sessions", multiple=True, metavar="ID", help="A session, instead of drawing them.")
@click.option("--attempts", type=click.IntRange(1, 256), default=4, show_default=True, help="Attempts at each.")
@click.option("--question", "--query", "question", default="", help="The question; proposed by the model unless told.")
@click.option("--seed", type=click.IntRange(0), help="Decides which sessions are drawn, and seeds the model.")
@serving_options
@parallel_option
@model_options
@json_option
@workspace_options
def command(workspace: Workspace, as_json: bool, **options: Any) -> int:
    """Let a model try sessions several times, keep no thread, and record how often it was right.

    `difficulty:middle` in a filter, and `run --difficulty middle`, then choose by it.
    """
    from core.datasets.drawing import draw_sessions
    from core.datasets.standard import open_dataset
    from core.model.endpoints import choose
    from core.runs.batch import Job
    from core.teaching.difficulty import measure

    seed: int | None = options["seed"]
    dataset = open_dataset(workspace, options["dataset"])
    unknown = [session for session in options["sessions"] if session not in dataset.labels]
    if unknown:
        raise UsageError(f"{dataset.name} has no session {unknown[0]!r}")
    drawn = options["sessions"] or draw_sessions(
        dataset, options["count"], secrets.randbelow(2**31) if seed is None else seed
    )
    jobs = [
        Job(dataset.name, session, options["question"], None if seed is None else seed + number)
        for number, session in enumerate(drawn)
    ]
    attempts: int = options["attempts"]
    choice = choose(workspace, options["endpoint"], options["model"], seed=seed, **serving_in(options))

    async def work(model: Model, shown: Shown) -> tuple[dict[tuple[str, str], PassRate], str]:
        rates = await measure(
            workspace, jobs, model, attempts=attempts, meter=shown.meter, ended=shown.ended, watch=shown.watch
        )
        return rates, await model.name()

    rates, name = run_shown(workspace, choice, len(jobs) * attempts, work, options["parallel"])
    _tell(rates, name, attempts, as_json)
    return 0 if len(rates) == len(jobs) else 1


def _tell(rates: dict[tuple[str, str], PassRate], model: str, attempts: int, as_json: bool) -> None:
    def mean(k: int) -> float | None:
        shares = [share for rate in rates.values() if (share := rate.at_least_one_of(k)) is not None]
        return sum(shares) / len(shares) if shares else None

    if as_json:
        rows = [
            {"dataset": dataset, "session": session, "right": rate.right, "of": rate.of, "difficulty": rate.difficulty}
            for (dataset, session), rate in rates.items()
        ]
        print_json({"model": model, "sessions": rows, "pass@1": mean(1), f"pass@{attempts}": mean(attempts)})
        return
    for (_, session), rate in rates.items():
        say(f"{session}: {rate.right} of {rate.of} right, {rate.difficulty}")
    bands = Counter(rate.difficulty for rate in rates.values())
    say(f"bands     {bands['easy']} easy, {bands['middle']} middle, {bands['hard']} hard")
    for k in dict.fromkeys((1, attempts)):
        share = mean(k)
        if share is not None:
            say(f"pass@{k:<4} {share:.1%}")
