"""The list's side of the app: what is known of the folder, which of it shows, and in which order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from core.errors import SensorloomError
from core.filters.language import Filter, parse, select
from core.filters.values import FilterError
from core.listing import index
from core.listing.index import Changes
from core.listing.order import SORTS, Row, arrange
from core.listing.summary import summary_of
from core.storage.store import Stored
from core.text import one_line
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.widgets.pane import Pane
from tui.widgets.plain import Plain
from tui.widgets.thread_list import ThreadList

AT_ONCE = 2_000
"""Threads that are sorted and filtered right where the key is handled; more go to a worker."""
SCAN_REDRAW_SECONDS = 0.4
"""Between two redraws of the list while the folder is read for the first time."""
SCAN_REDRAW_PER_THREAD = 1e-4
"""Seconds more for each thread: sorting anew and anew must not slow the reading."""
TOLD_SECONDS = 0.3
"""Between two reports of how many files were looked into."""


class ThreadActions:
    """Owns what the list shows. Lives on the screen; its blocking work runs in the screen's workers."""

    @dataclass
    class Arranged(Message):
        """The rows are sorted and filtered; `version` tells whether they are still wanted."""

        rows: list[Row]
        places: dict[str, int]
        """The place of each stem among them."""
        texts: frozenset[str] | None
        """Stems of the threads in which the filter's texts were found; None when it has none."""
        version: int

    def __init__(self, screen: Screen[None], workspace: Workspace, listed: ThreadList, line: Input) -> None:
        self._screen = screen
        self._workspace = workspace
        self._list = listed
        self._line = line
        self.known: dict[str, Summary] = {}
        self.scanned = False
        """Whether the whole folder has been looked at."""
        self.sort = "newest"
        self.filter = Filter("")
        self._texts: frozenset[str] | None = None
        self._parents: dict[str, str] = {}
        self._wanted: str | None = None
        self._saved = ""
        """The stem of the thread that was saved here last."""
        self._version = 0
        self.looking = False
        """Whether files are being looked into for the filter."""
        self._looked = (0, 0)
        """How many of them were, and of how many."""
        self._telling = screen.set_interval(TOLD_SECONDS, self.retitle, pause=True)
        self._drawn_at = 0.0

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the list's actions does."""
        return {
            "list.filter": self.begin_filter,
            "list.sort": self.next_sort,
            "list.mark": self._mark,
            "list.unmark": self.unmark,
        }

    # What the folder holds

    def load(self, summaries: tuple[Summary, ...]) -> None:
        """Take what the cache remembered."""
        self.known = {one.stem: one for one in summaries}
        self._parents = {one.stem: one.parent for one in summaries if one.parent}
        if summaries:
            self.arrange()

    def take(self, changes: Changes, scanned: bool) -> None:
        """Take what appeared, changed or went."""
        before = {one.stem: self.known.get(one.stem) for one in changes.found}
        self._parents |= {one.stem: one.parent for one in changes.found if one.parent}
        first = scanned and not self.scanned
        self.scanned = self.scanned or scanned
        if not index.apply(self.known, changes):
            if first:
                self._list.empty = self._why_empty()
                self._list.refresh()
                self.retitle()
            return
        for stem in changes.gone:
            self._list.marked.discard(stem)
        if self._saved in changes.gone and self.current is not None and self.current.stem == self._saved:
            # the report may be older than the saving; then another follows, and the cursor goes back
            self._wanted = self._saved
        if not first and not changes.gone and all(map(self._keeps_place, changes.found, before.values())):
            for one in changes.found:
                self._list.replace_row(one)
        elif self.scanned or time.monotonic() - self._drawn_at > (
            SCAN_REDRAW_SECONDS + SCAN_REDRAW_PER_THREAD * len(self.known)
        ):
            self.arrange(None if first else {one.stem for one in changes.found})

    def is_related(self, stem: str) -> bool:
        """Whether a thread is a branch, or has some; true of one that was, too."""
        return stem in self._parents or stem in self._parents.values()

    def saved(self, stored: Stored) -> None:
        """Take a thread that was saved here, before the folder reports it."""
        self._saved = stored.stem
        old = self.known.get(stored.stem)
        size, mtime_ns = (old.size, old.mtime_ns) if old else (0, 0)
        self.take(Changes((summary_of(stored.thread, stored.stem, size, mtime_ns),)), self.scanned)

    def go_to(self, stem: str) -> None:
        """Put the cursor on a thread, as soon as it is in the list. A filter that hides it is taken off."""
        if self._list.go_to(stem):
            return
        self._wanted = stem
        one = self.known.get(stem)
        if one is not None and not self.filter.slow and not self.filter.on_summary(one):
            self._line.value = ""
        self.arrange({stem})

    def arrange(self, changed: set[str] | None = None) -> None:
        """Sort and filter what is known, and show it; in a worker where there is much.

        With `changed`, only these threads are looked through again for the filter's texts.
        """
        self._version += 1
        self._drawn_at = time.monotonic()
        work = partial(self._arranged, self._version, self.filter, self.sort, list(self.known.values()), changed)
        if len(self.known) <= AT_ONCE and not self.filter.slow:
            if (arranged := work()) is not None:
                self.show(arranged)
        else:
            self.looking, self._looked = self.filter.slow, (0, 0)
            self.retitle()
            if self.looking:
                self._telling.resume()
            self._screen.run_worker(partial(self._post, work), thread=True, exclusive=True, group="arrange")

    def _post(self, work: Callable[[], Arranged | None]) -> None:
        if (arranged := work()) is not None:
            self._screen.post_message(arranged)

    def _arranged(
        self, version: int, wanted: Filter, sort: str, every: list[Summary], changed: set[str] | None
    ) -> Arranged | None:
        """The rows; None when others are wanted by now. Runs on any thread."""

        def cancelled() -> bool:
            return version != self._version or not self._screen.is_running

        found: frozenset[str] | None = None
        if not wanted.prepare(every, partial(self._count, version), cancelled):
            return None
        if wanted.needs_file:
            again = changed if changed is not None and self._texts is not None else None
            looked = every if again is None else [one for one in every if one.stem in again]
            chosen = select(self._workspace.threads, looked, wanted, cancelled)
            fresh = frozenset(one.stem for one in chosen)
            found = fresh if again is None else ((self._texts or frozenset()) - again) | fresh
        if cancelled():
            return None
        texts = found

        def keep(one: Summary) -> bool:
            return wanted.on_summary(one) and (texts is None or one.stem in texts)

        rows = arrange(every, sort, keep if wanted.conditions else None)
        return self.Arranged(rows, {row.summary.stem: place for place, row in enumerate(rows)}, found, version)

    def _count(self, version: int, done: int, total: int) -> None:
        if version == self._version:
            self._looked = done, total

    def show(self, arranged: Arranged) -> None:
        """Show rows that were arranged, unless others are on their way."""
        if arranged.version != self._version:
            return
        self._texts = arranged.texts
        self.looking = False
        self._telling.pause()
        wanted = self._wanted if self._wanted in arranged.places else None
        if wanted:
            self._wanted = None
        self._list.empty = self._why_empty()
        self._list.show(arranged.rows, arranged.places, wanted)
        self.retitle()

    def retitle(self) -> None:
        """Put the counts into the pane's title."""
        shown, every = len(self._list.rows), len(self.known)
        count = f"{shown:,} of {every:,}" if self.filter.conditions else f"{every:,}"
        marked = f" · {len(self._list.marked)} marked" if self._list.marked else ""
        done, total = self._looked
        far = f" {done:,} of {total:,}" if total else ""
        reading = f" · looking{far} …" if self.looking else "" if self.scanned else " · reading …"
        self._pane.retitle(f"threads {count}{reading}{marked} · {SORTS[self.sort].label}")

    @property
    def _pane(self) -> Pane:
        return self._screen.query_one("#threads-pane", Pane)

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
        """Show only what matches, as it is typed. A filter that cannot be read leaves the rows as they are."""
        wanted = self._read(text.strip())
        if wanted is not None and wanted.text != self.filter.text:
            self.filter = wanted
            self.arrange()

    def _read(self, text: str) -> Filter | None:
        """A filter; None when it cannot be read, and then the line says why."""
        try:
            wanted = parse(text, self._workspace)
        except SensorloomError as error:
            said = error.sentence if isinstance(error, FilterError) else str(error)
            self._problem(said.replace(f"{self._workspace.root}/", ""))
            return None
        self._problem("")
        return wanted

    def _problem(self, text: str) -> None:
        line = self._screen.query_one("#filter-problem", Plain)
        line.show(one_line(text, 200))
        line.display = bool(text)

    @property
    def current(self) -> Summary | None:
        """The thread under the cursor."""
        return self._list.current

    @property
    def shown(self) -> list[Summary]:
        """The threads that the list shows, in its order."""
        return [row.summary for row in self._list.rows]

    def filter_again(self) -> None:
        """Threads have left: what a filter knows of that is no longer so."""
        if self.filter.conditions and (wanted := self._read(self.filter.text)) is not None:
            self.filter = wanted
            self.arrange()

    def use_filter(self, text: str) -> None:
        """Put a filter into the line, which shows it."""
        self._line.value = text

    def next_sort(self) -> None:
        """Sort by the next column."""
        names = list(SORTS)
        self.sort = names[(names.index(self.sort) + 1) % len(names)]
        self.arrange(set())

    def unmark(self) -> None:
        """Take all marks away."""
        self._list.unmark_all()
        self.retitle()

    def _mark(self) -> None:
        self._list.toggle_mark()
        self.retitle()

    def _keeps_place(self, one: Summary, before: Summary | None) -> bool:
        """Whether a newer summary keeps its row: same order, same parent, shown as before."""
        if before is None or one.parent != before.parent or self.filter.slow:
            return False
        key = SORTS[self.sort].key
        return key(one) == key(before) and self.filter.on_summary(one) == self.filter.on_summary(before)

    def _why_empty(self) -> str:
        if self.filter.conditions and self.known:
            return "nothing matches the filter; / changes it"
        return "no threads yet; n makes one" if self.scanned else "reading …"
