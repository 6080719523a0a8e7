"""`sensorloom label`: say of single turns whether they are good, neutral or bad."""

from __future__ import annotations

from typing import Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.threads import opened, turn_number
from core.workspace import Workspace


@click.command("label")
@click.argument("label", type=click.Choice(["good", "neutral", "bad", "none"]))
@click.argument("name", metavar="THREAD")
@click.option("--turn", "turns", type=click.IntRange(1), multiple=True, required=True, help="Which turn; repeatable.")
@json_option
@workspace_options
def command(workspace: Workspace, label: Any, name: str, turns: tuple[int, ...], as_json: bool) -> int:
    """Label turns of a thread; `none` takes labels off. Every turn is a step of its own.

    The first error marks the rest: `bad` labels every turn from there on.
    """
    from core.curate import label_turn
    from core.thread.turn_labels import labels_of

    stored = opened(workspace, name)
    starts = [turn_number(stored, number).start for number in turns]
    for start in starts:
        stored = label_turn(workspace, stored, start, None if label == "none" else label)
    labels = labels_of(stored.thread)
    if as_json:
        print_json({"id": stored.stem, "labels": labels})
    else:
        listed = ", ".join(f"{number} {turn_label or 'none'}" for number, turn_label in enumerate(labels, 1))
        say(f"{stored.stem}: turns {listed}")
    return 0
