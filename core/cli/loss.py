"""`sensorloom loss`: which turns are trained."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.threads import opened, turn_number
from core.workspace import Workspace


@click.command("loss")
@click.argument("where", type=click.Choice(["in", "out"]))
@click.argument("name", metavar="THREAD")
@click.option("--turn", "turns", type=click.IntRange(1), multiple=True, required=True, help="Which turn; repeatable.")
@json_option
@workspace_options
def command(workspace: Workspace, where: str, name: str, turns: tuple[int, ...], as_json: bool) -> int:
    """Take turns `in` the training loss, or keep them `out`: they stay as context. Every turn is a step of its own."""
    from core.curate import set_loss

    stored = opened(workspace, name)
    starts = [turn_number(stored, number).start for number in turns]
    for start in starts:
        stored = set_loss(workspace, stored, start, where == "in")
    if as_json:
        print_json({"id": stored.stem, "turns": list(turns), "train": where == "in"})
    else:
        into = "in the loss" if where == "in" else "out of the loss"
        say(f"{stored.stem}: turn {', '.join(map(str, turns))} {into}")
    return 0
