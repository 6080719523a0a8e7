"""What is known of the threads folder: a summary of each thread."""

from __future__ import annotations

from core.listing import index
from core.listing.index import Changes
from core.listing.summaries import Summaries
from core.thread.summary import Summary


class KnownFolder:
    """The summaries, kept up to date by what the feed reports and by what is saved here."""

    def __init__(self) -> None:
        self.summaries = Summaries()
        self.scanned = False
        """Whether the whole folder has been looked at."""
        self.version = 0
        """Another number whenever a summary is another one."""
        self._parents: dict[str, str] = {}

    @property
    def whole(self) -> list[Summary] | None:
        """All summaries; None while the folder has not been looked at as a whole."""
        return self.summaries.every() if self.scanned else None

    def load(self, summaries: Summaries) -> None:
        """Take what the cache remembered; it is kept."""
        self.summaries = summaries
        self._parents = {summary.stem: summary.parent for summary in summaries.every() if summary.parent}
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
