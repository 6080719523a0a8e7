"""The other threads of a thread's family, for preference pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import ThreadError
from core.export.source import read_source
from core.thread.lineage import lineage
from core.thread.summary import Summary
from core.thread.turns import broken_calls
from core.thread.value import Thread


class Siblings:
    """Finds a thread's family among the summaries; reads only those that may be a counterexample."""

    def __init__(self, folder: Path, listing: Sequence[Summary]) -> None:
        self._folder = folder
        self._lineage = lineage(listing)
        self._families: dict[str, list[Summary]] = {}
        parted = set(self._lineage.parents) | set(self._lineage.parents.values())
        for summary in listing:
            if summary.stem in parted and not summary.problem:
                self._families.setdefault(self._lineage.family(summary.stem), []).append(summary)

    def of(self, stem: str) -> list[Thread]:
        """The wrong or rejected members of a thread's family, stale and broken ones left out."""
        family = self._families.get(self._lineage.family(stem), ())
        return [
            thread
            for summary in family
            if summary.stem != stem
            and (summary.correct is False or summary.verdict == "reject")
            and (thread := self._read(summary.stem)) is not None
        ]

    def _read(self, stem: str) -> Thread | None:
        try:
            source = read_source(self._folder, stem)
        except ThreadError:
            return None
        messages = source.thread.messages
        return None if broken_calls(messages) or any(message.get("stale") for message in messages) else source.thread
