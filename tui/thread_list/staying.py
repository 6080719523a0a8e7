"""Rows that stay in the list whatever its filter says: what is on the screen or undecided is not lost sight of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.thread.summary import Summary
from tui.thread_list.known_folder import KnownFolder
from tui.widgets.thread_list import ThreadList


class Staying:
    """Says which threads keep their rows, and why."""

    def __init__(self, folder: KnownFolder, listed: ThreadList, under_way: Callable[[], frozenset[str]]) -> None:
        """Args: `under_way` gives the stems of the open thread and of those that something is under way with."""
        self._folder = folder
        self._list = listed
        self._under_way = under_way
        self._let_go: set[str] = set()
        self.wanted: str | None = None
        """The thread that the cursor is to go to as soon as it is in the list."""

    def let_go(self, stems: Iterable[str]) -> None:
        """A person takes these threads out of the folder: their rows go with their files, even the open one's."""
        self._let_go.update(stems)

    def not_let_go(self, stems: Iterable[str]) -> list[str]:
        """Those of these threads that nobody here took out of the folder."""
        return [stem for stem in stems if stem not in self._let_go]

    def came_back(self, stems: Iterable[str]) -> None:
        """These threads are in the folder."""
        self._let_go.difference_update(stems)

    def stems(self) -> frozenset[str]:
        """The threads that keep their rows."""
        stems = self._under_way() | ({self.wanted} if self.wanted else set())
        current = self._list.current
        if current is not None and current.stem in self._list.aside:
            stems |= {current.stem}
        return stems - self._let_go

    def reasons(self) -> dict[str, tuple[Summary, str]]:
        """Their summaries, each with what is said beside the row should it be no match."""
        current = self._list.current
        reasons: dict[str, tuple[Summary, str]] = {}
        for stem in self.stems():
            if (summary := self._folder.summaries.get(stem)) is not None:
                reasons[stem] = summary, "no longer matches" if self._list.has_row(stem) else "does not match"
            elif current is not None and current.stem == stem:
                reasons[stem] = current, "its file is gone"
        return reasons
