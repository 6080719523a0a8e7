"""`sensorloom trash`: what was deleted, and bringing it back."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.threads import dry_run_option, stem_of, tell, tell_dry_run, threads
from core.errors import UsageError
from core.workspace import Workspace


@click.group("trash")
def command() -> None:
    """List the trash, and bring threads back."""


@command.command("list")
@json_option
@workspace_options
def list_command(workspace: Workspace, as_json: bool) -> None:
    """List the threads in the trash."""
    from core.curate import list_trash

    stems = list_trash(workspace)
    if as_json:
        print_json(stems)
        return
    for stem in stems:
        say(stem)
    say(f"{threads(len(stems))} in the trash")


@command.command("restore")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@click.option("--all", "every", is_flag=True, help="Everything that is in the trash.")
@dry_run_option
@json_option
@workspace_options
def restore_command(workspace: Workspace, names: tuple[str, ...], every: bool, dry_run: bool, as_json: bool) -> int:
    """Bring threads back from the trash, byte for byte, as one step."""
    from core.curate import list_trash, restore

    there = list_trash(workspace)
    if bool(names) == every:
        raise UsageError("name threads of the trash, or give --all (`sensorloom trash list` shows them)")
    stems = there if every else list(dict.fromkeys(map(stem_of, names)))
    for stem in stems:
        if stem not in there:
            raise UsageError(f"{stem} is not in the trash (`sensorloom trash list` shows what is)")
    if dry_run:
        return tell_dry_run(stems, "restored", as_json)
    with progress_bar("restoring") as progress:
        done = restore(workspace, stems, progress=progress)
    return tell(stems, done, "restored", as_json)
