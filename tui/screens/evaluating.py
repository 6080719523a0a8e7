"""The evaluations under way: begun, gone on with, stopped, while everything else goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.errors import SensorloomError
from core.text import counted, one_line
from core.workspace import Workspace
from tui.screens.frame import Frame

if TYPE_CHECKING:
    from core.evaluation.contest import Evaluation
    from core.evaluation.running import EvaluationRun, Progress

OpenThreads = Callable[[Workspace, str, str], None]
"""Shows threads of a folder: a workspace that has it, what it is called, and the filter that is put in force."""


class Evaluating:
    """Starts them, and tells how far they are. Each runs in a process of its own."""

    def __init__(self, screen: Frame, workspace: Workspace) -> None:
        """Args: `screen` is the main one, in whose workers reports are written."""
        self._screen = screen
        self._workspace = workspace
        self._runs: dict[str, EvaluationRun] = {}
        self._noted: dict[str, int] = {}
        """How many notes of each were told."""
        self.listeners: list[Callable[[Progress], object]] = []
        """Told, on the screen's loop, how far each is."""

    def progress(self, name: str) -> Progress | None:
        """How far an evaluation is that is under way; None for one that is not."""
        run = self._runs.get(name)
        return None if run is None or run.progress.over else run.progress

    def start(self, evaluation: Evaluation) -> None:
        """Begin to ask, or go on with what is missing."""
        from core.evaluation.running import EvaluationRun

        if self.progress(evaluation.name) is None:
            run = EvaluationRun(
                self._workspace, evaluation, lambda progress: self._screen.call_later(self._hear, evaluation, progress)
            )
            self._runs[evaluation.name] = run
            self._noted[evaluation.name] = 0
            run.start()

    def go_on(self, evaluation: Evaluation) -> None:
        """Go on with an evaluation, unless it is under way, which is said."""
        if self.progress(evaluation.name) is not None:
            self._screen.notify(f"{one_line(evaluation.name, 60)} is under way", markup=False)
        else:
            self.start(evaluation)

    def stop(self, name: str) -> bool:
        """Ask no more; says whether anything was under way."""
        if self.progress(name) is None:
            return False
        self._runs[name].stop()
        return True

    def close(self) -> None:
        """Stop all, each saving what came."""
        for run in self._runs.values():
            run.stop()
        for run in self._runs.values():
            run.close()

    def _hear(self, evaluation: Evaluation, progress: Progress) -> None:
        for listener in tuple(self.listeners):
            listener(progress)
        for note in progress.notes[self._noted.get(progress.name, 0) :]:
            self._screen.notify(one_line(note, 300), markup=False)
        self._noted[progress.name] = len(progress.notes)
        if progress.over:
            if progress.problem or not self.listeners:  # who looks at it sees it
                self._told(progress)
            self._screen.run_worker(lambda: self._write(evaluation), thread=True, group="evaluation reports")

    def _told(self, progress: Progress) -> None:
        text = f"evaluation {progress.name}: {counted(progress.done, 'thread')} made"
        if progress.stopped:
            text += ", stopped; it can be gone on with"
        if progress.problem:
            failed = f"{counted(progress.failed, 'thread')} failed: " if progress.failed else ""
            text += f". {failed}{one_line(progress.problem, 200)}"
        severity = "warning" if progress.problem else "information"
        self._screen.notify(one_line(text, 400), severity=severity, markup=False)

    def _write(self, evaluation: Evaluation) -> None:
        from core.evaluation.figures import figures
        from core.evaluation.report_files import write_report

        try:
            write_report(self._workspace, evaluation, figures(self._workspace, evaluation).answers)
        except SensorloomError as error:
            self._screen.app.call_from_thread(
                self._screen.notify, one_line(str(error), 300), severity="error", markup=False
            )
