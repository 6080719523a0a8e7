"""Training files: which threads leave, in what form, and the proof that a trainer can use them.

From Python:

    from core.export import ExportRequest, export, open_workspace
    report = export(open_workspace("."), ExportRequest(filter="status:finished tools>=2 correct:true"))
    print(f"Exported {report.exported} threads to {report.path}")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.export.report import ExportReport, ExportRequest
    from core.export.run import export
    from core.workspace import open_workspace

__all__ = ["ExportReport", "ExportRequest", "export", "open_workspace"]

_HOMES = {
    "ExportReport": "core.export.report",
    "ExportRequest": "core.export.report",
    "export": "core.export.run",
    "open_workspace": "core.workspace",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: the app's start must not load it all."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(_HOMES[name]), name)
