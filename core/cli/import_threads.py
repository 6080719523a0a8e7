"""`sensorloom import-threads`: make threads of training rows, logs and traces."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.threads import dry_run_option, threads
from core.incoming.importing import Outcome, import_threads
from core.workspace import Workspace

_SHOWN = 20


@click.command("import-threads")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@dry_run_option
@json_option
@workspace_options
def command(workspace: Workspace, files: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Make threads of the rows of each FILE: JSON lines, JSON, Parquet, Inspect's logs, MCP traces.

    Known are OpenAI's and Hugging Face's chat rows, TRL's, ShareGPT, preference rows, and every profile of `export`. A
    row that says what a thread here says is that thread. Where a row does not name its session, its thread is under
    `imported`. Exits with 1 when a row was refused; one `sensorloom undo` takes all of it back.
    """
    paths = [_path(workspace, name) for name in files]
    with progress_bar("importing") as bar:
        outcomes = import_threads(workspace, paths, dry_run=dry_run, progress=bar)
    refused = [outcome for outcome in outcomes if outcome.state == "refused"]
    if as_json:
        import msgspec

        counts = Counter(outcome.state for outcome in outcomes)
        document = {"dry_run": dry_run, **{state: counts[state] for state in ("new", "there", "refused")}}
        print_json({**document, "rows": msgspec.to_builtins(outcomes)})
    else:
        for line in summary_lines(outcomes, dry_run=dry_run):
            say(line)
    return 1 if refused else 0


def _path(workspace: Workspace, name: str) -> Path:
    """A file by its path, or by its name in the threads or the exports folder."""
    path = Path(name).expanduser()
    beside = (workspace.threads / name, workspace.exports / name)
    return path if path.exists() else next((other for other in beside if other.is_file()), path)


def summary_lines(outcomes: list[Outcome], *, dry_run: bool = False) -> list[str]:
    """What became of the rows, as a person reads it."""
    new = [outcome for outcome in outcomes if outcome.state == "new"]
    lines = [f"{outcome.file}, line {outcome.line} → {outcome.id}" for outcome in new[:_SHOWN]]
    if len(new) > _SHOWN:
        lines.append(f"… and {len(new) - _SHOWN} more")
    refused = [outcome for outcome in outcomes if outcome.state == "refused"]
    lines += [f"refused   {outcome.sentence}" for outcome in refused[:_SHOWN]]
    if len(refused) > _SHOWN:
        lines.append(f"… and {len(refused) - _SHOWN} more refused; --json names them")
    there = sum(outcome.state == "there" for outcome in outcomes)
    parts = [f"{threads(len(new))} {'would be made' if dry_run else 'made'}"]
    parts += [f"{there} there already"] if there else []
    parts += [f"{len(refused)} refused"] if refused else []
    if unmatched := sum(not outcome.matched for outcome in new):
        parts.append(f"{unmatched} under `imported`, as the row names no session that is here")
    if new and not dry_run:
        parts.append("`sensorloom undo` takes it back")
    return [*lines, "; ".join(parts)]
