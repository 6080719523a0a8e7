"""`sensorloom publish`: lay out a dataset repository."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.export.report import ExportRequest, Progress
from core.export.split import Grouping, parse_split
from core.workspace import Workspace


@click.command("publish")
@click.argument("folder", metavar="DIR")
@click.option("--filter", "wanted", default="", metavar="TEXT", help="Only threads that this filter selects.")
@click.option("--split", metavar="SHARES", help="train/val or train/val/test: 90/10, 80/10/10.")
@click.option("--group", type=click.Choice(["subject", "session", "family"]), default="subject", show_default=True,
              help="What a split must not part.")  # fmt: skip
@click.option("--correct-only", is_flag=True, help="Leave out wrong answers that nobody accepted.")
@click.option("--license", "licence", default="", metavar="ID", help="Of the threads, as the hub calls it: cc-by-4.0.")
@json_option
@workspace_options
def command(
    workspace: Workspace, folder: str, wanted: str, split: str | None, group: Grouping, correct_only: bool,
    licence: str, as_json: bool,
) -> int:  # fmt: skip
    """Lay out DIR as a dataset repository: rows, the same as Parquet, a card, and a manifest. Nothing is uploaded.

    The card tells counts and balance, whose recordings the threads are about and under which licence, what made them,
    what the checks found, and how each trainer loads them.
    """
    from core.export.publishing import publish

    request = ExportRequest(
        "hf", wanted, split=parse_split(split, group) if split else None, correct_only=correct_only or None
    )
    path = Path(folder).expanduser().absolute()
    with progress_bar("publishing") as bar:
        done = publish(workspace, path, request, licence, Progress(bar) if bar else None)
    if as_json:
        print_json({
            "folder": str(done.folder), "files": [str(file) for file in done.files], "exported": done.report.exported,
            "findings": dict(done.findings), "without_licence": list(done.without_licence),
        })  # fmt: skip
        return 0
    say(f"exported  {done.report.exported} of {done.report.total}")
    for warning in done.report.warnings:
        say(f"warning   {warning}")
    for check, count in done.findings.items():
        say(f"found     {check} in {count}; the card says so")
    for name in done.without_licence:
        say(f"licence   of {name} is not stated; `license` in its manifest.json would be")
    for file in done.files:
        say(f"wrote     {workspace.shown(file)}")
    say(f"upload it with: hf upload YOU/{path.name} {workspace.shown(path)} --repo-type dataset")
    return 0
