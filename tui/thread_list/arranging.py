"""Which threads the list shows, and in which order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial

from textual.screen import Screen

from core.filters.language import Filter
from core.listing.index import Changes
from core.listing.index_cache import PAGE
from core.listing.order import SORTS, Row, Rows
from core.listing.summaries import Summaries
from core.storage.store import Stored
from core.thread.summary import Summary, summary_of
from core.workspace import Workspace
from tui.local_keys import keys_of
from tui.thread_list.arranged import Arranged, Asked, LastOrder, Order, arranged
from tui.thread_list.known_folder import KnownFolder
from tui.thread_list.staying import Staying
from tui.widgets.pane import Pane
from tui.widgets.thread_list import Extent, ThreadList

BEGINS_AS = "newest"
"""The order in which the list begins."""
AT_ONCE = 2_000
"""Threads that are sorted and filtered right where the key is handled; more go to a worker."""
SCAN_REDRAW_SECONDS = 0.4
"""Between two redraws of the list while the folder is read for the first time."""
SCAN_REDRAW_PER_THREAD = 1e-4
"""Seconds more for each thread: sorting anew and anew must not slow the reading."""
TOLD_SECONDS = 0.3
"""Between two reports of how many files were looked into."""


class Arranging:
    """Owns the rows of the list. Lives on the screen; its blocking work runs in the screen's workers."""

    def __init__(
        self,
        screen: Screen[None],
        workspace: Workspace,
        folder: KnownFolder,
        listed: ThreadList,
        pane: Pane,
        staying: Staying,
    ) -> None:
        """Arranges the list.

        Args:
            screen: in whose workers it works.
            workspace: where the threads are.
            folder: what is known of them.
            listed: shows the rows.
            pane: the list's frame, whose title counts.
            staying: says which rows stay whatever the filter says.
        """
        self._screen = screen
        self._workspace = workspace
        self._folder = folder
        self._list = listed
        self._pane = pane
        self._staying = staying
        self.sort = BEGINS_AS
        self.turned = False
        """Whether the sort's last ones come first."""
        self._usual = self.sort, self.turned
        """The order before a filter named its threads one by one."""
        self.filter = Filter("")
        self._texts: frozenset[str] | None = None
        self._unread: frozenset[str] | None = None
        """The threads that are still to be looked through for the filter's texts; all when None."""
        self._version = 0
        self.looking = False
        """Whether files are being looked into for the filter."""
        self._looked = (0, 0)
        """How many of them were, and of how many."""
        self._telling = screen.set_interval(TOLD_SECONDS, self.retitle, pause=True)
        self._drawn_at = 0.0
        self._orders = LastOrder()
        self._only_first = False
        """Whether the list shows the first rows alone, since all are not there yet."""
        self.page: tuple[list[Row], int] | None = None
        """The first rows of the list as it begins and how many it has, to be drawn at the next start."""
        self.shown_anew: Callable[[], None] = lambda: None
        """Called when other rows show."""

    @property
    def current(self) -> Summary | None:
        """The thread under the cursor."""
        return self._list.current

    @property
    def shown(self) -> list[Summary]:
        """The threads that the filter matches, in the list's order; while only the first rows are there, in none."""
        if self._only_first:
            return [summary for summary in self._folder.summaries.every() if self.filter.on_summary(summary)]
        return [row.summary for row in self._list.rows if row.summary.stem not in self._list.aside]

    # What the folder holds

    def load(self, summaries: Summaries) -> None:
        """Show what the cache remembered."""
        self._folder.load(summaries)
        if summaries:
            self.arrange()

    def change(self, changes: Changes, scanned: bool) -> None:
        """Show what appeared, changed or went."""
        before = [self._folder.summaries.get(summary.stem) for summary in changes.changed]
        first = scanned and not self._folder.scanned
        if not self._folder.apply(changes, scanned):
            if first and self._list.rows:
                self.arrange()  # none is there any more of those that were seen last
            elif first:
                self._list.empty = self._why_empty()
                self._list.refresh()
                self.retitle()
            return
        for stem in changes.gone:
            self._list.marked.discard(stem)
        self._staying.came_back(summary.stem for summary in changes.changed)
        if not first and not changes.gone and all(map(self._keeps_row, changes.changed, before)):
            self._list.renew(summary.stem for summary in changes.changed)
        elif self._folder.scanned or time.monotonic() - self._drawn_at > (
            SCAN_REDRAW_SECONDS + SCAN_REDRAW_PER_THREAD * len(self._folder.summaries)
        ):
            self.arrange(None if first else {summary.stem for summary in changes.changed})

    def saved(self, stored: Stored) -> None:
        """Show a thread that was saved here, before the folder reports it."""
        old = self._folder.summaries.get(stored.stem)
        size, mtime_ns = (old.size, old.mtime_ns) if old else (0, 0)
        summary = summary_of(stored.thread, stored.stem, size, mtime_ns)
        self.change(Changes((summary,)), self._folder.scanned)

    def go_to(self, stem: str) -> None:
        """Put the cursor on a thread, as soon as it is in the list. One that the filter hides gets a greyed row."""
        if self._list.go_to(stem):
            return
        self._staying.wanted = stem
        self.arrange({stem})

    def tidy(self) -> None:
        """Another thread is open: rows that stayed because of the one before go."""
        if not self._list.aside.keys() <= self._staying.stems():
            self.arrange(set())

    # Sorting and filtering

    def show_matching(self, wanted: Filter) -> None:
        """Show only what a filter matches; threads that it names one by one in the order they are named."""
        if wanted.places and not self.filter.places:
            self._usual, self.sort, self.turned = (self.sort, self.turned), "asked", False
        elif not wanted.places and self.sort == "asked":
            self.sort, self.turned = self._usual
        self.filter = wanted
        self.arrange()

    def sort_by(self, sort: str, *, turned: bool = False) -> None:
        """Sort by a column, the last ones first when it is turned."""
        self.sort, self.turned = sort, turned
        self.arrange(set())

    def arrange(self, changed: set[str] | None = None) -> None:
        """Sort and filter what is known, and show it; in a worker where there is much.

        With `changed`, only these threads are looked through again for the filter's texts, and those that were to be
        for rows that were not shown yet.
        """
        self._version += 1
        self._drawn_at = time.monotonic()
        known, stays = self._folder.summaries, self._staying.reasons()
        gone = frozenset(stem for stem in stays if stem not in known)
        for stem in gone:
            known.remember(stays[stem][0])
        order = Order(self.sort, self.turned, None if gone else self._folder.version)
        self._unread = None if changed is None or self._unread is None else self._unread | changed
        texts, current = self._texts or frozenset(), self._list.current
        cursor = current.stem if current else ""
        asked = Asked(self.filter, order, known, stays, gone, self._unread, texts, cursor, self._version)
        version = self._version

        def count(done: int, total: int) -> None:
            if version == self._version:
                self._looked = done, total

        def cancelled() -> bool:
            return version != self._version or not self._screen.is_running

        work = partial(arranged, self._workspace.threads, asked, self._orders, count, cancelled)
        if len(known) <= AT_ONCE and not self.filter.slow:
            if (rows := work()) is not None:
                self._show(rows)
        else:
            self.looking, self._looked = self.filter.slow, (0, 0)
            self.retitle()
            if self.looking:
                self._telling.resume()
            work = partial(work, partial(self._screen.call_later, self._show_first, version))
            self._screen.run_worker(partial(self._work, work), thread=True, exclusive=True, group="arrange")

    def _work(self, work: Callable[[], Arranged | None]) -> None:
        if (rows := work()) is not None:
            self._screen.call_later(self._show, rows)

    def _show_first(self, version: int, rows: Rows) -> None:
        """Show the first rows while the others are looked for, where the cursor stays on its thread or leaves one that
        no longer matches."""
        current = self._list.current
        stays = current is None or rows.index_of(current.stem) is not None or not self.filter.on_summary(current)
        if version == self._version and stays:
            self._only_first = True
            self._list.show(rows)
            self.retitle()

    def _show(self, arranged: Arranged) -> None:
        """Show rows that were arranged, unless others are on their way."""
        if arranged.version != self._version:
            return
        self._texts, self._unread = arranged.texts, frozenset()
        self.looking = self._only_first = False
        self._telling.pause()
        wanted = self._staying.wanted
        if wanted and arranged.rows.index_of(wanted) is None:
            wanted = None
        if wanted:
            self._staying.wanted = None
        self._list.empty = self._why_empty()
        self._list.likeness = self.filter.likeness
        self._list.labels = arranged.labels
        self._list.show(arranged.rows, wanted, arranged.aside)
        if self._folder.scanned and not self.filter.conditions and (self.sort, self.turned) == (BEGINS_AS, False):
            self.page = arranged.rows[:PAGE], len(arranged.rows)
        self.retitle()
        self.shown_anew()

    def retitle(self) -> None:
        """Put the counts into the pane's title."""
        shown, every = len(self._list.rows) - len(self._list.aside), len(self._folder.summaries)
        count = f"{'…' if self._only_first else f'{shown:,}'} of {every:,}" if self.filter.conditions else f"{every:,}"
        hidden = len(self._list.marked) - len(self.marked())
        marked = f" · {len(self._list.marked)} marked" if self._list.marked else ""
        marked += f", {hidden} hidden" if hidden else ""
        done, total = self._looked
        far = f" {done:,} of {total:,}" if total else ""
        reading = f" · looking{far} …" if self.looking else "" if self._folder.scanned else " · reading …"
        self._pane.retitle(
            f"threads {count}{reading}{marked} · {SORTS[self.sort].label}{', turned round' if self.turned else ''}"
        )

    # Marks

    def marked(self) -> list[str]:
        """Stems of the marked threads that the list shows, or will once all its rows are there, sorted: marks that a
        filter hides are not acted on."""
        if not self._only_first:
            return self._list.marked_rows()
        known = self._folder.summaries
        return sorted(stem for stem in self._list.marked if stem in known and self.filter.on_summary(known[stem]))

    def mark(self, extent: Extent = "row") -> None:
        """Mark the thread under the cursor, or take its mark away; or mark a range, or all that are shown, once they
        are."""
        if self._only_first and extent != "row":
            return
        marking = {"row": self._list.toggle_mark, "range": self._list.mark_range, "all": self._list.mark_all}
        marking[extent]()
        self.retitle()

    def unmark(self, stems: Iterable[str] | None = None) -> None:
        """Take the marks of these threads away, or all."""
        self._list.unmark(stems)
        self.retitle()

    def _keeps_row(self, summary: Summary, before: Summary | None) -> bool:
        """Whether a newer summary keeps its row: same order, same parent, shown as before."""
        if before is None or summary.parent != before.parent or self.filter.slow:
            return False
        key = SORTS[self.sort].key
        return key(summary) == key(before) and self.filter.on_summary(summary) == self.filter.on_summary(before)

    def _why_empty(self) -> str:
        if self.filter.conditions and self._folder.summaries:
            return f"nothing matches the filter; {keys_of(self._list)['list.filter']} changes it"
        new = keys_of(self._list)["thread.new"]
        return f"no threads yet; {new} makes one" if self._folder.scanned else "reading …"
