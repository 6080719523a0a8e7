"""`sensorloom unpack`: make packed threads files again."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.threads import chosen, dry_run_option, filter_option, tell_dry_run
from core.curate.packing import packed_stems, unpack
from core.text import counted
from core.workspace import Workspace


@click.command("unpack")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@dry_run_option
@json_option
@workspace_options
def command(workspace: Workspace, names: tuple[str, ...], wanted: str, dry_run: bool, as_json: bool) -> int:
    """Make files again of packed threads, byte for byte; of all where none are chosen. Packs in which nothing is left
    are removed."""
    stems = packed_stems(workspace)
    if names or wanted.strip():
        asked = set(chosen(workspace, names, wanted))
        stems = [stem for stem in stems if stem in asked]
    if dry_run:
        return tell_dry_run(stems, "unpacked", as_json)
    with progress_bar("unpacking") as progress:
        done = unpack(workspace, stems, progress=progress)
    if as_json:
        print_json({"threads": len(done.threads), "packs_removed": done.files, "problems": list(done.problems)})
    else:
        removed = f"; {counted(done.files, 'pack')} removed, in which nothing was left" if done.files else ""
        say(f"unpacked: {counted(len(done.threads), 'thread')}{removed}")
    for problem in done.problems:
        say(f"sensorloom: {problem}", err=True)
    return 1 if done.problems else 0
