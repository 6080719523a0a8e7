"""`sensorloom delete`: move threads to the trash."""

from __future__ import annotations

import click

from core.cli.commands import json_option, progress_bar, workspace_options
from core.cli.threads import chosen, dry_run_option, filter_option, tell, tell_dry_run
from core.workspace import Workspace


@click.command("delete")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@dry_run_option
@json_option
@workspace_options
def command(workspace: Workspace, names: tuple[str, ...], wanted: str, dry_run: bool, as_json: bool) -> int:
    """Move threads to the trash. `sensorloom undo` or `sensorloom trash restore` brings them back, byte for byte."""
    from core.curate import delete

    stems = chosen(workspace, names, wanted)
    if dry_run:
        return tell_dry_run(stems, "moved to the trash", as_json)
    with progress_bar("deleting") as progress:
        done = delete(workspace, stems, progress=progress)
    return tell(stems, done, "moved to the trash", as_json)
