"""What is known of the threads folder: a summary of each thread."""

from __future__ import annotations

from core.listing import index
from core.listing.index import Changes
from core.thread.summary import Summary


class KnownFolder:
    """The summaries, kept up to date by what the feed reports and by what is saved here."""

    def __init__(self) -> None:
        self.summaries: dict[str, Summary] = {}
        self.scanned = False
        """Whether the whole folder has been looked at."""
        self.version = 0
        """Another number whenever a summary is another one."""
        self._parents: dict[str, str] = {}

    @property
    def whole(self) -> list[Summary] | None:
        """All summaries; None while the folder has not been looked at as a whole."""
        return list(self.summaries.values()) if self.scanned else None

    def load(self, summaries: dict[str, Summary]) -> None:
        """Take what the cache remembered; the dictionary is kept."""
        self.summaries = summaries
        self._parents = {stem: summary.parent for stem, summary in self.summaries.items() if summary.parent}
        self.version += 1

    def apply(self, changes: Changes, scanned: bool) -> bool:
        """Take what appeared, changed or went; whether anything is other than before."""
        self._parents |= {summary.stem: summary.parent for summary in changes.changed if summary.parent}
        self.scanned = self.scanned or scanned
        changed = index.apply(self.summaries, changes)
        self.version += changed
        return changed

    def is_related(self, stem: str) -> bool:
        """Whether a thread is a branch, or has some; true of one that was, too."""
        return stem in self._parents or stem in self._parents.values()
