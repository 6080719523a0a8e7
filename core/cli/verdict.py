"""`sensorloom verdict`: judge threads."""

from __future__ import annotations

from typing import Any

import click

from core.cli.commands import json_option, progress_bar, workspace_options
from core.cli.threads import chosen, dry_run_option, filter_option, tell, tell_dry_run
from core.workspace import Workspace


@click.command("verdict")
@click.argument("verdict", type=click.Choice(["accept", "reject", "skip", "none"]))
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@click.option("--note", metavar="TEXT", help="Why; kept with the verdict.")
@dry_run_option
@json_option
@workspace_options
def command(
    workspace: Workspace,
    verdict: Any,
    names: tuple[str, ...],
    wanted: str,
    note: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Accept, reject or skip threads; `none` takes verdicts back.

    All threads together are one step: one undo takes it back.
    """
    from core.curate import set_verdicts

    stems = chosen(workspace, names, wanted)
    what = "verdict taken back" if verdict == "none" else f"verdict {verdict}"
    if dry_run:
        return tell_dry_run(stems, what, as_json)
    with progress_bar("judging") as progress:
        done = set_verdicts(workspace, stems, None if verdict == "none" else verdict, note, progress=progress)
    return tell(stems, done, what, as_json)
