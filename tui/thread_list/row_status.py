"""How the threads on the screen stand, found out while nothing else is asked for."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from core.thread.summary import Summary
from core.workspace import Workspace
from tui.widgets.thread_list import ThreadList

if TYPE_CHECKING:
    from core.lint import Finding
    from core.listing.row_status import Standing, Survey

QUIET_SECONDS = 0.3
"""How long the list must have stood still before its threads are looked at."""
BATCH = 12
"""Threads between two reports: about 60 ms of a worker's time."""
REMEMBERED = 20_000


class RowStatuses:
    """Looks at the rows that can be seen, once each, and again when a file changes."""

    def __init__(
        self,
        screen: Screen[None],
        workspace: Workspace,
        listed: ThreadList,
        duplicate: Callable[[str], Finding | None],
    ) -> None:
        """Args: `duplicate` gives what a thread repeats, by its stem, as far as that is known."""
        self._screen = screen
        self._duplicate = duplicate
        self._workspace = workspace
        self._list = listed
        self._known: dict[str, tuple[Summary, Standing]] = {}
        self._version = 0
        self._survey: Survey | None = None
        self._timer = screen.set_interval(QUIET_SECONDS, self._begin, pause=True)
        listed.standing = self.of

    def of(self, summary: Summary) -> Standing | None:
        """How a thread stands, where its file is still what was looked at."""
        known = self._known.get(summary.stem)
        if known is None or (known[0].size, known[0].mtime_ns) != (summary.size, summary.mtime_ns):
            return None
        duplicate = self._duplicate(summary.stem)
        return known[1] if duplicate is None else replace(known[1], findings=(*known[1].findings, duplicate))

    def look(self) -> None:
        """Look at the rows on the screen once the list stands still."""
        self._version += 1
        self._timer.reset()
        self._timer.resume()

    def compare(self, stems: Container[str]) -> None:
        """Of these threads it is known anew what they repeat."""
        self._list.redraw(summary.stem for summary in self._list.on_screen() if summary.stem in stems)

    def forget(self) -> None:
        """Threads have left: all must be looked at again."""
        self._known.clear()
        self.look()

    def _looked(self, statuses: Mapping[str, tuple[Summary, Standing]]) -> None:
        """Show what was found."""
        if len(self._known) > REMEMBERED:
            self._known.clear()
        self._known.update(statuses)
        self._list.redraw(statuses)

    def _begin(self) -> None:
        self._timer.pause()
        wanted = [summary for summary in self._list.on_screen() if not summary.problem and self.of(summary) is None]
        if wanted:
            self._screen.run_worker(
                partial(self._work, wanted, self._version), thread=True, exclusive=True, group="row status"
            )

    def _work(self, wanted: list[Summary], version: int) -> None:
        from core.listing.row_status import Survey

        self._survey = survey = self._survey or Survey(self._workspace)
        statuses: dict[str, tuple[Summary, Standing]] = {}
        for summary, standing in survey.of(wanted, lambda: version != self._version):
            statuses[summary.stem] = summary, standing
            if len(statuses) >= BATCH:
                self._screen.call_later(self._looked, statuses)
                statuses = {}
        if statuses:
            self._screen.call_later(self._looked, statuses)
