"""`sensorloom batches`: batches of new threads that were begun, and how far they are."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.errors import SensorloomError
from core.text import one_line
from core.workspace import Workspace


@click.group("batches")
def command() -> None:
    """List the batches of `run`, and remove them. `run --resume NAME` goes on with one."""


@command.command("list")
@json_option
@workspace_options
def list_command(workspace: Workspace, as_json: bool) -> None:
    """List them, the latest first, with how many of their threads are over."""
    from core.runs.batches import batches, open_batch

    rows: list[dict[str, object]] = []
    for name in batches(workspace):
        try:
            batch = open_batch(workspace, name)
        except SensorloomError as error:
            rows.append({"name": name, "problem": str(error)})
            continue
        setup = batch.setup
        datasets = sorted({job.dataset for job in setup.jobs})
        rows.append(
            {
                "name": name,
                "begun_at": setup.begun_at,
                "threads": len(setup.jobs),
                "over": len(batch.over),
                "whole": batch.whole,
                "endpoint": setup.endpoint,
                "model": setup.model,
                "datasets": datasets,
            }
        )
    if as_json:
        print_json({"batches": rows})
        return
    for row in rows:
        if "problem" in row:
            say(f"{row['name']}  {row['problem']}")
            continue
        state = "whole" if row["whole"] else "run --resume goes on"
        names = ", ".join(map(str, row["datasets"])) if isinstance(row["datasets"], list) else ""
        asked = one_line(f"{row['model']} at {row['endpoint']}" if row["model"] else str(row["endpoint"]), 60)
        say(f"{row['name']}  {row['over']} of {row['threads']} over  {one_line(names, 40)}  {asked}  {state}")
    if not rows:
        say("no batch was begun here")


@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="BATCH...")
@workspace_options
def remove_command(workspace: Workspace, names: tuple[str, ...]) -> None:
    """Forget batches. Their threads stay."""
    from core.runs.batches import remove_batch

    for name in names:
        remove_batch(workspace, name)
        say(f"forgotten: batch {name}; its threads stay")
