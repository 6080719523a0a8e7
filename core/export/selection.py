"""Which threads an export takes: chosen by their summaries, then checked in the file itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import ThreadError
from core.export.report import ExportCancelledError, ExportRequest, Progress, Skips
from core.export.source import Source, SourceMessage, read_source
from core.index import Summary

PROGRESS_EVERY = 200

NOT_FINISHED = "not finished"
FILTERED = "not matched by the filter"
REJECTED = "rejected"
INVALID = "not a valid thread"
V3 = "older v3 thread"
STALE = "stale turns"
BROKEN = "broken tool calls"


def selected(
    folder: Path, listing: Sequence[Summary], request: ExportRequest, skips: Skips, progress: Progress
) -> Iterator[tuple[Summary, Source]]:
    """The threads that may leave, in the order of their stems; why others may not goes into `skips`.

    Raises:
        ExportCancelledError: the caller asked to stop.
    """
    for done, summary in enumerate(listing):
        if done % PROGRESS_EVERY == 0:
            progress.report(done, len(listing))
            if progress.cancelled():
                raise ExportCancelledError("the export was stopped; nothing was written")
        if not _wanted(summary, request, skips):
            continue
        try:
            source = read_source(folder, summary.stem)
        except ThreadError as error:
            skips.refuse(summary.stem, INVALID, str(error))
            continue
        if _checked(source, request, skips):
            yield summary, source
    progress.report(len(listing), len(listing))


def _wanted(summary: Summary, request: ExportRequest, skips: Skips) -> bool:
    """What the summary alone decides."""
    if summary.problem:
        skips.refuse(summary.stem, V3 if summary.shape == "v3" else INVALID, summary.problem)
    elif request.finished_only and summary.status != "finished":
        skips.passed_over(NOT_FINISHED)
    else:
        return True
    return False


def _checked(source: Source, request: ExportRequest, skips: Skips) -> bool:
    """What must hold of the bytes that are about to be written, whatever the summary said."""
    document = source.document
    if not request.rejected and document.metadata.review and document.metadata.review.verdict == "reject":
        skips.passed_over(REJECTED)
    elif any(message.stale for message in document.messages):
        count = sum(bool(message.stale) for message in document.messages)
        what = "a turn rests" if count == 1 else f"{count} messages rest"
        skips.refuse(
            source.stem, STALE, f"{what} on something that changed; run it again, accept it as it is, or branch"
        )
    elif problem := broken_calls(document.messages):
        skips.refuse(source.stem, BROKEN, problem)
    else:
        return True
    return False


def broken_calls(messages: Sequence[SourceMessage]) -> str:
    """The first breach of "every call is answered once, before anything else is said"; empty when there is none."""
    waiting: dict[str, str] = {}
    seen: set[str] = set()
    for place, message in enumerate(messages, 1):
        if message.role == "tool":
            if waiting.pop(message.tool_call_id or "", None) is None:
                return f"message {place} answers the call {message.tool_call_id or 'without an id'}, which nobody made"
            continue
        if waiting:
            break
        for call in message.tool_calls or ():
            if not call.id or call.id in seen:
                return f"message {place}: the call of {call.function.name} has {_id_problem(call.id)}"
            seen.add(call.id)
            waiting[call.id] = call.function.name
    return f"the call {next(iter(waiting))} of {next(iter(waiting.values()))} is not answered" if waiting else ""


def _id_problem(call_id: str) -> str:
    return f"the id {call_id}, which another call has" if call_id else "no id"
