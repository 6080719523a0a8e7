"""Threads, datasets, models, exports: everything sensorloom does, without a screen.

What a script needs is imported from here; the rooms behind it may move.

    from core import ExportRequest, export_threads, open_workspace

    report = export_threads(open_workspace("."), ExportRequest(filter="status:finished tools>=2 correct:true"))
    print(f"Exported {report.exported} threads to {report.path}")

Where and what: `open_workspace` gives a `Workspace`, with the folders `threads`, `exports` and `data`.
Reading and saving: `read_all` and `read` give `Stored` threads, `save` writes a new `Thread` over one that was read,
and refuses with `ConflictError` when the file is no longer what was read.
Selecting: `parse_filter` reads a line of the filter language, `summaries` lists a workspace's threads as `Summary`
rows, `select` gives those that a filter selects.
Checking: `check_thread` gives the `Finding`s of a thread, `fix_thread` puts right what needs no decision.
Exporting: `export_threads` carries out an `ExportRequest` and gives an `ExportReport`; `NothingToExportError` says why
nothing left. Every error is a `SensorloomError` of one sentence.
Reinforcement learning: `tasks` gives the `Task`s of one side of a dataset, `task_of` that of a row, an `Episode` is one
under way, and its `Score` says what was made of it (`docs/episodes.md`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.episodes.episode import Episode
    from core.episodes.scoring import Score
    from core.episodes.tasks import Task, task_of, tasks
    from core.errors import ConflictError, SensorloomError, ThreadError
    from core.export.report import ExportReport, ExportRequest, NothingToExportError
    from core.export.run import export as export_threads
    from core.filters.language import Filter, select
    from core.filters.language import parse as parse_filter
    from core.lint import Finding, check_thread, fix_thread
    from core.listing.index import summaries
    from core.storage.store import Stored, read, read_all, save
    from core.thread.summary import Summary
    from core.thread.value import Thread
    from core.workspace import Workspace, open_workspace

__all__ = [
    "ConflictError",
    "Episode",
    "ExportReport",
    "ExportRequest",
    "Filter",
    "Finding",
    "NothingToExportError",
    "Score",
    "SensorloomError",
    "Stored",
    "Summary",
    "Task",
    "Thread",
    "ThreadError",
    "Workspace",
    "check_thread",
    "export_threads",
    "fix_thread",
    "open_workspace",
    "parse_filter",
    "read",
    "read_all",
    "save",
    "select",
    "summaries",
    "task_of",
    "tasks",
]

_HOMES = {
    ".episodes.episode": ("Episode",),
    ".episodes.scoring": ("Score",),
    ".episodes.tasks": ("Task", "task_of", "tasks"),
    ".errors": ("ConflictError", "SensorloomError", "ThreadError"),
    ".export.report": ("ExportReport", "ExportRequest", "NothingToExportError"),
    ".export.run": ("export_threads",),
    ".filters.language": ("Filter", "parse_filter", "select"),
    ".lint": ("Finding", "check_thread", "fix_thread"),
    ".listing.index": ("summaries",),
    ".storage.store": ("Stored", "read", "read_all", "save"),
    ".thread.summary": ("Summary",),
    ".thread.value": ("Thread",),
    ".workspace": ("Workspace", "open_workspace"),
}
_NAMES_THERE = {"export_threads": "export", "parse_filter": "parse"}
"""What a name is called in its room, where that would be too short here."""


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for (PEP 562): the app's start must not load it all."""
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home, __name__), _NAMES_THERE.get(name, name))
    raise AttributeError(f"module 'core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
