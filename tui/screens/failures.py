"""The failures among the threads that the list shows, grouped by how; a group opens as a filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from core.errors import SensorloomError
from core.filters.failure_terms import pair_terms, terms_of
from core.listing.failures import FailureGroup, failed, grouped_failures
from core.text import counted, one_line
from core.thread.review import truth_hidden
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.board import Board
from tui.widgets.count_table import Row
from tui.widgets.lines import Line, fit
from tui.widgets.plain import Plain


class FailuresScreen(Guarded, Screen[tuple[str, ...] | None]):
    """The whole screen for the groups. Its result is the filter terms of the row that was chosen, or None."""

    DEFAULT_CSS = """
    FailuresScreen {
        #title { height: 1; background: $panel; padding: 0 1; text-style: bold; }
        #row { height: 2; background: $panel; color: $text-muted; padding: 0 1; }
        #failure-keys { height: 1; color: $text-muted; padding: 0 1; }
        Board { height: 1fr; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("failures")]

    board = getters.query_one(Board)

    @dataclass
    class Grouped(Message):
        """The groups; None with how far the reading is, or why there are none."""

        groups: Sequence[FailureGroup] | None
        state: str = ""

    def __init__(self, workspace: Workspace, shown: Sequence[Summary], *, blind: bool) -> None:
        """Args: `shown` are the threads that the list shows; with `blind` only judged ones are grouped, since a failure
        tells the truth."""
        super().__init__()
        self._workspace = workspace
        self._failed = [summary for summary in shown if failed(summary)]
        self._open = [summary for summary in self._failed if not truth_hidden(summary.verdict, blind=blind)]
        self._of = len(shown)
        self._groups: Sequence[FailureGroup] = ()

    def compose(self) -> ComposeResult:
        """What is grouped, the groups, what the row is about, and the keys."""
        yield Plain(id="title")
        yield Board(id="board")
        yield Plain(id="row")
        keys = keys_of(self)
        tab, back = keys["tables.next"], keys.hints("failures.back")
        yield Plain(f"{keys.hints('failures.take')} · {tab} next confusion · {back}", id="failure-keys")

    def on_mount(self) -> None:
        """Read the failed threads."""
        hidden = len(self._failed) - len(self._open)
        unjudged = f" · {hidden} not judged, and hidden while judging is blind" if hidden else ""
        title = f"failures · {len(self._open):,} of {counted(self._of, 'thread')}{unjudged}"
        self.query_one("#title", Plain).show(title)
        self.board.empty = "reading …"
        self.board.focus()
        self.run_worker(self._read, thread=True, exclusive=True, group="failures")

    def on_resize(self, event: Resize) -> None:
        """Lay out at the new width."""
        self.call_after_refresh(self._draw)

    def _read(self) -> None:
        worker = get_current_worker()

        def progress(done: int, total: int) -> None:
            self.post_message(self.Grouped(None, f"reading the threads: {done:,} of {total:,}"))

        folder = self._workspace.threads
        try:
            groups = grouped_failures(folder, self._open, progress, lambda: worker.is_cancelled)
        except SensorloomError as error:
            self.post_message(self.Grouped(None, str(error)))
            return
        if groups is not None:
            self.post_message(self.Grouped(groups))

    def on_failures_screen_grouped(self, event: Grouped) -> None:
        """Show the groups, or how far the reading is."""
        self.board.empty = event.state or "none of these threads failed"
        self._groups = event.groups or ()
        self._draw()

    def _draw(self) -> None:
        self.board.show(tuple(rows(self._groups, max(40, self.board.body.width))))

    def on_board_pointed(self) -> None:
        """Say what the row is about, and what enter does."""
        row = self.board.current
        does = f"{keys_of(self).brief('failures.take')[0]} {' '.join(row.terms)}" if row.terms else ""
        self.query_one("#row", Plain).show(one_line(" · ".join(filter(None, (row.about, does))), 400))

    def action_take(self) -> None:
        """List the threads that the row stands for."""
        if terms := self.board.current.terms:
            self.dismiss(terms)


def rows(groups: Sequence[FailureGroup], width: int) -> Iterator[Row]:
    """For each confusion a row, and below it one for each way it came about, in `width` columns."""
    for _, some in groupby(groups, key=lambda group: group.pair):
        ways = list(some)
        first, number = ways[0], sum(len(group.stems) for group in ways)
        answer = one_line(first.answer, 40) or "no answer"
        yield Row()
        confusion = f"{one_line(first.truth, 40)} → {answer}"
        head: Line = (
            ("  ", "text"),
            (f"{number:>5,}  ", "bad"),
            (confusion, "mark"),
            (f"  {one_line(first.dataset, 30)}", "dim"),
        )
        yield Row(fit(head, width), pair_terms(first), f"{counted(number, 'thread')}, {counted(len(ways), 'way')}")
        for group in ways:
            path = " → ".join(one_line(tool, 40) for tool in group.path) or "no tools"
            line: Line = (
                ("  ", "text"),
                (f"{len(group.stems):>9,}  ", "text"),
                (f"{one_line(group.step, 40)}", "warn"),
                (f" · {path}", "text"),
            )
            yield Row(fit(line, width), terms_of(group), path)
