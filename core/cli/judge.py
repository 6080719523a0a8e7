"""`sensorloom judge`: let a model score threads by a rubric."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from core.cli.beside import ask_beside_each
from core.cli.commands import json_option, workspace_options
from core.cli.run import model_options
from core.cli.threads import filter_option
from core.workspace import Workspace


@click.command("judge")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@click.option("--rubric", required=True, metavar="FILE", help="A text file that says what is good and what is not.")
@model_options
@json_option
@workspace_options
def command(
    workspace: Workspace, names: tuple[str, ...], wanted: str, rubric: str, endpoint: str, model: str, as_json: bool
) -> int:
    """Let a model score finished threads by a rubric, from 1 to 5, and accept or reject them.

    Scores are kept with the rubric's checksum beside the person's verdicts, which they do not touch; `stats` says how
    well both agree.
    """
    from core.teaching.judge import judge, judgement_facts, read_rubric

    ask = partial(judge, rubric=read_rubric(Path(rubric)))
    return ask_beside_each(workspace, names, wanted, (endpoint, model), ask, as_json, judgement_facts)
