"""The highest number of a folder's threads, so that a large folder is not looked through for each one that is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock


@dataclass(frozen=True, slots=True)
class _Highest:
    number: int
    until: float
    """When to look again, as `time.monotonic` has it."""


class HighestNumbers:
    """Remembers what was found in large folders, for a short while."""

    def __init__(self, quick_seconds: float = 0.005, share: float = 0.05) -> None:
        """Remembers.

        Args:
            quick_seconds: a folder that takes no longer to look through is looked through for every new thread.
            share: of the time at most, a larger one is looked through while threads are made in it one after the
                other. What other programs add in between can at worst have the same number for another session.
        """
        self._quick_seconds = quick_seconds
        self._share = share
        self._known: dict[Path, _Highest] = {}
        self._being_given: dict[Path, list[int]] = {}
        self._guard = Lock()

    @contextmanager
    def next(self, folder: Path, look: Callable[[], int]) -> Generator[int]:
        """A number above those in the folder, and above those that other threads of this program have for files that
        they are about to write. `look` as in `of`."""
        with self._guard:
            numbers = self._being_given.setdefault(folder, [])
            number = max(self.of(folder, look), *numbers, 0) + 1
            numbers.append(number)
        try:
            yield number
        finally:
            with self._guard:
                numbers.remove(number)
                if not numbers:
                    del self._being_given[folder]

    def of(self, folder: Path, look: Callable[[], int]) -> int:
        """The highest number in a folder; `look` looks through it where that is due."""
        known = self._known.get(folder)
        started = time.monotonic()
        if known is not None and started < known.until:
            return known.number
        highest = look()
        self._known.pop(folder, None)
        seconds = time.monotonic() - started
        if seconds > self._quick_seconds:
            self._known[folder] = _Highest(highest, time.monotonic() + seconds / self._share)
        return highest

    def note(self, folder: Path, number: int) -> None:
        """Take note that a number was given to a new thread."""
        known = self._known.get(folder)
        if known is not None:
            self._known[folder] = _Highest(max(number, known.number), known.until)
