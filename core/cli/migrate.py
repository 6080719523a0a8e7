"""`sensorloom migrate`: convert v3 threads, keeping the originals."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.curate.migrate import backup_folder, migrate
from core.listing.index import summaries
from core.workspace import Workspace


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
@workspace_options
def command(workspace: Workspace, dry_run: bool, as_json: bool) -> int:
    """Convert v3 threads to the present form.

    The originals are kept in threads_v3_backup/ beside the threads folder;
    one `sensorloom undo` takes all of it back.
    """
    old = [summary.stem for summary in summaries(workspace) if summary.shape == "v3"]
    done = migrate(workspace, old, dry_run=dry_run)
    good = [outcome for outcome in done if not outcome.problem]
    if as_json:
        import msgspec

        document = {"dry_run": dry_run, "migrated": len(good), "failed": len(done) - len(good)}
        print_json({**document, "backup": str(backup_folder(workspace)), "threads": msgspec.to_builtins(done)})
    else:
        for outcome in done:
            say(f"{outcome.stem} → {outcome.id}" if not outcome.problem else f"{outcome.stem}: {outcome.problem}")
        verb = "would be migrated" if dry_run else "migrated"
        where = f", originals in {workspace.shown(backup_folder(workspace))}" if good else ""
        where += "; `sensorloom undo` takes it back" if good and not dry_run else ""
        say(f"{len(good)} {verb}{where}" + (f"; {len(done) - len(good)} failed" if len(done) > len(good) else ""))
    return 1 if len(done) > len(good) else 0
