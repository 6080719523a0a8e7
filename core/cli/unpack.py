"""`sensorloom unpack`: make packed threads files again."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.threads import chosen, dry_run_option, filter_option, tell_dry_run
from core.curate.packing import Packing, packed_stems, unpack
from core.text import counted
from core.workspace import Workspace


@click.command("unpack")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@dry_run_option
@json_option
@workspace_options
def command(workspace: Workspace, names: tuple[str, ...], wanted: str, dry_run: bool, as_json: bool) -> int:
    """Make files again of packed threads and their histories, byte for byte; of all where none are chosen. Packs in
    which nothing is left are removed."""
    stems = packed_stems(workspace)
    asked: set[str] = set()
    if names or wanted.strip():
        asked = set(chosen(workspace, names, wanted))
        stems = [stem for stem in stems if stem in asked]
    if dry_run:
        return tell_dry_run(stems, "unpacked", as_json)
    with progress_bar("unpacking") as progress:
        done = unpack(workspace, stems, progress=progress)
    histories = done.histories or Packing(())
    problems = [*done.problems, *histories.problems]
    if as_json:
        told = {"threads": len(done.threads), "histories": len(histories.threads)}
        print_json({**told, "packs_removed": done.files + histories.files, "problems": problems})
    else:
        packs = done.files + histories.files
        removed = f"; {counted(packs, 'pack')} removed, in which nothing was left" if packs else ""
        files = 0 if problems else len(asked) - len(done.threads)
        already = (
            f"; {files} of those chosen {'was a file' if files == 1 else 'were files'} already" if files > 0 else ""
        )
        say(f"unpacked: {counted(len(done.threads), 'thread')}{already}{removed}")
    for problem in problems:
        say(f"sensorloom: {problem}", err=True)
    return 1 if problems else 0
