"""The evaluations of the workspace: how good models are, each with its contestants and their intervals."""

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
from textual.worker import get_current_worker

from core.errors import SensorloomError
from core.evaluation.contest import Evaluation, evaluations, open_evaluation, outcomes_of
from core.evaluation.scores import Share, share_right
from core.text import one_line, printable
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.screens.evaluating import Evaluating, OpenThreads
from tui.terminal.crash_guard import Guarded
from tui.widgets.board import Board
from tui.widgets.count_table import Row, named
from tui.widgets.evaluation_lines import BAR_WIDTH, interval_drawn
from tui.widgets.lines import Line, Span, fit
from tui.widgets.plain import Plain
from tui.widgets.short_labels import shortened

if TYPE_CHECKING:
    from core.evaluation.running import Progress

BAR = 24
"""Columns of the bar of an evaluation under way."""


@dataclass(frozen=True, slots=True)
class Overview:
    """An evaluation in what its row shows."""

    evaluation: Evaluation | None
    name: str
    shares: tuple[tuple[str, Share | None], ...] = ()
    """By contestant; None for one that has begun nothing."""
    done: int = 0
    """Tries that came to an end."""
    of: int = 0
    problem: str = ""


def overview(workspace: Workspace, name: str) -> Overview:
    """Read an evaluation's threads and count how many were right."""
    try:
        evaluation = open_evaluation(workspace, name)
        outcomes = {who.key: outcomes_of(workspace, evaluation, who) for who in evaluation.contestants}
    except SensorloomError as error:
        return Overview(None, name, problem=str(error))
    done = sum(outcome.finished for some in outcomes.values() for outcome in some)
    begun = {key: any(outcome.stem for outcome in some) for key, some in outcomes.items()}
    shares = tuple((key, share_right(some) if begun[key] else None) for key, some in outcomes.items())
    return Overview(evaluation, name, shares, done, sum(map(len, outcomes.values())))


class EvaluationsScreen(Guarded, Screen[None]):
    """The whole screen for them."""

    DEFAULT_CSS = """
    EvaluationsScreen {
        #title { height: 1; background: $panel; padding: 0 1; text-style: bold; }
        #row { height: 1; background: $panel; color: $text-muted; padding: 0 1; }
        #evaluations-keys { height: 1; color: $text-muted; padding: 0 1; }
        Board { height: 1fr; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("evaluations")]

    board = getters.query_one(Board)

    @dataclass
    class Known(Message):
        """The workspace's evaluations by their names, the latest first."""

        names: list[str]

    @dataclass
    class Looked(Message):
        """One of them was read."""

        overview: Overview

    def __init__(self, workspace: Workspace, under_way: Evaluating, open_threads: OpenThreads) -> None:
        """Args: `open_threads` shows threads as the main screen does."""
        super().__init__()
        self._workspace = workspace
        self._under_way = under_way
        self._open_threads = open_threads
        self._names: list[str] = []
        self._overviews: dict[str, Overview] = {}
        self._wanted = ""
        self._asked: dict[str, str] = {}
        """Who was asked last, by the evaluation's name: the figures of who was asked before are complete then."""

    def compose(self) -> ComposeResult:
        """The evaluations, what the row is about, and the keys."""
        yield Plain("evaluations", id="title")
        yield Board(id="board")
        yield Plain(id="row")
        keys = keys_of(self).hints(
            "evaluations.open", "evaluations.new", "evaluations.go_on", "evaluations.stop", "evaluations.back"
        )
        yield Plain(keys, id="evaluations-keys")

    def on_mount(self) -> None:
        """Read them."""
        self.board.empty = "reading …"
        self.board.focus()
        self._under_way.listeners.append(self._hear)
        self._read()

    def on_unmount(self) -> None:
        """Nothing is told here any more."""
        self._under_way.listeners.remove(self._hear)

    def on_screen_resume(self) -> None:
        """What was done meanwhile shows."""
        if self._names:
            self._read()

    def _read(self) -> None:
        self.run_worker(self._look, thread=True, exclusive=True, group="evaluations")

    def _look(self) -> None:
        worker = get_current_worker()
        names = evaluations(self._workspace)
        self.post_message(self.Known(names))
        for name in names:
            if worker.is_cancelled:
                return
            self.post_message(self.Looked(overview(self._workspace, name)))

    def on_evaluations_screen_known(self, event: Known) -> None:
        """List their names; the figures follow."""
        self._names = event.names
        self.board.empty = f"no evaluation yet; {keys_of(self)['evaluations.new']} begins one"
        self._draw()

    def on_evaluations_screen_looked(self, event: Looked) -> None:
        """Show its figures."""
        self._overviews[event.overview.name] = event.overview
        self._draw()

    def _hear(self, progress: Progress) -> None:
        if self not in self.app.screen_stack:  # it is being left, and its widgets may be gone before it is
            return
        if progress.over or self._asked.get(progress.name) != progress.contestant:
            self._asked[progress.name] = progress.contestant
            self._read()
        self._draw()

    def on_resize(self, event: Resize) -> None:
        """Lay out at the new width."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = max(40, self.board.body.width)
        rows: list[Row] = []
        for name in self._names:
            rows += [*([Row()] if rows else []), *self._rows(name, width)]
        self.board.show(rows)
        if self._wanted in self._names:
            at = next(number for number, row in enumerate(rows) if row.terms == (self._wanted,))
            self._wanted = ""
            self.board.move_to(at)

    def _rows(self, name: str, width: int) -> list[Row]:
        known, progress = self._overviews.get(name), self._under_way.progress(name)
        head: list[Span] = [("  ", "text"), (one_line(name, 60), "mark")]
        if known is None:
            return [Row((*head, ("  reading …", "dim")), (name,), "")]
        if known.evaluation is None:
            return [Row(fit((*head, (f"  {one_line(known.problem, 200)}", "warn")), width), (name,), "")]
        head.append((f"  {_about(known.evaluation)}", "dim"))
        if progress is not None:
            filled = round(BAR * progress.done / progress.of) if progress.of else 0
            far = f"{progress.done} of {progress.of} {progress.contestant}" if progress.of else "beginning …"
            head.append((f"  {'█' * filled}{'░' * (BAR - filled)} {far}", "mark"))
        elif known.done < known.of:
            head.append((f"  {known.done} of {known.of} tries finished", "warn"))
        rows = [Row(fit(head, width), (name,), f"asked: {known.evaluation.question}")]
        room = min(max(len(one_line(key, 60)) for key, _ in known.shares), max(12, width - 30))
        bar = min(BAR_WIDTH[1], width - room - 32)
        for key, share in known.shares:
            drawn: Line = interval_drawn(share, bar) if share and bar >= BAR_WIDTH[0] else ()
            lacking = "under way" if progress is not None and progress.contestant == key else "not begun"
            told: Span = (str(share).rjust(22), "text") if share else (lacking.rjust(22), "dim")
            line: Line = (("      ", "text"), named(shortened(one_line(key, 60), room), room, "text"), told)
            rows.append(Row(fit((*line, ("  ", "text"), *drawn), width)))
        return rows

    def on_board_pointed(self) -> None:
        """Say what is asked."""
        self.query_one("#row", Plain).show(Content(printable(one_line(self.board.current.about, 300))))

    # What is done

    @property
    def _pointed(self) -> Overview | None:
        terms = self.board.current.terms
        return self._overviews.get(terms[0]) if terms else None

    def action_open(self) -> None:
        """Show the figures of the one under the cursor."""
        from tui.screens.evaluation import EvaluationScreen

        if (known := self._pointed) is not None and known.evaluation is not None:
            self.app.push_screen(
                EvaluationScreen(self._workspace, known.evaluation, self._under_way, self._open_threads)
            )

    def action_begin(self) -> None:
        """Ask what is to be evaluated, and begin."""
        from tui.screens.new_evaluation import NewEvaluationScreen

        def begun(evaluation: Evaluation | None) -> None:
            if evaluation is not None:
                self._wanted = evaluation.name
                self._under_way.start(evaluation)
                self._read()

        self.app.push_screen(NewEvaluationScreen(self._workspace), begun)

    def action_go_on(self) -> None:
        """Go on with what is missing of the one under the cursor."""
        if (known := self._pointed) is not None and known.evaluation is not None:
            self._under_way.go_on(known.evaluation)
            self._draw()

    def action_stop(self) -> None:
        """Stop the one under the cursor."""
        if (known := self._pointed) is not None and not self._under_way.stop(known.name):
            self.notify(f"{one_line(known.name, 60)} is not under way", markup=False)


def _about(evaluation: Evaluation) -> str:
    tries = f", {evaluation.tries} tries each" if evaluation.tries > 1 else ""
    return f"{one_line(evaluation.about, 160)}{tries}"
