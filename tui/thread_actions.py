"""The list's side of the app: what is known of the folder, which of it shows, and the keys that act on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from core import index
from core.index import Changes, Summary
from core.listing import SORTS, Row, arrange
from core.store import Stored
from core.text import one_line
from tui.widgets.thread_list import ThreadList

AT_ONCE = 2_000
"""Threads that are sorted and filtered right where the key is handled; more go to a worker."""
SCAN_REDRAW_SECONDS = 0.4
"""Between two redraws of the list while the folder is read for the first time."""


class ThreadActions:
    """Owns what the list shows. Lives on the screen; its blocking work runs in the screen's workers."""

    @dataclass
    class Arranged(Message):
        """The rows are sorted and filtered; `version` tells whether they are still wanted."""

        rows: list[Row]
        version: int

    def __init__(self, screen: Screen[None], listed: ThreadList, line: Input) -> None:
        self._screen = screen
        self._list = listed
        self._line = line
        self.known: dict[str, Summary] = {}
        self.sort = "newest"
        self.filter = ""
        self.scanned = False
        """Whether the whole folder has been looked at."""
        self._wanted: str | None = None
        self._version = 0
        self._drawn_at = 0.0

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the list's actions does."""
        return {
            "list.filter": self.begin_filter,
            "list.sort": self.next_sort,
            "list.mark": self._list.toggle_mark,
            "list.unmark": self._list.unmark_all,
        }

    # What the folder holds

    def load(self, summaries: tuple[Summary, ...]) -> None:
        """Take what the cache remembered."""
        self.known = {one.stem: one for one in summaries}
        if summaries:
            self.arrange()

    def take(self, changes: Changes, scanned: bool) -> None:
        """Take what appeared, changed or went."""
        before = {one.stem: self.known.get(one.stem) for one in changes.found}
        first = scanned and not self.scanned
        self.scanned = self.scanned or scanned
        if not index.apply(self.known, changes) and not first:
            return
        if not changes.gone and self.scanned and not first and all(map(self._in_place, changes.found, before.values())):
            for one in changes.found:
                self._list.replace_row(one)
            self.retitle()
        elif self.scanned or time.monotonic() - self._drawn_at > SCAN_REDRAW_SECONDS:
            self.arrange()

    def saved(self, stored: Stored) -> None:
        """Take a thread that was saved here, before the folder reports it."""
        old = self.known.get(stored.stem)
        size, mtime_ns = (old.size, old.mtime_ns) if old else (0, 0)
        self.take(Changes((index.summary_of(stored.thread, stored.stem, size, mtime_ns),)), self.scanned)

    def go_to(self, stem: str) -> None:
        """Put the cursor on a thread, as soon as it is in the list."""
        if not self._list.go_to(stem):
            self._wanted = stem
            self.arrange()

    def arrange(self) -> None:
        """Sort and filter what is known, and show it; in a worker where there is much."""
        self._version += 1
        self._drawn_at = time.monotonic()
        version, sort, keep, every = self._version, self.sort, self._keep(), list(self.known.values())
        if len(every) <= AT_ONCE:
            self.show(self.Arranged(arrange(every, sort, keep), version))
            return

        def work() -> None:
            self._screen.post_message(self.Arranged(arrange(every, sort, keep), version))

        self._screen.run_worker(work, thread=True, exclusive=True, group="arrange")

    def show(self, arranged: Arranged) -> None:
        """Show rows that were arranged, unless others are on their way."""
        if arranged.version != self._version:
            return
        wanted = self._wanted if any(row.summary.stem == self._wanted for row in arranged.rows) else None
        if wanted:
            self._wanted = None
        self._list.empty = self._why_empty()
        self._list.show(arranged.rows, wanted)
        self.retitle()

    def retitle(self) -> None:
        """Put the counts into the pane's title."""
        shown, every = len(self._list.rows), len(self.known)
        count = f"{shown:,} of {every:,}" if self.filter else f"{every:,}"
        marked = f" · {len(self._list.marked)} marked" if self._list.marked else ""
        reading = "" if self.scanned else " · reading …"
        pane = self._list.parent
        if pane is not None and hasattr(pane, "border_title"):
            pane.border_title = Content(f"threads {count} · {SORTS[self.sort].label}{marked}{reading}")  # pyright: ignore[reportAttributeAccessIssue] - Content is taken as it is, a string would be markup

    # Keys

    def begin_filter(self) -> None:
        """Go to the filter line."""
        self._line.can_focus = True
        self._line.focus()

    def end_filter(self) -> None:
        """Back to the list, keeping the filter."""
        self._list.focus()
        self._line.can_focus = False

    def set_filter(self, text: str) -> None:
        """Show only what matches, as it is typed."""
        self.filter = text.strip()
        self.arrange()

    def next_sort(self) -> None:
        """Sort by the next column."""
        names = list(SORTS)
        self.sort = names[(names.index(self.sort) + 1) % len(names)]
        self.arrange()

    def _keep(self) -> Callable[[Summary], bool] | None:
        words = self.filter.casefold().split()
        if not words:
            return None

        def keep(one: Summary) -> bool:
            text = f"{one.stem} {one.truth} {one.answer} {one.query} {one.status} {one.verdict}".casefold()
            return all(word in text for word in words)

        return keep

    def _in_place(self, one: Summary, before: Summary | None) -> bool:
        """Whether a newer summary keeps its row: same order, same parent, still shown."""
        if before is None or one.parent != before.parent:
            return False
        key, keep = SORTS[self.sort].key, self._keep()
        return key(one) == key(before) and (keep is None or keep(one) == keep(before))

    def _why_empty(self) -> str:
        if self.filter and self.known:
            return f"nothing matches {one_line(self.filter, 40)}"
        return "no threads yet: n makes one" if self.scanned else "reading …"
