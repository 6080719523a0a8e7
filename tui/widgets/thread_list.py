"""The list of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from core.listing.order import NO_ROWS, Rows
from core.storage.thread_files import file_name
from core.text import one_line
from core.thread.review import truth_hidden
from tui.widgets.lines import Line, Span, cells, fit, spread
from tui.widgets.row_list import RowList
from tui.widgets.short_labels import LEAST, both, shortened

if TYPE_CHECKING:
    from core.listing.row_status import Standing
    from core.listing.similar import Likeness
    from core.thread.summary import Summary

Extent = Literal["row", "range", "all"]
"""What is marked: the row under the cursor, all from the last marked one to it, or all rows that are shown."""
VERDICTS: dict[str, Span] = {"accept": ("▲", "good"), "reject": ("▼", "bad"), "skip": ("▷", "dim")}
STATUSES: dict[str, Span] = {"finished": ("●", "text"), "active": ("○", "text"), "max_turns_reached": ("◐", "warn")}
ANSWERS: dict[bool | None, Span] = {True: ("✓", "good"), False: ("✗", "bad"), None: (" ", "dim")}
"""The signs of a verdict, of how far a thread is, and of whether its answer is right."""
_EXPORTED: dict[str, Span] = {"never": (" ", "dim"), "exported": ("↑", "dim"), "changed": ("↕", "warn")}

LEGEND = (
    "● finished  ○ active  ◐ turn limit reached  ▶ running  ◆ a proposal waits  ! not readable  ◇ older v3 thread  "
    '✓ right  ✗ wrong  ▲ accepted  ▼ rejected  ▷ skipped  " a note or reasons  # tags  ■ marked  '
    "└ branch  ≈2 two stale messages  "
    "! after them: the checks find something  ↑ exported  ↕ changed since it was exported"
)
"""What the signs of a row mean, for the help screen."""


LEAST_REMARKS = 8
"""Columns from which a row tells its reasons, tags and note, beside the signs that say there are some."""


class ThreadList(RowList):
    """Shows rows and says which one the cursor is on. What the rows are is decided elsewhere."""

    @dataclass
    class Moved(Message):
        """The cursor is on another thread, or on none."""

        summary: Summary | None

    class Turned(Message):
        """Other rows can be seen than before."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.standing: Callable[[Summary], Standing | None] = lambda _summary: None
        """How a thread stands, where that is known."""
        self.blind = False
        """Whether the truth, and whether an answer is right, are hidden until a thread has its verdict."""
        self.rows = NO_ROWS
        """All rows, shown or scrolled away."""
        self.marked: set[str] = set()
        """Stems marked for an action on several."""
        self.labels: frozenset[str] = frozenset()
        """All truths that are known: a label that has to be shortened stays unlike every other one."""
        self.aside: Mapping[str, str] = {}
        """Threads whose rows stay though they are none of those that were asked for, each with why, by their stems."""
        self.likeness: Mapping[str, Likeness] = {}
        """How much each thread is like one that similar ones are listed of, by stem."""
        self._told = ""
        self._last_marked = ""
        self._in_progress: frozenset[str] = frozenset()
        self._waiting: frozenset[str] = frozenset()

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def current(self) -> Summary | None:
        """The thread under the cursor."""
        return self.rows[self.cursor].summary if self.rows else None

    def marked_rows(self) -> list[str]:
        """Stems of the marked threads that have a row, sorted."""
        return sorted(stem for stem in self.marked if self.has_row(stem))

    def show(self, rows: Rows, stem: str | None = None, aside: Mapping[str, str] | None = None) -> None:
        """Show other rows; `aside` says why some are greyed.

        The cursor goes to `stem`, or stays on its thread, or near where that was.
        """
        self.aside = aside or {}
        wanted = stem or (self.current.stem if self.current else "")
        offset = self.cursor - self.scroll_offset.y
        self.rows = rows
        index = rows.index_of(wanted)
        self.cursor = self.cursor if index is None else index
        self.rows_changed(offset if stem is None else None)
        self.moved()
        self.post_message(self.Turned())

    def renew(self, stems: Iterable[str]) -> None:
        """Of these threads something else is known, and they keep their places."""
        self.redraw(stems)
        self.post_message(self.Turned())

    def redraw(self, stems: Iterable[str]) -> None:
        """Draw the rows of these threads again."""
        for stem in stems:
            if (index := self.rows.index_of(stem)) is not None:
                self.refresh_line(index)

    def on_screen(self) -> list[Summary]:
        """The threads whose rows can be seen."""
        top = int(self.scroll_offset.y)
        return [row.summary for row in self.rows[top : top + self.size.height]]

    def show_blind(self, blind: bool) -> None:
        """Hide the truth, or show it."""
        if blind != self.blind:
            self.blind = blind
            self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say that other rows can be seen."""
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Turned())

    def show_under_way(self, running: frozenset[str], waiting: frozenset[str]) -> None:
        """Mark the threads whose turns are running, and those in which a proposal waits."""
        changed = (self._in_progress ^ running) | (self._waiting ^ waiting)
        self._in_progress, self._waiting = running, waiting
        self.redraw(changed)

    def has_row(self, stem: str) -> bool:
        """Whether a thread is among the rows."""
        return self.rows.index_of(stem) is not None

    def go_to(self, stem: str) -> bool:
        """Put the cursor on a thread; False when it is not among the rows."""
        index = self.rows.index_of(stem)
        if index is not None:
            self.move_to(index)
        return index is not None

    def toggle_mark(self) -> None:
        """Mark the thread under the cursor or take its mark away, and go one down."""
        if (current := self.current) is not None:
            self.marked ^= {current.stem}
            self._last_marked = current.stem
            self.refresh_line(self.cursor)
            self.move_to(self.cursor + 1)

    def mark_range(self) -> None:
        """Mark all from the last marked thread to the one under the cursor; that one alone where none was marked."""
        if (current := self.current) is not None:
            start = self.rows.index_of(self._last_marked)
            first, last = sorted((self.cursor if start is None else start, self.cursor))
            self.marked |= {row.summary.stem for row in self.rows[first : last + 1]} - self.aside.keys()
            self._last_marked = current.stem
            self.refresh()

    def mark_all(self) -> None:
        """Mark all threads that are shown; take their marks away where all have one."""
        shown = {row.summary.stem for row in self.rows} - self.aside.keys()
        self.marked = self.marked - shown if shown <= self.marked else self.marked | shown
        self.refresh()

    def unmark(self, stems: Iterable[str] | None = None) -> None:
        """Take the marks of these threads away, or all."""
        self.marked -= set(self.marked if stems is None else stems)
        self.refresh()

    def moved(self) -> None:
        """Say so, once for each thread the cursor comes to."""
        stem = self.current.stem if self.current else ""
        if stem != self._told:
            self._told = stem
            self.post_message(self.Moved(self.current))

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """Signs, then the label and an answer that differs from it, then turns and number where there is room."""
        row = self.rows[index]
        summary = row.summary
        marks: list[Span] = [("▸" if at_cursor else " ", "mark"), ("■" if summary.stem in self.marked else " ", "mark")]
        if summary.problem:
            sign: Span = ("◇", "warn") if summary.shape == "v3" else ("!", "bad")
            reason = one_line(summary.problem.removeprefix(file_name(summary.stem)), 120)
            return fit((*marks, sign, (f"     {one_line(summary.stem, 24)}", "text"), (reason, "dim")), width)
        sign = self._sign(summary)
        branch = f"{'  ' * min(row.depth - 1, 6)}└ " if row.depth else ""
        verdict = VERDICTS.get(summary.verdict, (" ", "dim"))
        hidden = truth_hidden(summary.verdict, blind=self.blind)
        answer = ANSWERS[None if hidden else summary.correct]
        signs: Line = (sign, answer, verdict, *_standing(self.standing(summary)))
        if why := self.aside.get(summary.stem):  # first, so that it is never cut off
            words = _words(summary, hidden, width, self.labels)
            grey: list[Span] = [(text, "dim") for text, _ in (*signs, (f" {why}: ", ""), *words)]
            return fit((*marks, *grey), width)
        if likeness := self.likeness.get(summary.stem):
            signs = (*signs, (f" {likeness.score:.0%}", "dim"))
        before: Line = (*marks, *signs, (f" {branch}", "dim"))
        left, right = before, ()
        for right in _tails(summary):
            left: Line = (*before, *_words(summary, hidden, width - cells(before) - cells(right) - 1, self.labels))
            if width - cells(left) > cells(right):
                break
        remarks = _remarks(summary, width - cells(left) - cells(right) - 2)
        return spread((*left, *remarks), right, width)

    def _sign(self, summary: Summary) -> Span:
        if summary.stem in self._in_progress:
            return "▶", "mark"
        if summary.stem in self._waiting:
            return "◆", "mark"
        return STATUSES.get(summary.status, ("○", "text"))


def _remarks(summary: Summary, room: int) -> Line:
    """Reasons, tags and the beginning of the note, cut to `room` columns; nothing where there is hardly any."""
    spans: list[Span] = []
    if summary.reasons:
        spans.append((f"  {one_line(', '.join(summary.reasons), 60)}", "dim"))
    spans.extend((f"  #{one_line(tag, 24)}", "mark") for tag in summary.tags)
    if summary.note:
        spans.append((f'  "{one_line(summary.note, 80)}"', "dim"))
    return fit(spans, room) if room >= LEAST_REMARKS else ()


def _words(summary: Summary, hidden: bool, room: int, labels: frozenset[str]) -> Line:
    """The label, and an answer that differs from it, in `room` columns where they can be shortened so far."""
    session = one_line(summary.session, 40) or one_line(summary.stem, 60)
    truth = session if hidden else one_line(summary.truth, 40) or session
    if not summary.answer or (summary.correct and not hidden):  # a right answer is the label; its ✓ says so
        return ((shortened(truth, max(LEAST, room), labels), "text"),)
    wrong = summary.correct is False and not hidden
    answer = one_line(summary.answer, 40)
    arrow = " → " if cells(((f"{truth} → {answer}", "text"),)) <= room else "→"
    truth, answer = both(truth, answer, max(2 * LEAST, room - len(arrow)), labels)
    return ((truth, "text"), (arrow, "dim"), (answer, "bad" if wrong else "text"))


def _standing(standing: Standing | None) -> tuple[Span, Span]:
    """Whether it has left, and whether the checks find something: a column each, so that neither is ever cut off."""
    if standing is None:
        return _EXPORTED["never"], (" ", "dim")
    return _EXPORTED[standing.exported], ("!", "warn") if standing.findings else (" ", "dim")


def _tails(summary: Summary) -> Iterator[Line]:
    """What stands at the right of a row, the first that fits is taken: stale turns, what was said, how many
    turns it has, its number. The signs that something was said fit where nothing else does."""
    number: Span = (one_line(summary.stem.rpartition("_")[2], 8), "dim")
    turns: Line = (*_signs(summary), (f"{summary.turns}t ", "dim"), number)
    yield ((f"≈{summary.stale} ", "warn"), *turns) if summary.stale else turns
    yield turns
    yield (*_signs(summary), number)
    yield _signs(summary)


def _signs(summary: Summary) -> Line:
    """That it has a note or reasons, and that it has tags; nothing where it has neither."""
    why = '"' if summary.note or summary.reasons else ""
    signs = f"{why}{'#' if summary.tags else ''}"
    return ((f"{signs} ", "mark"),) if signs else ()
