"""Carrying out an export: select, turn into rows, write, and say what was done."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

import msgspec

from core.export.output import PendingFile, prepare_folder, publish_all
from core.export.report import (
    FIRST_EXAMPLES,
    Example,
    ExportReport,
    ExportRequest,
    NothingToExportError,
    Progress,
    Skips,
)
from core.export.selection import selected
from core.export.source import Source, plain_line
from core.index import Summary, summaries
from core.workspace import Workspace


def export(workspace: Workspace, request: ExportRequest, progress: Progress | None = None) -> ExportReport:
    """Write a training file of the threads that `request` selects.

    Blocks; belongs in a worker. The same selection gives the same bytes.

    Raises:
        NothingToExportError: no thread passed; nothing was written.
        ExportCancelledError: the caller stopped it; nothing was written.
        SensorloomError: the exports folder cannot be written; nothing is left under a final name.
    """
    started = time.monotonic()
    prepare_folder(workspace.exports)
    listing = summaries(workspace)
    skips = Skips()
    examples: list[Example] = []
    pending = {"": PendingFile(workspace.exports, "")}
    try:
        for summary, source in selected(workspace.threads, listing, request, skips, progress or Progress()):
            pending[""].write(plain_line(source), _richness(source))
            if len(examples) < FIRST_EXAMPLES:
                examples.append(_example(summary))
        exported = sum(one.rows for one in pending.values())
        report = ExportReport(
            request.profile, len(listing), exported, skips.ordered(), tuple(skips.refusals), tuple(examples)
        )
        if not exported:
            raise NothingToExportError(_nothing(workspace, report), report)
        files = publish_all(workspace.exports, "training_data_openai", pending, datetime.now())
    finally:
        for one in pending.values():
            one.discard()
    return replace(report, files=tuple(files), seconds=time.monotonic() - started)


def _example(summary: Summary) -> Example:
    return Example(summary.id, summary.query, summary.truth, summary.answer, summary.correct)


def _nothing(workspace: Workspace, report: ExportReport) -> str:
    if not report.total:
        return f"no threads found: {workspace.threads} holds none yet; make some with `sensorloom run`"
    why = ", ".join(f"{count} {reason}" for reason, count in report.skipped.items())
    return f"no threads found matching the filter ({why}); finish some, widen the filter, or use --all"


_OPTIONAL = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _richness(source: Source) -> int:
    """How many keys a plain row has: Arrow settles its columns on the first rows, so the fullest goes first."""
    parts = _OPTIONAL.decode(source.data)
    metadata = _OPTIONAL.decode(parts["metadata"])
    return len(parts) + sum(bytes(memoryview(value)) != b"null" for value in metadata.values())
