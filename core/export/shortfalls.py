"""What leaves, beside what a person wants of it: its variety, and the workspace's goal."""

from __future__ import annotations

from collections.abc import Sequence

from core.export.entry import Entry
from core.export.report import ExportCancelledError, Progress
from core.listing.goal import Kinds, goal_of
from core.listing.goal import progress as progress_to
from core.listing.index import summaries
from core.listing.variety import ThreadFacts, shortfalls, variety
from core.settings import VarietySettings
from core.workspace import Workspace

Known = dict[str, ThreadFacts]
"""What is known of the variety of files, by the SHA-256 of their bytes."""


def shortfalls_of(
    workspace: Workspace, entries: Sequence[Entry], progress: Progress, known: Known | None = None
) -> tuple[str, ...]:
    """A sentence for each thing that is wanted and missing. The files are read again only where somebody set what they
    want of variety, and only those that are not among the known ones. Raises ExportCancelledError."""
    of_goal = _short_of_goal(workspace, entries)
    wanted = workspace.settings.export.variety
    if wanted == VarietySettings():
        return of_goal
    known = {} if known is None else known
    by_stem = {entry.stem: known[entry.sha256] for entry in entries if entry.sha256 in known}
    stems = [entry.stem for entry in entries]
    counted = variety(workspace.threads, stems, progress.report, progress.cancelled, by_stem)
    if counted is None:
        raise cancelled()
    known |= {entry.sha256: by_stem[entry.stem] for entry in entries if entry.stem in by_stem}
    return (*of_goal, *shortfalls(counted, wanted))


def cancelled() -> ExportCancelledError:
    """What is raised where somebody stopped the export."""
    return ExportCancelledError("the export was stopped; nothing was written")


def _short_of_goal(workspace: Workspace, entries: Sequence[Entry]) -> tuple[str, ...]:
    """What the workspace's goal asks for and what leaves does not have; nothing where no goal was set."""
    goal = goal_of(workspace)
    if goal is None:
        return ()
    leaving = {entry.stem for entry in entries}
    far = progress_to(goal, summaries(workspace), Kinds(workspace), lambda summary: summary.stem in leaving)
    return (f"the goal: {far.sentence('leaving')}",) if far.short or far.accepted < far.total else ()
