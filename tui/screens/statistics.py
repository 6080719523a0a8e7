"""The statistics board: what the threads that the list shows amount to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from core.errors import SensorloomError
from core.filters.language import Filter
from core.listing.statistics import Statistics, label_sets, statistics
from core.listing.variety import Variety, variety
from core.text import one_line
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.board import Board
from tui.widgets.plain import Plain
from tui.widgets.statistics_lines import lay_out
from tui.widgets.variety_lines import variety_rows


class StatisticsScreen(Guarded, Screen[tuple[str, ...] | None]):
    """The whole screen for the board. Its result is the filter terms of the row that was chosen, or None."""

    DEFAULT_CSS = """
    StatisticsScreen {
        #title { height: 1; background: $panel; padding: 0 1; text-style: bold; }
        #row { height: 1; background: $panel; color: $text-muted; padding: 0 1; }
        #statistics-keys { height: 1; color: $text-muted; padding: 0 1; }
        Board { height: 1fr; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("board")]

    board = getters.query_one(Board)

    @dataclass
    class Counted(Message):
        """The threads were counted."""

        statistics: Statistics

    @dataclass
    class Varied(Message):
        """How varied the threads are; None with the reason where it cannot be told."""

        variety: Variety | None
        state: str

    def __init__(
        self, workspace: Workspace, shown: Callable[[], Sequence[Summary]], wanted: Filter, known: int, *, blind: bool
    ) -> None:
        """Args: `shown` gives the threads that the list shows, `wanted` is its filter, `known` how many there are in
        all; with `blind` nothing tells the truth."""
        super().__init__()
        self._workspace = workspace
        self._shown = shown
        self._wanted = wanted
        self._known = known
        self._blind = blind
        self._statistics: Statistics | None = None
        self._variety: Variety | None = None
        self._reading = ""

    def compose(self) -> ComposeResult:
        """What is counted, the board, what the row is about, and the keys."""
        yield Plain(id="title")
        yield Board(id="board")
        yield Plain(id="row")
        keys = keys_of(self).hints("board.take", "tables.next", "board.count", "board.back")
        yield Plain(keys, id="statistics-keys")

    def on_mount(self) -> None:
        """Count."""
        self.board.empty = "counting …"
        self.board.focus()
        self.action_count()

    def action_count(self) -> None:
        """Count what the list shows by now."""
        self.run_worker(self._count, thread=True, exclusive=True, group="statistics")

    def _count(self) -> None:
        chosen = self._shown()
        labels = label_sets(self._workspace, chosen, self._wanted.on_summary)
        self.post_message(self.Counted(statistics(chosen, labels)))
        self._read([summary.stem for summary in chosen if not summary.problem])

    def _read(self, stems: Sequence[str]) -> None:
        """How varied they are, which takes the threads' files: the tables do not wait for it."""
        worker = get_current_worker()

        def progress(done: int, total: int) -> None:
            self.post_message(self.Varied(None, f"reading the threads: {done:,} of {total:,}"))

        try:
            counted = variety(self._workspace.threads, stems, progress, lambda: worker.is_cancelled)
        except SensorloomError as error:
            self.post_message(self.Varied(None, str(error)))
            return
        if counted is not None:
            self.post_message(self.Varied(counted, ""))

    def on_statistics_screen_varied(self, event: Varied) -> None:
        """Show how varied they are, or how far the reading is."""
        self._variety, self._reading = event.variety, event.state
        self._lay_out()

    def on_statistics_screen_counted(self, event: Counted) -> None:
        """Show what was counted."""
        self._statistics = event.statistics
        number = event.statistics.total.threads + event.statistics.unreadable
        of = f"{number:,} of {self._known:,} threads · {one_line(self._wanted.text, 300)}"
        title = of if self._wanted.conditions else "1 thread" if number == 1 else f"all {number:,} threads"
        self.query_one("#title", Plain).show(Content.assemble("statistics · ", title))
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        """Lay out at the new width."""
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        if self._statistics is not None:
            width = max(40, self.board.body.width)
            rows = lay_out(self._statistics, width, blind=self._blind)
            self.board.show((*rows, *variety_rows(self._variety, self._reading, width)))

    def on_board_pointed(self) -> None:
        """Say what the row is about, and what enter does."""
        row = self.board.current
        does = f"{keys_of(self).brief('board.take')[0]} {' '.join(row.terms)}" if row.terms else ""
        self.query_one("#row", Plain).show(one_line(" · ".join(filter(None, (does, row.about))), 400))

    def action_take(self) -> None:
        """List the threads that the row stands for."""
        if terms := self.board.current.terms:
            self.dismiss(terms)
