"""`sensorloom faithfulness`: whether answers move when what they cite is taken away."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from core.cli.beside import ask_beside_each
from core.cli.commands import json_option, workspace_options
from core.cli.run import model_options
from core.cli.threads import filter_option
from core.workspace import Workspace


@click.command("faithfulness")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@click.option("--way", type=click.Choice(["drop", "perturb"]), default="drop", show_default=True,
              help="Take the cited result away, or change its numbers and the order of its lists.")  # fmt: skip
@model_options
@json_option
@workspace_options
def command(
    workspace: Workspace, names: tuple[str, ...], wanted: str, way: Any, endpoint: str, model: str, as_json: bool
) -> int:
    """Ask a model for the final answer again without the result that it cites: answer or confidence must move.

    What was found is recorded in each thread, and `faithfulness:unfaithful` in a filter finds it.
    """
    from core.teaching.faithfulness import check_faithfulness

    return ask_beside_each(
        workspace, names, wanted, (endpoint, model), partial(check_faithfulness, way=way), as_json,
        lambda stored: {"faithfulness": stored.thread.metadata["faithfulness"]},
    )  # fmt: skip
