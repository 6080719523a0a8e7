"""Browsing the sessions of a dataset: what each looks like, and a line that filters them.

Sparklines are drawn in a worker as rows come into sight, all on one scale: what rests looks like rest.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from rich.cells import cell_len
from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input
from textual.worker import get_current_worker

from core.datasets.session_filter import TERMS, SessionFacts, labels_in, lengths, session_facts, session_filter
from core.datasets.sparkline import bars, main_signal
from core.errors import SensorloomError, UsageError
from core.text import counted, one_line
from tui.local_keys import keys_of, local_bindings
from tui.widgets.line_field import LineField
from tui.widgets.lines import Line, Span, fit
from tui.widgets.plain import Plain
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset

Scale = tuple[float, float]
SCALE_SESSIONS = 12
"""So many sessions, spread over the dataset, tell the scale of all sparklines."""
REMEMBERED_LINES = 4096
LEAST_BARS = 8


class SessionField(LineField):
    """The line in which sessions are looked for."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("session_field")]

    def action_clear(self) -> None:
        """Take the filter away, and go back to the list."""
        self.value = ""
        self.screen.query_one(SessionList).focus()


class SessionList(RowList):
    """The sessions that the filter lets through: name, label, subject, length, threads about it, and a sparkline."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("sessions")]

    @dataclass
    class Picked(Message):
        """The cursor is on another session."""

    def __init__(self) -> None:
        super().__init__(id="sessions")
        self.rows: Sequence[SessionFacts] = ()
        self.blind = False
        self._dataset: StandardDataset | None = None
        self._scale: Scale | None = None
        self._lines: OrderedDict[tuple[str, int], str] = OrderedDict()
        """By session and columns."""
        self._wanted: dict[str, int] = {}
        """Sessions in sight without a sparkline, with its columns."""
        self._widths = (0, 0, 0)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.rows)

    @property
    def chosen(self) -> str | None:
        """The session under the cursor."""
        return self.rows[self.cursor].session if self.rows else None

    def put(self, dataset: StandardDataset | None, rows: Sequence[SessionFacts], *, blind: bool) -> None:
        """Show other sessions; the cursor stays on its own where that is among them."""
        at, same = self.chosen, dataset is self._dataset
        if not same:
            self._lines.clear()
            self._scale = None
        self._dataset, self.rows, self.blind = dataset, rows, blind
        self._widths = _widths(rows, blind=blind)
        self.cursor = next((number for number, row in enumerate(rows) if row.session == at), 0) if same else 0
        self.rows_changed()
        if self.chosen != at:
            self.moved()

    def draw_one(self) -> None:
        """Go to a session at random, to one that no thread is about where there is any."""
        fresh = [number for number, row in enumerate(self.rows) if not row.threads]
        if self.rows:
            self.move_to(random.choice(fresh or range(len(self.rows))))

    def moved(self) -> None:
        """Say so."""
        self.post_message(self.Picked())

    def action_filter(self) -> None:
        """To the line that filters."""
        self.screen.query_one(SessionField).focus()

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """One session."""
        facts = self.rows[index]
        left = session_line(facts, self._widths, at_cursor, blind=self.blind)
        room = width - sum(cell_len(text) for text, _ in left) - 1
        if room < LEAST_BARS or self._dataset is None:
            return fit(left, width)
        drawn = self._lines.get((facts.session, room))
        if drawn is None:
            if not self._wanted:
                self.call_later(self._draw_wanted)
            self._wanted[facts.session] = room
        return (*fit(left, width - room - 1), (" ", "text"), (drawn or "", "good"))

    def _draw_wanted(self) -> None:
        wanted, self._wanted = self._wanted, {}
        if wanted and self._dataset is not None:
            work = partial(self._draw, self._dataset, wanted, self._scale)
            self.run_worker(work, thread=True, exclusive=True, group="sparklines")

    def _draw(self, dataset: StandardDataset, wanted: Mapping[str, int], scale: Scale | None) -> None:
        worker = get_current_worker()
        scale = scale or scale_of(dataset)
        for session, width in wanted.items():
            if worker.is_cancelled:
                self.call_later(self.refresh)  # those that are in sight still ask again
                return
            self.call_later(self._drawn, dataset, session, width, sparkline(dataset, session, scale, width), scale)

    def _drawn(self, dataset: StandardDataset, session: str, width: int, line: str, scale: Scale) -> None:
        if dataset is not self._dataset:
            return
        self._scale = scale
        self._lines[session, width] = line
        while len(self._lines) > REMEMBERED_LINES:
            self._lines.popitem(last=False)
        top = self.scroll_offset.y
        for index in range(top, min(top + self.size.height, self.count)):
            if self.rows[index].session == session:
                self.refresh_line(index)


class SessionChoice(Vertical):
    """The list of sessions under the line that filters it."""

    DEFAULT_CSS = """
    SessionChoice { height: 1fr; }
    SessionChoice #session-line { height: 1; layout: horizontal; }
    SessionChoice SessionField { width: 1fr; height: 1; background: $surface; border: none; padding: 0 1; }
    SessionChoice #session-count { width: auto; color: $text-muted; padding: 0 0 0 2; }
    """

    listed = getters.query_one(SessionList)
    field = getters.query_one(SessionField)

    def __init__(self) -> None:
        super().__init__(id="choice")
        self._dataset: StandardDataset | None = None
        self._every: list[SessionFacts] = []
        self._labels = frozenset[str]()
        self._blind = False

    def compose(self) -> ComposeResult:
        """The line, how many it lets through, and the list."""
        with Vertical(id="session-line"):
            yield SessionField(placeholder="", id="session-field")
            yield Plain(id="session-count")
        yield SessionList()

    def on_mount(self) -> None:
        """Say what the line takes."""
        key = keys_of(self)["sessions.filter"]
        self.field.placeholder = f"{key} filter: {'' if self._blind else 'label:…  '}{TERMS.partition('  ')[2]}"

    def show(self, dataset: StandardDataset | None, threads: Mapping[tuple[str, str], int], *, blind: bool) -> None:
        """Show the sessions of a dataset; `threads` says how many there are about each."""
        self._dataset, self._blind, self._every = dataset, blind, []
        if dataset is not None:
            self._every = session_facts(dataset, dataset.sessions, threads)
            self._labels = labels_in(facts.labels for facts in self._every)
            self.run_worker(partial(self._measure, dataset), thread=True, exclusive=True, group="lengths")
        self._filter()

    def _measure(self, dataset: StandardDataset) -> None:
        """How long each session is."""
        try:
            self.call_later(self._measured, dataset, lengths(dataset))
        except SensorloomError:
            return  # what is wrong with a session is said where one is chosen

    def _measured(self, dataset: StandardDataset, seconds: Mapping[str, float]) -> None:
        if dataset is self._dataset:
            self._every = [replace(facts, seconds=seconds.get(facts.session)) for facts in self._every]
            self._filter()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter with every letter."""
        self._filter()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the list."""
        self.listed.focus()

    def _filter(self) -> None:
        try:
            holds = session_filter(self.field.value, self._labels, blind=self._blind)
        except UsageError as error:
            self.query_one("#session-count", Plain).show(one_line(str(error), 76))
            return
        rows = [facts for facts in self._every if holds(facts)]
        self.listed.put(self._dataset, rows, blind=self._blind)
        every = len(self._every)
        told = counted(every, "session") if len(rows) == every else f"{len(rows):,} of {every:,}"
        self.query_one("#session-count", Plain).show(told if self._every else "")
        if self._every and not rows:
            self.listed.empty = "no session is like that"


def session_line(facts: SessionFacts, widths: tuple[int, int, int], at_cursor: bool, *, blind: bool) -> Line:
    """What is known of a session, in columns: its name, label, subject, length, and the threads about it."""
    name, label, subject = (
        (one_line(text, 60), width)
        for text, width in zip((facts.session, ", ".join(facts.labels), facts.subject), widths, strict=True)
    )
    spans: list[Span] = [("▸ " if at_cursor else "  ", "mark"), (_padded(*name), "text")]
    if not blind and label[1]:
        spans.append(("  " + _padded(*label), "dim"))
    if subject[1]:
        spans.append(("  " + _padded(*subject), "dim"))
    spans.append((f"{'' if facts.seconds is None else _long(facts.seconds):>8}", "dim"))
    spans.append((f" ·{facts.threads}"[:3].ljust(3) if facts.threads else "   ", "mark"))
    return tuple(spans)


def _widths(rows: Sequence[SessionFacts], *, blind: bool) -> tuple[int, int, int]:
    """Columns for names, labels and subjects; none for subjects that each name begins with."""
    names = max((cell_len(one_line(row.session, 60)) for row in rows), default=0)
    labels = 0 if blind else max((cell_len(one_line(", ".join(row.labels), 60)) for row in rows), default=0)
    told = all(row.session.startswith(row.subject) for row in rows)
    subjects = 0 if told else max((cell_len(one_line(row.subject, 60)) for row in rows), default=0)
    return min(names, 28), min(labels, 20), min(subjects, 10)


def _padded(text: str, width: int) -> str:
    """Text in exactly so many columns."""
    cut = "".join(piece for piece, _ in fit([(text, "text")], width))
    return cut + " " * (width - cell_len(cut))


def _long(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def scale_of(dataset: StandardDataset) -> Scale:
    """The scale of a dataset's sparklines: what nearly all samples of a few sessions from all over it lie in."""
    every = dataset.sessions
    some = [every[at] for at in np.linspace(0, len(every) - 1, min(SCALE_SESSIONS, len(every))).astype(int)]
    parts: list[np.ndarray] = []
    for session in some:
        try:
            signal = main_signal(dataset.load(session))
        except SensorloomError:
            continue
        parts.append(signal[np.isfinite(signal)])
    values = np.concatenate([np.zeros(0), *parts])
    low, high = np.percentile(values, (1, 99)).tolist() if values.size else (0.0, 0.0)
    return low, high


def sparkline(dataset: StandardDataset, session: str, scale: Scale, width: int) -> str:
    """A session's sparkline, or a word where it cannot be drawn."""
    try:
        window = dataset.load(session)
    except SensorloomError:
        return "cannot be read"[:width]
    return bars(window.time_sec, main_signal(window), scale, width) if window.time_sec.size else "empty"
