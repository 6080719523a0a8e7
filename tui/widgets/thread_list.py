"""The list of threads, drawn line by line: a hundred thousand rows cost what a screenful costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.events import Blur, Click, Focus
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.index import Summary
from core.listing import Row
from core.text import one_line
from tui.keys import pane_bindings
from tui.widgets.lines import Line, Span, cells, fit, spread

_VERDICTS: dict[str, Span] = {"accept": ("▲", "good"), "reject": ("▼", "bad"), "skip": ("▷", "dim")}
_STATUSES: dict[str, Span] = {"finished": ("●", "text"), "active": ("○", "text"), "max_turns_reached": ("◐", "warn")}
_ANSWERS: dict[bool | None, Span] = {True: ("✓", "good"), False: ("✗", "bad"), None: (" ", "dim")}


class ThreadList(ScrollView, can_focus=True):
    """Shows rows and says which one the cursor is on. What the rows are is decided elsewhere."""

    DEFAULT_CSS = """
    ThreadList { overflow-x: hidden; scrollbar-size-vertical: 1; }
    ThreadList > .list--dim { color: $text-muted; &:ansi { text-style: dim; } }
    ThreadList > .list--good { color: $text-success; }
    ThreadList > .list--bad { color: $text-error; }
    ThreadList > .list--warn { color: $text-warning; }
    ThreadList > .list--mark { color: $text-accent; text-style: bold; }
    ThreadList > .list--cursor { background: $surface-lighten-2; text-style: bold; }
    ThreadList:focus > .list--cursor { background: $primary-muted; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"list--{kind}" for kind in ("dim", "good", "bad", "warn", "mark", "cursor"))
    }
    BINDINGS: ClassVar[list[BindingType]] = [*pane_bindings()]

    @dataclass
    class Moved(Message):
        """The cursor is on another thread, or on none."""

        summary: Summary | None

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()
        self._places: dict[str, int] = {}
        self._cursor = 0
        self._told: Summary | None = None
        self.marked: set[str] = set()
        """Stems marked for an action on several."""
        self._in_progress: frozenset[str] = frozenset()
        self.empty = ""
        """What is said when there is no row."""

    @property
    def current(self) -> Summary | None:
        """The thread under the cursor."""
        return self._rows[self._cursor].summary if self._rows else None

    @property
    def rows(self) -> Sequence[Row]:
        """All rows, shown or scrolled away."""
        return self._rows

    def show(self, rows: Sequence[Row], stem: str | None = None) -> None:
        """Show other rows. The cursor goes to `stem`, or stays on its thread, or near where that was."""
        wanted = stem or (self.current.stem if self.current else None)
        offset = self._cursor - self.scroll_offset.y
        self._rows = rows
        self._places = {row.summary.stem: place for place, row in enumerate(rows)}
        place = self._places.get(wanted, self._cursor) if wanted else 0
        self._cursor = max(0, min(place, len(rows) - 1))
        self.virtual_size = Size(self.scrollable_content_region.width, len(rows))
        if stem is None and self._cursor != offset + self.scroll_offset.y:
            self.scroll_to(y=self._cursor - offset, animate=False, immediate=True, force=True)
        self._into_view()
        self.refresh()
        self._tell()

    def replace_row(self, summary: Summary) -> None:
        """Show a newer summary of a thread that keeps its place."""
        place = self._places.get(summary.stem)
        if place is None:
            return
        rows = self._rows if isinstance(self._rows, list) else list(self._rows)
        rows[place] = Row(summary, rows[place].depth)
        self._rows = rows
        self.refresh_line(place)
        if place == self._cursor:
            self._tell()

    def show_running(self, stems: frozenset[str]) -> None:
        """Mark the threads whose turns are running."""
        for stem in self._in_progress ^ stems:
            if (place := self._places.get(stem)) is not None:
                self.refresh_line(place)
        self._in_progress = stems

    def go_to(self, stem: str) -> bool:
        """Put the cursor on a thread; False when it is not among the rows."""
        place = self._places.get(stem)
        if place is not None:
            self._move(place)
        return place is not None

    def toggle_mark(self) -> None:
        """Mark the thread under the cursor or take its mark away, and go one down."""
        if (current := self.current) is not None:
            self.marked ^= {current.stem}
            self.refresh_line(self._cursor)
            self._move(self._cursor + 1)

    def unmark_all(self) -> None:
        """Take all marks away."""
        self.marked.clear()
        self.refresh()

    # Moves

    def action_move_down(self) -> None:
        """One down."""
        self._move(self._cursor + 1)

    def action_move_up(self) -> None:
        """One up."""
        self._move(self._cursor - 1)

    def action_move_first(self) -> None:
        """To the first row."""
        self._move(0)

    def action_move_last(self) -> None:
        """To the last row."""
        self._move(len(self._rows) - 1)

    def action_move_page_down(self) -> None:
        """A page down."""
        self._move(self._cursor + max(1, self.size.height - 1))

    def action_move_page_up(self) -> None:
        """A page up."""
        self._move(self._cursor - max(1, self.size.height - 1))

    def on_click(self, event: Click) -> None:
        """Put the cursor where the pointer is."""
        place = event.y + self.scroll_offset.y
        if place < len(self._rows):
            self._move(place)

    def on_focus(self, event: Focus) -> None:
        """Draw the cursor row as the one keys act on."""
        self.refresh_line(self._cursor)

    def on_blur(self, event: Blur) -> None:
        """Draw the cursor row as one that waits."""
        self.refresh_line(self._cursor)

    def _move(self, place: int) -> None:
        place = max(0, min(place, len(self._rows) - 1))
        if place == self._cursor or not self._rows:
            return
        before, self._cursor = self._cursor, place
        self.refresh_line(before)
        self.refresh_line(place)
        self._into_view()
        self._tell()

    def _into_view(self) -> None:
        page, top = max(1, self.size.height), self.scroll_offset.y
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True, force=True)
        elif self._cursor >= top + page:
            self.scroll_to(y=self._cursor - page + 1, animate=False, immediate=True, force=True)

    def _tell(self) -> None:
        if self.current != self._told:
            self._told = self.current
            self.post_message(self.Moved(self._told))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw one visible row."""
        width, base = self.scrollable_content_region.width, self.rich_style
        place = y + self.scroll_offset.y
        if place >= len(self._rows):
            text = one_line(self.empty) if not self._rows and y == 1 else ""
            style = base + self._style("dim")
            return Strip([Segment(f" {text}", style)]).crop_extend(0, width, base)
        at_cursor = place == self._cursor
        if at_cursor:
            base += self._style("cursor")
        line = self._line(self._rows[place], at_cursor, width)
        strip = Strip([Segment(text, base if kind == "text" else base + self._style(kind)) for text, kind in line])
        return strip.crop_extend(0, width, base)

    def _line(self, row: Row, at_cursor: bool, width: int) -> Line:
        one = row.summary
        marks: list[Span] = [("▸" if at_cursor else " ", "mark"), ("■" if one.stem in self.marked else " ", "mark")]
        if one.problem:
            sign: Span = ("◇", "warn") if one.shape == "v3" else ("!", "bad")
            reason = one.problem.removeprefix(f"{one.stem}.json")
            return fit((*marks, sign, (f" {one_line(one.stem, 40)}", "text"), (one_line(reason), "dim")), width)
        sign = ("▶", "mark") if one.stem in self._in_progress else _STATUSES.get(one.status, ("○", "text"))
        branch = f"{'  ' * min(row.depth - 1, 6)}└ " if row.depth else ""
        left: Line = (
            *marks, sign, _ANSWERS[one.correct], _VERDICTS.get(one.verdict, (" ", "dim")), (f" {branch}", "dim"),
            *_words(one),
        )  # fmt: skip
        right = _tail(one)
        return spread(left, right, width) if width - cells(left) > cells(right) else fit(left, width)

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"list--{kind}", partial=True)


def _words(one: Summary) -> Line:
    truth = one_line(one.truth, 40) or one_line(one.session, 40) or one_line(one.stem, 60)
    if not one.answer:
        return ((truth, "text"),)
    return ((truth, "text"), (" → ", "dim"), (one_line(one.answer, 40), "bad" if one.correct is False else "text"))


def _tail(one: Summary) -> Line:
    """What stands at the right where there is room: stale turns, the number of turns, the thread's own number."""
    stale: tuple[Span, ...] = ((f"≈{one.stale} ", "warn"),) if one.stale else ()
    number = one.stem.rpartition("_")[2]
    return (*stale, (f"{one.turns}t ", "dim"), (one_line(number, 8), "dim"))
