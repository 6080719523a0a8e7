"""`sensorloom loss`: which turns are trained."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.threads import chosen, dry_run_option, filter_option, tell, tell_dry_run
from core.errors import UsageError
from core.workspace import Workspace


@click.command("loss")
@click.argument("where", type=click.Choice(["in", "out"]))
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@click.option("--turn", "turns", type=click.IntRange(1), multiple=True, required=True, help="Which turn; repeatable.")
@dry_run_option
@json_option
@workspace_options
def command(
    workspace: Workspace, where: str, names: tuple[str, ...], wanted: str, turns: tuple[int, ...], dry_run: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Take turns `in` the training loss, or keep them `out`: they stay as context.

    All threads together are one step: one undo takes it back. A thread without such a turn is named, and stays as it
    is.
    """
    from core.curate import set_loss_of

    stems = chosen(workspace, names, wanted)
    into = "in the loss" if where == "in" else "out of the loss"
    what = f"turn {', '.join(map(str, turns))} {into}"
    if dry_run:
        return tell_dry_run(stems, what, as_json)
    with progress_bar("marking") as progress:
        done = set_loss_of(workspace, stems, turns, where == "in", progress)
    if len(stems) > 1 or wanted.strip():
        return tell(stems, done, what, as_json)
    if done.problems:
        raise UsageError(done.problems[0])
    if as_json:
        print_json({"id": stems[0], "turns": list(turns), "train": where == "in"})
    else:
        say(f"{stems[0]}: {what}")
    return 0
