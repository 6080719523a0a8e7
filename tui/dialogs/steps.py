"""The history as a list: what was done, when and by whom; any one step is chosen to be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen

from core.errors import SensorloomError
from core.storage import history, history_files
from core.storage.history import ThreadStep
from core.text import one_line
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.picker import Choice, Picker
from tui.widgets.plain import plain

MOST = 500
"""Steps of the whole workspace that are listed."""


class StepsScreen(Guarded, ModalScreen[ThreadStep | None]):
    """Lists the steps of a thread, or of all, the newest first. Its result is the one to take back, or None."""

    DEFAULT_CSS = "StepsScreen #steps { height: 18; }"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("steps")]

    picker = getters.query_one(Picker)

    @dataclass
    class Loaded(Message):
        """The steps; and why there are none, or not all."""

        steps: Sequence[ThreadStep]
        problem: str = ""

    def __init__(self, workspace: Workspace, stem: str | None) -> None:
        """Args: `stem` is the thread whose steps are listed; None for all threads."""
        super().__init__()
        self._workspace = workspace
        self._stem = stem
        self._steps: Sequence[ThreadStep] = ()

    def compose(self) -> ComposeResult:
        """The steps in a box."""
        with Vertical(id="dialog"):
            yield Picker(id="steps")

    def on_mount(self) -> None:
        """Read the history."""
        box = self.query_one("#dialog")
        box.border_title = plain(f"history · {self._stem or 'all threads'}, newest first")  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup
        keys = keys_of(self)
        box.border_subtitle = f"{keys.hints('steps.take')} · ↶ not in force · {keys.hints('steps.back')}"
        self.picker.empty = "reading …"
        self.picker.focus()
        self.run_worker(lambda: self.post_message(self._read()), thread=True)

    def _read(self) -> Loaded:
        try:
            if self._stem is None:
                steps = history.recent(self._workspace, MOST)
                return self.Loaded(steps, "; ".join(history_files.problems(self._workspace)))
            past = history.read(self._workspace, self._stem)
        except SensorloomError as error:
            return self.Loaded((), str(error))
        return self.Loaded([ThreadStep(self._stem, step, past.in_force(step)) for step in reversed(past.steps)])

    @on(Loaded)
    def _show(self, event: Loaded) -> None:
        self._steps = event.steps
        self.picker.empty = event.problem or "nothing was done yet"
        if event.steps and event.problem:
            self.notify(one_line(event.problem, 400), severity="warning", markup=False)
        self.picker.show([self._choice(row) for row in event.steps])

    def _choice(self, row: ThreadStep) -> Choice:
        about = {"undo": "undid: ", "redo": "did again: "}.get(row.step.kind, "")
        thread = "" if self._stem else f"{row.stem} · "
        at = f"{datetime.fromtimestamp(row.step.seconds):%m-%d %H:%M}"
        who = f"{row.step.who} " if row.step.who else ""
        return Choice(f"{'↶ ' if row.in_force is False else ''}{about}{row.step.what}", f"{thread}{who}{at}")

    def action_take(self) -> None:
        """Take back the step under the cursor."""
        if self._steps:
            self.dismiss(self._steps[self.picker.cursor])
