"""`sensorloom redo`: do again what was undone."""

from __future__ import annotations

import click

from core.cli.commands import json_option, progress_bar, workspace_options
from core.cli.threads import stem_of
from core.cli.undo import tell_undone
from core.workspace import Workspace


@click.command("redo")
@click.argument("name", required=False, metavar="[THREAD]")
@json_option
@workspace_options
def command(workspace: Workspace, name: str | None, as_json: bool) -> int:
    """Do again what was undone last in THREAD, or without one in the whole workspace."""
    from core import curate

    with progress_bar("redo") as progress:
        if name is None:
            done = curate.redo_latest(workspace, progress=progress)
        else:
            done = curate.redo(workspace, stem_of(name), progress=progress)
    return tell_undone(done, as_json)
