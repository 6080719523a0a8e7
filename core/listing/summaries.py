"""The summaries of a folder, each under a number of its own.

An order of a million threads, and what a filter leaves of them, are arrays of these numbers, four bytes each. They are
made and thrown away without touching a summary, and a thread that changes changes none of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence

from core.thread.summary import Summary


class Summaries(Mapping[str, Summary]):
    """By stem. One thread of the program changes them, others may read meanwhile."""

    def __init__(self, every: Sequence[Summary] = ()) -> None:
        self._summaries: list[Summary] = []
        self._numbers: dict[str, int] = {}
        self._gone: dict[str, int] = {}
        self.at = self._summaries.__getitem__
        """The summary of a number; the last one of a thread that is gone."""
        self.extend(every)

    def __getitem__(self, stem: str) -> Summary:
        return self._summaries[self._numbers[stem]]

    def __contains__(self, stem: object) -> bool:
        return stem in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def size(self) -> int:
        """How many numbers there are: they begin with 0."""
        return len(self._summaries)

    def every(self) -> list[Summary]:
        """All of them as they are now."""
        return list(map(self.at, self.numbers()))

    def numbers(self) -> array[int]:
        """The numbers of all of them."""
        return array("i", list(self._numbers.values()))

    def number(self, stem: str) -> int | None:
        """The number of a thread, which it keeps when it is gone; None for one that never was there."""
        return self._numbers.get(stem, self._gone.get(stem))

    def extend(self, more: Sequence[Summary]) -> None:
        """Add threads that are not there yet."""
        start = len(self._summaries)
        self._summaries += more
        self._numbers.update(zip([summary.stem for summary in more], range(start, start + len(more)), strict=True))

    def put(self, summary: Summary) -> None:
        """Take the newer summary of a thread, or add a thread."""
        number = self.number(summary.stem)
        if number is None:
            number = len(self._summaries)
            self._summaries.append(summary)
        else:
            self._summaries[number] = summary
        self._numbers[summary.stem] = number
        self._gone.pop(summary.stem, None)

    def drop(self, stem: str) -> None:
        """A thread is gone."""
        if (number := self._numbers.pop(stem, None)) is not None:
            self._gone[stem] = number

    def remember(self, summary: Summary) -> None:
        """Give a number to a thread that is gone, where it has none."""
        if self.number(summary.stem) is None:
            self._gone[summary.stem] = len(self._summaries)
            self._summaries.append(summary)
