"""How far an export is: what the worker that exports and the screen that shows it share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.export.report import ExportReport, ExportRequest


@dataclass(slots=True)
class Job:
    """An export that is prepared, under way, or the last one."""

    request: ExportRequest
    counting: bool = False
    """Whether it is still being counted, or asked, what is to be written: nothing is under way by then."""
    done: int = 0
    total: int = 0
    over: bool = False
    report: ExportReport | None = None
    problem: str = ""
    copied: str = ""
    """Where the path was copied to; empty until it was."""
    stopped: bool = False
    """Set to ask it to stop."""
    leaving: bool = False
    """Whether it was said that leaving the program would stop it."""
