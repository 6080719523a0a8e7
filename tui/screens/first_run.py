"""What a workspace without any data shows: one key makes data, and the next two a running thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from core.errors import SensorloomError
from core.text import one_line
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.plain import Plain

if TYPE_CHECKING:
    from core.datasets.importing import ImportReport

BAR = 40
"""Columns of the progress bar."""


class FirstRunScreen(Guarded, ModalScreen[bool]):
    """Offers the demo dataset, or one's own recordings. Its result says whether something was imported."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("welcome")]

    @dataclass
    class Progressed(Message):
        """The import came on."""

        done: int
        total: int

    @dataclass
    class Ended(Message):
        """The import is over; `problem` says why it failed, if it did."""

        sessions: int = 0
        dataset: str = "demo"
        problem: str = ""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._importing = False

    def compose(self) -> ComposeResult:
        """What this is, and what to press."""
        keys = keys_of(self)
        with Vertical(id="dialog"):
            yield Plain(
                Content.assemble(
                    "A thread is a question about a sensor session, and a model's way to the answer: "
                    "it calls tools that compute on the signals; you run, edit, branch and judge.\n\n"
                    "There is no data in this workspace yet.\n\n",
                    (f"  {keys['welcome.import']:7}", "bold $text-accent"),
                    "import the demo: a simulated phone, six activities, from a seed\n",
                    (f"  {keys['welcome.own']:7}", "bold $text-accent"),
                    "import recordings of your own: CSV, Parquet, JSON lines\n",
                    (f"  {keys['thread.new']:7}", "bold $text-accent"),
                    "then makes a thread about one of its sessions\n",
                    (f"  {keys['turn.run_to_end']:7}", "bold $text-accent"),
                    "runs it to the final answer\n",
                    (f"  {keys['list.propose']:7}", "bold $text-accent"),
                    "sets a goal, makes the threads for it, and says what to judge\n",
                    (f"  {keys['export.now']:7}", "bold $text-accent"),
                    "exports the finished threads for training\n",
                    (f"  {keys['welcome.leave']:7}", "bold $text-accent"),
                    f"looks around first; {keys['thread.new']} offers this again\n\n",
                    (f"Data folder: {one_line(self._workspace.shown(self._workspace.data))}", "dim"),
                )
            )
            yield Plain(id="progress")

    def on_mount(self) -> None:
        """Title the dialog."""
        self.query_one("#dialog").border_title = "welcome to sensorloom"

    def action_import_demo(self) -> None:
        """Import the demo dataset, in a worker."""
        if not self._importing:
            self._importing = True
            self._show_progress(0, 1)
            self.run_worker(self._work, thread=True, exclusive=True, group="import")

    def action_import_own(self) -> None:
        """Import recordings of one's own."""
        from tui.screens.own_recordings import import_own

        def ended(report: ImportReport) -> None:
            self.post_message(self.Ended(report.sessions, report.dataset))

        if not self._importing:
            import_own(self, self._workspace, ended)

    def _work(self) -> None:
        from core.datasets.importing import import_dataset

        def progress(done: int, total: int, _what: str) -> None:
            self.post_message(self.Progressed(done, total))

        try:
            report = import_dataset(self._workspace, "demo", progress=progress)
            self.post_message(self.Ended(report.sessions))
        except SensorloomError as error:
            self.post_message(self.Ended(problem=str(error)))

    def on_first_run_screen_progressed(self, event: Progressed) -> None:
        """Draw how far it is."""
        self._show_progress(event.done, event.total)

    def on_first_run_screen_ended(self, event: Ended) -> None:
        """Go on, or say what went wrong."""
        self._importing = False
        if event.problem:
            self.query_one("#progress", Plain).show(one_line(event.problem, 300))
        else:
            keys = keys_of(self)
            ways = f"{keys['thread.new']} makes a thread, {keys['list.propose']} sets a goal and makes a set for it"
            self.notify(f"{event.sessions} sessions imported; {ways}", title=event.dataset, markup=False)
            self.dismiss(True)

    def action_leave(self) -> None:
        """Back; an import under way goes on to its end."""
        self.dismiss(False)

    def _show_progress(self, done: int, total: int) -> None:
        filled = round(BAR * done / max(1, total))
        self.query_one("#progress", Plain).show(f"importing  {'█' * filled}{'░' * (BAR - filled)}  {done} of {total}")
