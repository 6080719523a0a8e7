"""`sensorloom questions`: the kinds of questions that threads may ask."""

from __future__ import annotations

from dataclasses import dataclass

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.workspace import Workspace

TRIED = 200
"""Sessions that are tried where nobody says how many."""


@dataclass(frozen=True, slots=True)
class Told:
    """One kind in words, as both the table and `--json` have it."""

    kind: str
    asks: str
    asked_of: str
    truth_from: str
    right_if: str
    answer: str


@click.command("questions")
@click.argument("dataset", required=False)
@click.option("--tried", type=click.IntRange(1), default=TRIED, show_default=True, help="How many sessions to try.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Decides which sessions are tried.")
@json_option
@workspace_options
def command(workspace: Workspace, dataset: str | None, tried: int, seed: int, as_json: bool) -> None:
    """List the kinds of questions: what each asks, of which sessions, where the truth is from, how it is scored.

    With a DATASET it says of how many of its sessions each kind can be asked. `run --kind` asks them.
    """
    every = [_told(name) for name in _names()]
    if dataset is None:
        if as_json:
            print_json([{field: getattr(told, field) for field in Told.__slots__} for told in every])
            return
        for told in every:
            say(f"{told.kind}: {told.asks}")
            say(f"  asked of   {told.asked_of}")
            say(f"  truth      {told.truth_from}")
            say(f"  answer     {told.answer}")
            say(f"  right if   {told.right_if}")
        return
    from core.datasets.standard import open_dataset
    from core.runs.asking import askable

    counts = askable(workspace, open_dataset(workspace, dataset), tried, seed)
    if as_json:
        print_json([{"kind": each.kind.name, "sessions": each.sessions, "tried": each.tried} for each in counts])
        return
    width = max(len(each.kind.name) for each in counts)
    for each in counts:
        say(f"{each.kind.name:<{width}}  {each.sessions:>5} of {each.tried} sessions  {each.kind.about}")


def _names() -> tuple[str, ...]:
    from core.thread.scoring import KINDS

    return KINDS


def _told(name: str) -> Told:
    from core.thread.kinds import BY_NAME
    from core.thread.scoring import SCORING

    kind = BY_NAME[name]
    answer = kind.form.replace("{sensors}", "named in the question").replace("{wanted}", "whatever is asked for")
    return Told(name, kind.about, kind.sessions, kind.source, SCORING[name].in_words, answer or "the label")
