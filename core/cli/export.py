"""`sensorloom export`: write a training file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.export.report import ExportReport, ExportRequest, NothingToExportError
from core.export.run import export
from core.text import one_line
from core.workspace import Workspace


@click.command("export")
@click.option("--all", "every", is_flag=True, help="Unfinished threads too. Finished ones only is recommended.")
@click.option("--rejected", is_flag=True, help="Threads with the verdict `reject` too.")
@json_option
@workspace_options
def command(workspace: Workspace, every: bool, rejected: bool, as_json: bool) -> int:
    """Write the finished threads to a training file, one thread a line."""
    request = ExportRequest(finished_only=not every, rejected=rejected)
    try:
        report = export(workspace, request)
    except NothingToExportError as error:
        if as_json:
            print_json(as_document(error.report))
        raise
    if as_json:
        print_json(as_document(report))
    else:
        for line in summary_lines(workspace, report):
            say(line)
    return 0


def as_document(report: ExportReport) -> dict[str, Any]:
    """The report as JSON has it."""
    document = asdict(report)
    for file in document["files"]:
        file["path"] = str(file["path"])
    return {"path": str(report.path) if report.path else None, **document}


def summary_lines(workspace: Workspace, report: ExportReport) -> list[str]:
    """The report as a person reads it."""
    lines = [f"total     {report.total}", f"exported  {report.exported}"]
    lines += [f"skipped   {count} {reason}" for reason, count in report.skipped.items()]
    for refusal in report.refusals[:10]:
        lines.append(f"  {refusal.stem}: {refusal.sentence}")
    if len(report.refusals) > 10:
        lines.append(f"  … and {len(report.refusals) - 10} more; --json names them")
    for example in report.examples:
        mark = {True: "✓", False: "✗", None: "·"}[example.correct]
        lines.append(f"{mark} {example.id}: {one_line(example.query, 60)} → {one_line(example.answer, 40) or '…'}")
    lines += list(report.notes)
    lines += [f"wrote     {workspace.shown(file.path)} ({file.rows} rows)" for file in report.files]
    return lines
