"""One evaluation: its tables, whose cells open as the threads they stand for, or as two answers side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen

from core.errors import SensorloomError
from core.evaluation.contest import Evaluation
from core.evaluation.figures import Figures, Standing, figures, parted
from core.text import one_line, printable
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.screens.evaluating import Evaluating, OpenThreads
from tui.terminal.crash_guard import Guarded
from tui.widgets.cell_board import CellBoard
from tui.widgets.evaluation_lines import evaluation_rows
from tui.widgets.plain import Plain

if TYPE_CHECKING:
    from core.evaluation.running import Progress


class EvaluationScreen(Guarded, Screen[None]):
    """The whole screen for one."""

    DEFAULT_CSS = """
    EvaluationScreen {
        #title { height: 1; background: $panel; padding: 0 1; text-style: bold; }
        #row { height: 1; background: $panel; color: $text-muted; padding: 0 1; }
        #figures-keys { height: 1; color: $text-muted; padding: 0 1; }
        CellBoard { height: 1fr; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("figures")]

    board = getters.query_one(CellBoard)

    @dataclass
    class Counted(Message):
        """Its threads were counted; None with the reason where they cannot be."""

        figures: Figures | None
        problem: str = ""

    def __init__(
        self, workspace: Workspace, evaluation: Evaluation, under_way: Evaluating, open_threads: OpenThreads
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._evaluation = evaluation
        self._under_way = under_way
        self._open_threads = open_threads
        self._figures: Figures | None = None
        self._counting = self._again = False

    def compose(self) -> ComposeResult:
        """What is asked, the tables, what the cell is about, and the keys."""
        yield Plain(id="title")
        yield CellBoard(id="board")
        yield Plain(id="row")
        keys = keys_of(self).hints(
            "figures.open", ("figures.left", "figures.right"), "tables.next", "figures.sides", "figures.go_on",
            "figures.stop", "figures.back",
        )  # fmt: skip
        yield Plain(keys, id="figures-keys")

    def on_mount(self) -> None:
        """Count."""
        self.board.empty = "counting …"
        self.board.focus()
        self._under_way.listeners.append(self._hear)
        self._count()
        self._title()

    def on_unmount(self) -> None:
        """Nothing is told here any more."""
        self._under_way.listeners.remove(self._hear)

    def _hear(self, progress: Progress) -> None:
        # while it is being left, its widgets may be gone before it is
        if progress.name == self._evaluation.name and self in self.app.screen_stack:
            self._title()
            self._count()

    def _title(self) -> None:
        progress = self._under_way.progress(self._evaluation.name)
        evaluation = self._evaluation
        told = f"{one_line(evaluation.name, 60)} · {evaluation.about}"
        if progress is not None:
            far = f"{progress.done} of {progress.of}, {progress.contestant}" if progress.of else "beginning …"
            told = f"{far} · {told}"
        self.query_one("#title", Plain).show(Content(printable(one_line(told, 300))))

    def _count(self) -> None:
        """Count what is there by now; while that is under way, once more afterwards."""
        if self._counting:
            self._again = True
            return
        self._counting, self._again = True, False
        self.run_worker(self._counted, thread=True, group="figures")

    def _counted(self) -> None:
        try:
            self.post_message(self.Counted(figures(self._workspace, self._evaluation)))
        except SensorloomError as error:
            self.post_message(self.Counted(None, str(error)))

    def on_evaluation_screen_counted(self, event: Counted) -> None:
        """Show what was counted."""
        self._counting = False
        if event.figures is None:
            self.board.empty = event.problem
            self.board.rows_changed()
        else:
            self._figures = event.figures
            self._lay_out()
        if self._again:
            self._count()

    def on_resize(self, event: Resize) -> None:
        """Lay out at the new width."""
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        if self._figures is not None:
            self.board.show(evaluation_rows(self._figures, max(40, self.board.body.width)))

    def on_board_pointed(self) -> None:
        """Say what the cell is about, and what opens."""
        cell = self.board.cell
        told = f"{keys_of(self).brief('figures.open')[0]} {cell.about}" if cell.about else ""
        self.query_one("#row", Plain).show(Content(printable(one_line(told, 300))))

    # What is done

    def action_cell(self, step: int) -> None:
        """To the next cell of the row, or the one before."""
        self.board.step(step)

    def action_open(self) -> None:
        """Show the threads that the cell stands for; of a difference, those sessions side by side."""
        cell = self.board.cell
        if cell.beside is not None:
            self._beside(*cell.beside)
        elif (standing := self._standing(cell.of)) is not None:
            if any(outcome.stem for outcome in standing.outcomes):
                apart = self._evaluation.apart(self._workspace, standing.contestant)
                self._open_threads(apart, f"{self._evaluation.name} · {cell.of}", " ".join(cell.terms))
            else:
                self.notify(f"{one_line(cell.of, 60)} has no thread yet", markup=False)

    def action_sides(self) -> None:
        """The contestant under the cursor beside the next one, where they differ."""
        keys = [contestant.key for contestant in self._evaluation.contestants]
        cell = self.board.cell
        if cell.beside is not None:
            self._beside(*cell.beside)
        elif len(keys) > 1:
            at = keys.index(cell.of) if cell.of in keys else 0
            self._beside(keys[at], keys[(at + 1) % len(keys)])
        else:
            self.notify("there is only one contestant here", markup=False)

    def _beside(self, first: str, second: str) -> None:
        from tui.screens.evaluation_sides import SidesScreen

        left, right = self._standing(first), self._standing(second)
        if left is None or right is None:
            return
        pairs = parted(left.outcomes, right.outcomes)
        if not pairs:
            self.notify("they answered alike wherever both have begun", markup=False)
            return
        folders = [self._evaluation.apart(self._workspace, each.contestant).threads for each in (left, right)]
        self.app.push_screen(SidesScreen((first, second), (folders[0], folders[1]), pairs))

    def action_go_on(self) -> None:
        """Go on with what is missing."""
        self._under_way.go_on(self._evaluation)
        self._title()

    def action_stop(self) -> None:
        """Stop it."""
        if not self._under_way.stop(self._evaluation.name):
            self.notify(f"{one_line(self._evaluation.name, 60)} is not under way", markup=False)

    def _standing(self, key: str) -> Standing | None:
        every = self._figures.standings if self._figures else ()
        return next((standing for standing in every if standing.contestant.key == key), None)
