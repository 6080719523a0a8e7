"""Which threads an export takes, as far as their summaries tell; and what is wrong with calls that may not leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.export.log import export_state, read_log
from core.export.report import ExportRequest, Skips
from core.export.source import SourceMessage
from core.filters import Filter, parse
from core.summary import Summary
from core.workspace import Workspace

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
    selection = Selection(request, parse(request.filter, workspace), skips)
    if request.new_only:
        log = read_log(workspace)
        selection.exclude = lambda one: (
            EXPORTED if export_state(workspace.threads, one, log, request.profile) == "exported" else ""
        )
    return selection


class Selection:
    """Says of each summary whether its thread may leave, counting why the rest may not."""

    def __init__(self, request: ExportRequest, wanted: Filter, skips: Skips) -> None:
        self._request = request
        self._wanted = wanted
        self._skips = skips
        self.exclude: Callable[[Summary], str] = lambda _summary: ""
        """A further reason not to take a thread: exported already, held out."""

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
