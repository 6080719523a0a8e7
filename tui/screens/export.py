"""Export now: progress, then what left, what did not and why, and where the file is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen

from core.errors import SensorloomError
from core.text import one_line
from core.workspace import Workspace
from tui.mishaps import Guarded
from tui.screens.help import HelpView
from tui.terminal import copy_out
from tui.widgets.lines import Line, fit, wrapped

if TYPE_CHECKING:
    from core.export.report import ExportReport

BAR = 40
"""Columns of the progress bar."""
_SIGNS: dict[bool | None, Line] = {True: (("✓ ", "good"),), False: (("✗ ", "bad"),), None: (("  ", "dim"),)}


class ExportScreen(Guarded, ModalScreen[None]):
    """Exports when it opens; `esc` stops it, and nothing is left under a final name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "leave", "back", show=False),
        Binding("c", "copy", "copy the path", show=False),
    ]

    @dataclass
    class Progressed(Message):
        """So many threads were looked at."""

        done: int
        total: int

        def can_replace(self, message: Message) -> bool:
            """Only the newest is drawn."""
            return isinstance(message, ExportScreen.Progressed)

    @dataclass
    class Ended(Message):
        """The export is over."""

        report: ExportReport | None
        problem: str = ""

    def __init__(self, workspace: Workspace, filter_text: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._filter = filter_text
        self._stopped = False
        self._report: ExportReport | None = None

    def compose(self) -> ComposeResult:
        """The lines in a box."""
        with Vertical(id="dialog"):
            yield HelpView(id="report")

    def on_mount(self) -> None:
        """Begin."""
        self.query_one("#dialog").border_title = "export"
        self.query_one(HelpView).focus()
        self._title("esc stops")
        self.run_worker(self._work, thread=True, exclusive=True, group="export")

    def _work(self) -> None:
        from core.export.report import ExportRequest, NothingToExportError, Progress
        from core.export.run import export

        def report(done: int, total: int) -> None:
            self.post_message(self.Progressed(done, total))

        try:
            request = ExportRequest(filter=self._filter)
            done = export(self._workspace, request, Progress(report, lambda: self._stopped))
            self.post_message(self.Ended(done))
        except NothingToExportError as error:
            self.post_message(self.Ended(error.report, str(error)))
        except SensorloomError as error:
            self.post_message(self.Ended(None, str(error)))

    def on_export_screen_progressed(self, event: Progressed) -> None:
        """Draw how far it is."""
        filled = round(BAR * event.done / max(1, event.total))
        bar = f"  {'█' * filled}{'░' * (BAR - filled)}  {event.done:,} of {event.total:,}"
        self.query_one(HelpView).put([(), ((bar, "text"),)])

    def on_export_screen_ended(self, event: Ended) -> None:
        """Show what was done, and copy the path."""
        self._report = event.report
        view = self.query_one(HelpView)
        width = max(20, view.body.width)
        lines: list[Line] = [()]
        if event.problem:
            lines.extend((("  ", "text"), *row) for row in wrapped(event.problem, width - 4, "warn"))
            lines.append(())
        if event.report is not None:
            lines += report_lines(self._workspace, event.report, width)
        view.put(lines)
        if event.report is not None and event.report.path is not None:
            self._title("c copies the path · esc back")
            self.action_copy()
        else:
            self._title("esc back")

    def action_copy(self) -> None:
        """Copy the path of the training file."""
        if self._report is not None and self._report.path is not None:
            self.run_worker(partial(self._copy, str(self._report.path)), thread=True, group="copy")

    def _copy(self, path: str) -> None:
        def write(sequence: str) -> None:
            driver = getattr(self.app, "_driver", None)  # Textual's own copy takes no text that is longer than a line
            if driver is not None:
                self.app.call_from_thread(driver.write, sequence)

        way = copy_out(self._workspace, path, write)
        self.app.call_from_thread(self.notify, f"the path was sent to: {way}", title="copied", markup=False)

    def action_leave(self) -> None:
        """Back; an export under way is stopped."""
        self._stopped = True
        self.dismiss(None)

    def _title(self, keys: str) -> None:
        self.query_one("#dialog").border_subtitle = keys


def report_lines(workspace: Workspace, report: ExportReport, width: int) -> list[Line]:
    """An export's report as lines."""
    lines: list[Line] = [
        (("  total     ", "dim"), (f"{report.total:,} threads", "text")),
        (("  exported  ", "dim"), (f"{report.exported:,}", "good" if report.exported else "warn")),
    ]
    lines.extend(
        (("  skipped   ", "dim"), (f"{count:,} {one_line(reason)}", "text")) for reason, count in report.skipped.items()
    )
    for refusal in report.refusals[:5]:
        lines.append(fit((("            ", "text"), (one_line(f"{refusal.stem}: {refusal.sentence}"), "dim")), width))
    for file in report.files:
        lines.append(())
        lines.append((("  file      ", "dim"), (one_line(workspace.shown(file.path)), "label")))
        lines.append((("            ", "dim"), (f"{file.rows:,} rows, {file.bytes / 1e6:.2f} MB", "dim")))
    if report.examples:
        lines.append(())
        lines.append((("  first rows", "dim"),))
    for one in report.examples:
        text = one_line(f"{one.truth} → {one.answer or '…'} · {one.query}", 300)
        lines.append(fit((("    ", "text"), *_SIGNS[one.correct], (text, "text")), width))
    for what, places in report.changes.items():
        lines.extend((("  ", "text"), *row) for row in wrapped(f"{what}: {places:,}", width - 4, "dim"))
    return lines
