"""`sensorloom paraphrase`: let a model write the reasoning of good threads in other words."""

from __future__ import annotations

import click

from core.cli.beside import ask_beside_each
from core.cli.commands import json_option, workspace_options
from core.cli.run import model_options
from core.cli.threads import filter_option
from core.workspace import Workspace


@click.command("paraphrase")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@model_options
@json_option
@workspace_options
def command(workspace: Workspace, names: tuple[str, ...], wanted: str, endpoint: str, model: str, as_json: bool) -> int:
    """Write the reasoning of good threads in other words.

    Taken are only words in which every number stood before, which the checks pass, and whose calls replay. Each thread
    is one step that `undo` takes back. Exits with 0 only when every thread changed.
    """
    from core.teaching.paraphrase import paraphrase

    return ask_beside_each(workspace, names, wanted, (endpoint, model), paraphrase, as_json)
