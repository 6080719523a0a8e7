"""Which threads an export takes: chosen by their summaries, then checked in the file itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.errors import ThreadError
from core.export.log import export_state, read_log
from core.export.report import ExportCancelledError, ExportRequest, Progress, Skips
from core.export.source import Source, SourceMessage, read_source
from core.filters import Filter, parse
from core.summary import Summary
from core.workspace import Workspace

PROGRESS_EVERY = 200

NOT_FINISHED = "not finished"
FILTERED = "not matched by the filter"
NOT_CHOSEN = "not chosen"
EXPORTED = "exported already"
HELD_OUT = "held out"
REJECTED = "rejected"
INVALID = "not a valid thread"
V3 = "older v3 thread"
STALE = "stale turns"
BROKEN = "broken tool calls"


def open_selection(workspace: Workspace, request: ExportRequest, skips: Skips) -> Selection:
    """The selection that `request` asks for. Raises UsageError for a filter that cannot be read."""
    selection = Selection(workspace.threads, request, parse(request.filter, workspace), skips)
    if request.new_only:
        log = read_log(workspace)
        selection.exclude = lambda one: (
            EXPORTED if export_state(workspace.threads, one, log, request.profile) == "exported" else ""
        )
    return selection


class Selection:
    """Goes through the folder once, yielding what may leave and counting why the rest may not."""

    def __init__(self, folder: Path, request: ExportRequest, wanted: Filter, skips: Skips) -> None:
        self._folder = folder
        self._request = request
        self._wanted = wanted
        self._skips = skips
        self.exclude: Callable[[Summary], str] = lambda _summary: ""
        """A further reason not to take a thread: exported already, held out."""

    def sources(self, listing: Sequence[Summary], progress: Progress) -> Iterator[tuple[Summary, Source]]:
        """The threads that may leave, in the order of their stems.

        Raises:
            ExportCancelledError: the caller asked to stop.
        """
        for done, summary in enumerate(listing):
            if done % PROGRESS_EVERY == 0:
                progress.report(done, len(listing))
                if progress.cancelled():
                    raise ExportCancelledError("the export was stopped; nothing was written")
            if self.by_summary(summary) and (source := self._read(summary)) is not None:
                yield summary, source
        progress.report(len(listing), len(listing))

    def by_summary(self, summary: Summary) -> bool:
        """What the summary alone decides; counts the reason when it is no."""
        skips = self._skips
        if self._request.chosen is not None and summary.stem not in self._request.chosen:
            skips.passed_over(NOT_CHOSEN)
        elif summary.problem:
            skips.refuse(summary.stem, V3 if summary.shape == "v3" else INVALID, summary.problem)
        elif self._request.finished_only and summary.status != "finished":
            skips.passed_over(NOT_FINISHED)
        elif not self._wanted.on_summary(summary):
            skips.passed_over(FILTERED)
        elif reason := self.exclude(summary):
            skips.passed_over(reason)
        else:
            return True
        return False

    def _read(self, summary: Summary) -> Source | None:
        """The file, when everything holds of the bytes that are about to be written, whatever the summary said."""
        try:
            source = read_source(self._folder, summary.stem)
        except ThreadError as error:
            self._skips.refuse(summary.stem, INVALID, str(error))
            return None
        messages = source.document.messages
        review = source.document.metadata.review
        stale = sum(message.stale is True for message in messages)
        if self._wanted.needs_file and not self._wanted.on_thread(source.thread(), summary.stem):
            self._skips.passed_over(FILTERED)
        elif not self._request.rejected and review is not None and review.verdict == "reject":
            self._skips.passed_over(REJECTED)
        elif stale:
            self._skips.refuse(summary.stem, STALE, _stale_sentence(stale))
        elif problem := broken_calls(messages):
            self._skips.refuse(summary.stem, BROKEN, problem)
        else:
            return source
        return None


def _stale_sentence(count: int) -> str:
    what = "a message rests" if count == 1 else f"{count} messages rest"
    return f"{what} on something that changed since; run it again, accept it as it is, or move it to a branch"


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
