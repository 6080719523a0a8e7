"""Exports under way: one at a time, in a worker, whether its screen is open or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from core.errors import SensorloomError
from core.filters.queue import ACCEPTED, leaves_out_judged
from core.text import counted, one_line
from core.workspace import Workspace
from tui.dialogs.ask import ChooseScreen, Way
from tui.dialogs.export_job import Job
from tui.local_keys import keys_of
from tui.terminal.terminal import copy_out, writer

if TYPE_CHECKING:
    from core.export.report import ExportReport, ExportRequest
    from core.export.selection import Outlook
    from core.thread.summary import Summary
    from tui.screens.export import ExportScreen

WRONG_WAYS = (
    Way("x", "export all", "the wrong ones too, as rows like the others"),
    Way(
        "w",
        "without the wrong ones",
        "they stay for the preference profiles; `[export] correct_only` makes it the rule",
    ),
)
TOLD_SECONDS = 0.1
"""Between two looks at how far an export is: each is painted."""


class Exports:
    """Starts exports and tells how they go. Lives on the main screen, in whose workers they run."""

    def __init__(
        self,
        screen: Screen[None],
        workspace: Workspace,
        filtered_by: Callable[[], str],
        listed: Callable[[], Sequence[Summary]],
        listing: Callable[[], Sequence[Summary] | None],
        done: Callable[[], None],
        blind: Callable[[], bool],
        leave: Callable[[], None],
    ) -> None:
        """Args: `filtered_by` gives the list's present filter, `listed` the threads that it shows, `listing` what is in
        the folder (None: it is not known as a whole yet), `done` is called when an export is over, `blind` says whether
        what would tell a thread's truth is hidden, `leave` ends the program."""
        self._leave = leave
        self._blind = blind
        self._screen = screen
        self._workspace = workspace
        self._filtered_by = filtered_by
        self._listed = listed
        self._listing = listing
        self._done = done
        self._job: Job | None = None
        self._shown: ExportScreen | None = None

    @property
    def running(self) -> bool:
        """Whether an export is being prepared or under way."""
        return self._job is not None and not self._job.over

    def now(self) -> None:
        """Export the finished threads that the filter shows, asking first where some answer wrong; or show the export
        that is under way. Its screen is there at once, so that no key typed meanwhile goes to what lies under it."""
        from core.export.report import ExportRequest

        if self.running:
            self._open()
            return
        shown, listing = self._filtered_by(), self._listing()
        accepted = sum(summary.verdict == "accept" and summary.status == "finished" for summary in listing or ())

        def answered(way: str | None) -> None:
            if way is None:
                self._screen.notify("nothing was exported", markup=False)
            else:
                self._look(ExportRequest(filter=ACCEPTED if way == "x" else shown), listing)

        if accepted and leaves_out_judged(shown):
            ways = [Way("x", "export what was accepted", f"{counted(accepted, 'thread')}, whatever the list shows")]
            text = "The list shows only threads that are not judged yet: what was just accepted is not among them."
            if any(summary.status == "finished" for summary in self._listed()):
                ways.append(Way("l", "export what the list shows", "the finished ones, though nobody has judged them"))
            self._screen.app.push_screen(ChooseScreen("export", text, ways), answered)
        else:
            self._look(ExportRequest(filter=shown), listing)

    def _look(self, request: ExportRequest, listing: Sequence[Summary] | None) -> None:
        self._job = job = Job(request, counting=True)
        self._screen.run_worker(partial(self._look_ahead, job, listing), thread=True, group="export")
        self._open()

    def _look_ahead(self, job: Job, listing: Sequence[Summary] | None) -> None:
        from core.export.selection import outlook
        from core.listing.index import summaries

        try:
            ahead = outlook(self._workspace, job.request, summaries(self._workspace) if listing is None else listing)
        except SensorloomError:
            ahead = None  # the export says it
        self._screen.call_later(self._ask, job, ahead)

    def _ask(self, job: Job, ahead: Outlook | None) -> None:
        """Say how many are wrong before anything is written; with none, write."""
        if job.over:
            return  # it was left meanwhile
        job.counting = False
        if ahead is None or not ahead.wrong:
            self._begin(job)
            return
        job.over = True
        if self._shown is not None:
            self._shown.dismiss()

        def answered(way: str | None) -> None:
            if way is None:
                self._screen.notify("nothing was exported", markup=False)
            else:
                self.start(replace(job.request, correct_only=way == "w"))

        many = f"{ahead.wrong:,} of the {ahead.threads:,} finished threads" if ahead.exact else f"Up to {ahead.wrong:,}"
        text = f"{many} that the filter shows answer wrong, and nobody accepted them. Nothing is written yet."
        self._screen.app.push_screen(ChooseScreen("export", text, WRONG_WAYS), answered)

    def start(self, request: ExportRequest) -> None:
        """Begin an export and show how it goes."""
        if not self.running:
            self._job = Job(request)
            self._begin(self._job)
        self._open()

    def _begin(self, job: Job) -> None:
        self._screen.run_worker(partial(self._work, job), thread=True, group="export")
        self._draw()

    def stop(self) -> None:
        """Stop; nothing is left under a final name."""
        job = self._job
        if job is None:
            return
        job.stopped = True
        if job.counting:
            job.over = True
            self._screen.notify("nothing was exported", markup=False)
            if self._shown is not None:
                self._shown.dismiss()

    def close(self) -> None:
        """The program ends: so does what is under way."""
        if self._job is not None:
            self._job.stopped = True
            self._job.over = self._job.over or self._job.counting

    def quit(self) -> None:
        """End the program, unless an export would be lost by that, which is said once: who leaves again means it."""
        job = self._job
        if job is None or job.over or job.leaving:
            self._leave()
            return
        job.leaving = True
        key = keys_of(self._screen)["export.now"]
        text = f"an export is under way: leaving once more stops it, and nothing is written; {key} shows it"
        self._screen.notify(text, severity="warning", markup=False)

    def _ended(self, report: ExportReport | None, problem: str) -> None:
        """Show what was done, or say it where nobody looks at the export."""
        job = self._job
        if job is None:
            return
        job.over, job.report, job.problem = True, report, problem
        self._draw()
        path = report.path if report is not None else None
        if path is not None:
            self._screen.run_worker(partial(self._copy, str(path)), thread=True, group="copy")
        if self._shown is None:
            text = problem
            if report is not None and path is not None:
                many = "" if report.exported == 1 else "s"
                text = f"{report.exported:,} thread{many} exported to {self._workspace.shown(path)}"
            self._screen.notify(one_line(text, 400), title="export", timeout=12, markup=False)
        self._done()

    def _copied(self, way: str) -> None:
        """Say where the path went."""
        if self._job is not None:
            self._job.copied = way
            self._draw()

    def copy(self) -> None:
        """Copy the path of the training file again."""
        job = self._job
        if job is not None and job.report is not None and job.report.path is not None:
            self._screen.run_worker(partial(self._copy, str(job.report.path)), thread=True, group="copy")

    def _open(self) -> None:
        from tui.screens.export import ExportScreen

        if self._job is None or self._shown is not None:
            return
        self._shown = ExportScreen(self._workspace, self._job, stop=self.stop, copy=self.copy, blind=self._blind())
        self._screen.app.push_screen(self._shown, self._left)

    def _left(self, _: object) -> None:
        self._shown = None
        if self._job is not None and self._job.counting and not self._job.over:
            self.stop()
        elif self.running:
            key = keys_of(self._screen)["export.now"]
            self._screen.notify(f"the export goes on; {key} shows it again", markup=False)

    def _draw(self) -> None:
        if self._shown is not None and self._shown.is_mounted:
            self._shown.show()

    def _work(self, job: Job) -> None:
        from core.export.report import NothingToExportError, Progress
        from core.export.run import export

        told = 0.0

        def report(done: int, total: int) -> None:
            nonlocal told
            job.done, job.total = done, total
            shown, now = self._shown, time.monotonic()
            if shown is not None and now - told > TOLD_SECONDS:
                told = now
                shown.call_later(self._draw)

        try:
            done = export(self._workspace, job.request, Progress(report, lambda: job.stopped))
            self._screen.call_later(self._ended, done, "")
        except NothingToExportError as error:
            self._screen.call_later(self._ended, error.report, str(error))
        except SensorloomError as error:
            self._screen.call_later(self._ended, None, str(error))
        except Exception:
            self._screen.call_later(self._ended, None, "the export failed; nothing is left under a final name")
            raise

    def _copy(self, path: str) -> None:
        self._screen.call_later(self._copied, copy_out(self._workspace, path, writer(self._screen.app)))
