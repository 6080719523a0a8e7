"""`sensorloom pack`: put threads into packs."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.threads import chosen, dry_run_option, selected, tell_dry_run
from core.curate.packing import FILTER, Packing, pack
from core.text import counted
from core.workspace import PACKS, Workspace


@click.command("pack")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@click.option(
    "--filter", "wanted", default="", metavar="TERMS", help=f"The threads of this filter; `{FILTER}` unless told."
)
@dry_run_option
@json_option
@workspace_options
def command(workspace: Workspace, names: tuple[str, ...], wanted: str, dry_run: bool, as_json: bool) -> int:
    """Put threads on which the work is done into packs, one file for many: a few hundred thousand files are slow to
    copy and to look through.

    Packed threads are listed, filtered, opened, edited, checked, exported and deleted as before. One that is edited
    gets a file again, which counts. Their histories are packed with them. `sensorloom unpack` makes files of all, byte
    for byte; `zstdcat` writes a pack's threads, a line of JSON each. Other programs that read `threads/*.json` see
    fewer files: see docs/packs.md.
    """
    stems = chosen(workspace, names, wanted) if names or wanted.strip() else selected(workspace, FILTER)
    if dry_run:
        return tell_dry_run(stems, "packed", as_json)
    with progress_bar("packing") as progress:
        done = pack(workspace, stems, progress=progress)
    histories = done.histories or Packing(())
    problems = [*done.problems, *histories.problems]
    left = len(stems) - len(done.threads) - len(done.problems)
    if as_json:
        told = {"threads": len(done.threads), "packs": done.files, "unchanged": left}
        print_json({**told, "bytes": done.bytes_before, "packed": done.bytes_after, "histories": len(histories.threads),
                    "problems": problems})  # fmt: skip
    else:
        sizes = _sizes(done)
        where = f" into {counted(done.files, 'file')} of {workspace.shown(workspace.threads / PACKS)}" if sizes else ""
        none = "" if stems or names or wanted.strip() else f"; none is `{FILTER}`, which is packed unless told"
        as_before = f"; {left:,} as before" if left else ""
        of = counted(len(histories.threads), "history")
        with_them = f"; {of} into {counted(histories.files, 'file')}{_sizes(histories)}" if histories.files else ""
        say(f"packed: {counted(len(done.threads), 'thread')}{where}{sizes}{with_them}{as_before}{none}")
    for problem in problems:
        say(f"sensorloom: {problem}", err=True)
    return 1 if problems else 0


def _sizes(done: Packing) -> str:
    return f", {_size(done.bytes_before)} as {_size(done.bytes_after)}" if done.files else ""


def _size(of: int) -> str:
    return f"{of / 1e6:,.1f} MB" if of >= 1e6 else f"{of / 1e3:,.1f} kB"
