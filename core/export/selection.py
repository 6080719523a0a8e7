"""Which threads an export takes, as far as their summaries tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial

from core.errors import UsageError
from core.export.entry import Entry
from core.export.profiles import profile_of
from core.export.report import ExportRequest, Skips
from core.filters.language import Filter, parse
from core.storage.export_log import export_state, read_log
from core.thread.summary import Summary
from core.workspace import Workspace, holds_evaluations

NOT_FINISHED = "not finished"
FILTERED = "not matched by the filter"
NOT_CHOSEN = "not chosen"
EXPORTED = "exported already"
HELD_OUT = "held out"
REJECTED = "rejected"
INVALID = "not a valid thread"
UNLOADABLE = "text that loaders stop at"
V3 = "older v3 thread"
WRONG = "wrong answer"
STALE = "stale turns"
BROKEN = "broken tool calls"


def is_wrong(thread: Summary | Entry) -> bool:
    """Whether a thread's answer is wrong, and no person accepted it all the same."""
    return thread.correct is False and thread.verdict != "accept"


def open_selection(workspace: Workspace, request: ExportRequest, wanted: Filter) -> Selection:
    """The selection that `request` asks for, with its filter as it was read. Raises UsageError: nothing may leave."""
    if holds_evaluations(workspace):
        raise UsageError("these threads answer an evaluation; whoever trained on them could not be evaluated any more")
    if request.correct_only is None:
        request = replace(request, correct_only=workspace.settings.export.correct_only)
    selection = Selection(request, wanted)
    if request.new_only:
        log = cache(partial(read_log, workspace))
        selection.exclude = lambda summary: (
            EXPORTED if export_state(workspace.threads, summary, log(), request.profile) == "exported" else ""
        )
    return selection


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an export will take, as far as summaries tell."""

    threads: int
    wrong: int
    """Those with a wrong answer that no person accepted."""
    exact: bool
    """False where the filter has to read files to decide: it may keep some of them back."""


def outlook(workspace: Workspace, request: ExportRequest, listing: Iterable[Summary]) -> Outlook:
    """What `request` would take of the folder, before anything is read. Raises UsageError for a filter or a profile
    that is not known."""
    wanted = parse(request.filter, workspace)
    selection = open_selection(workspace, request, wanted)
    leaving = [summary for summary in listing if not selection.reason(summary)]
    wrong = 0 if profile_of(request.profile).wants_wrong else sum(map(is_wrong, leaving))
    return Outlook(len(leaving), wrong, not wanted.needs_file)


class Selection:
    """Says of each summary why its thread may not leave."""

    def __init__(self, request: ExportRequest, wanted: Filter) -> None:
        self.wanted = wanted
        self._request = request
        self._profile = profile_of(request.profile)
        self.exclude: Callable[[Summary], str] = lambda _summary: ""
        """A further reason not to take a thread: exported already, held out."""

    def reason(self, summary: Summary) -> str:
        """Why the summary alone keeps its thread back; empty when it does not."""
        request = self._request
        if request.chosen is not None and summary.stem not in request.chosen:
            return NOT_CHOSEN
        if summary.problem:
            return V3 if summary.shape == "v3" else INVALID
        if request.finished_only and summary.status != "finished":
            return NOT_FINISHED
        if not self.wanted.on_summary(summary):
            return FILTERED
        if not request.rejected and not self._profile.steps and summary.verdict == "reject":
            return REJECTED
        if request.correct_only and not self._profile.wants_wrong and is_wrong(summary):
            return WRONG
        return self.exclude(summary)

    def pass_over(self, summary: Summary, reason: str, skips: Skips) -> None:
        """Count a thread that stays for this reason."""
        if reason in (V3, INVALID):
            skips.refuse(summary.stem, reason, summary.problem)
        else:
            skips.passed_over(reason)
