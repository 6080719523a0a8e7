"""An export: how far it is, then what left, what did not and why, and where the file is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.text import counted, one_line
from core.workspace import Workspace
from tui.keys import Keys
from tui.local_keys import keys_of, local_bindings
from tui.screens.help import HelpView
from tui.terminal.crash_guard import Guarded
from tui.widgets.lines import Line, fit, wrapped

if TYPE_CHECKING:
    from core.export.report import ExportReport
    from tui.dialogs.export_job import Job

BAR = 40
"""Columns of the progress bar."""
_SIGNS: dict[bool | None, Line] = {True: (("✓ ", "good"),), False: (("✗ ", "bad"),), None: (("  ", "dim"),)}


class ExportScreen(Guarded, ModalScreen[None]):
    """Shows an export under way, then its report. It can be left to go on by itself."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("report")]

    def __init__(
        self,
        workspace: Workspace,
        job: Job,
        *,
        stop: Callable[[], None],
        copy: Callable[[], None],
        blind: bool = False,
    ) -> None:
        """Args: `stop` and `copy` are called by their keys; `blind` hides what would tell a thread's truth."""
        super().__init__()
        self._blind = blind
        self._workspace = workspace
        self._job = job
        self._stop = stop
        self._copy = copy

    def compose(self) -> ComposeResult:
        """The lines in a box."""
        with Vertical(id="dialog"):
            yield HelpView(id="report")

    def on_mount(self) -> None:
        """Show how far it is."""
        self.query_one("#dialog").border_title = "export"
        self.query_one(HelpView).focus()
        self.call_after_refresh(self.show)

    def show(self) -> None:
        """Draw the export as it is now."""
        job = self._job
        view, keys = next(iter(self.query(HelpView)), None), keys_of(self)
        if view is None:
            return  # it was left again before it was drawn
        if not job.over:
            leaves = "exports nothing" if job.counting else f"leaves it to go on · {keys.hints('report.stop')}"
            self._title(f"{keys['report.back']} {leaves}")
            doing = "  counting what would leave …" if job.counting else "  stopping …" if job.stopped else _bar(job)
            view.put([(), ((doing, "text"),)])
            return
        width = max(20, view.body.width)
        lines: list[Line] = [()]
        if job.problem:
            lines.extend((("  ", "text"), *row) for row in wrapped(job.problem, width - 4, "warn"))
            lines.append(())
        if job.report is not None:
            lines += report_lines(self._workspace, job.report, width, keys, blind=self._blind)
        if job.copied:
            lines.append(())
            text = f"the path was copied to: {job.copied}"
            lines.extend((("  ", "text"), *row) for row in wrapped(text, width - 4, "dim"))
        view.put(lines)
        copies = job.report is not None and job.report.path
        self._title(keys.hints(*(("report.copy",) if copies else ()), "report.back"))

    def action_stop(self) -> None:
        """Stop the export; nothing is left under a final name."""
        if not self._job.over:
            self._stop()
        if not self._job.over:  # what was only being counted is over, and this screen with it
            self.show()

    def action_copy(self) -> None:
        """Copy the path of the training file."""
        if self._job.over:
            self._copy()

    def _title(self, keys: str) -> None:
        dialog = self.query_one("#dialog")
        if dialog.border_subtitle != keys:
            dialog.border_subtitle = keys


def _bar(job: Job) -> str:
    filled = round(BAR * job.done / max(1, job.total))
    return f"  {'█' * filled}{'░' * (BAR - filled)}  {job.done:,} of {counted(job.total, 'thread')}"


def _warning_lines(report: ExportReport, width: int, keys: Keys, *, blind: bool) -> list[Line]:
    warnings = [("warning", warning) for warning in report.warnings]
    if report.wrong and not blind:
        ways = f"{keys['export.choose']}, then {keys['options.wrong']} leaves those out"
        warnings.insert(0, ("wrong", f"{report.wrong:,} of them answer wrong; {ways}"))
    lines: list[Line] = []
    for name, sentence in warnings:
        head = f"  {name:10}"
        for row in wrapped(one_line(sentence, 1000), max(20, width - 14), "warn"):
            lines.append(((head, "dim"), *row))
            head = " " * 12
    return lines


def report_lines(
    workspace: Workspace, report: ExportReport, width: int, keys: Keys, *, blind: bool = False
) -> list[Line]:
    """An export's report as lines. With `blind`, nothing tells a thread's label, nor whether an answer is right."""
    lines: list[Line] = [
        (("  total     ", "dim"), (counted(report.total, "thread"), "text")),
        (("  exported  ", "dim"), (f"{report.exported:,}", "good" if report.exported else "warn")),
    ]
    lines += _warning_lines(report, width, keys, blind=blind)
    lines.extend(
        (("  skipped   ", "dim"), (f"{count:,} {one_line(reason)}", "text")) for reason, count in report.skipped.items()
    )
    for refusal in report.refusals[:5]:
        text = f"{refusal.stem}: {refusal.sentence.removeprefix(f'{refusal.stem}.json: ')}"
        lines.extend((("            ", "text"), *row) for row in wrapped(one_line(text, 300), width - 13, "dim"))
    if len(report.refusals) > 5:
        lines.append((("            ", "text"), (f"… and {len(report.refusals) - 5:,} more", "dim")))
    for file in report.files:
        lines.append(())
        lines.append((("  file      ", "dim"), (one_line(workspace.shown(file.path)), "label")))
        lines.append((("            ", "dim"), (f"{counted(file.rows, 'row')}, {file.bytes / 1e6:.2f} MB", "dim")))
    if report.beside:
        text = "beside it: " + ", ".join(path.name for path in report.beside)
        lines.extend((("            ", "text"), *row) for row in wrapped(one_line(text, 1000), width - 13, "dim"))
    for side, labels in ({} if blind else report.balance).items():
        named = ", ".join(f"{label or 'no label'} {count:,}" for label, count in labels.items())
        head = f"  {side or 'labels':10}"
        for row in wrapped(named, max(20, width - 14)):
            lines.append(((head, "dim"), *row))
            head = " " * 12
    if report.examples:
        lines.append(())
        lines.append((("  first rows", "dim"),))
    for example in report.examples:
        answer = example.answer or "…"
        shown = answer if blind else f"{example.truth} → {answer}"
        text = one_line(f"{shown} · {example.question}", 300)
        lines.append(fit((("    ", "text"), *_SIGNS[None if blind else example.correct], (text, "text")), width))
    for what, places in report.changes.items():
        lines.extend((("  ", "text"), *row) for row in wrapped(f"{what}: {places:,}", width - 4, "dim"))
    return lines
