"""Samples that are there twice: sessions that are copies of another, and people who share stretches of samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.finding import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.session import Samples

STRETCH_ROWS = 8
"""Samples are shared where so many rows in a row are the same, and no row is the one before it again."""
_EACH = 64
"""Of so many stretches one is compared, chosen by what is in it, so that it is the same one in both places."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
"""Fibonacci hashing's multiplier, 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4)."""


class Copies:
    """What was heard of each session's samples."""

    def __init__(self) -> None:
        self._first: dict[bytes, str] = {}
        self._copies: list[tuple[str, str]] = []
        self._sessions: list[str] = []
        self._stretches: list[NDArray[np.uint64]] = []

    def hear(self, session: str, columns: Mapping[str, Samples]) -> None:
        """The samples of the next session, by channel, each of shape (n,)."""
        rows = np.array([columns[name] for name in sorted(columns)], dtype=np.float32)
        if not rows.size or not np.isfinite(rows).any():
            return
        first = self._first.setdefault(hashlib.blake2b(rows.tobytes(), digest_size=16).digest(), session)
        if first != session:
            self._copies.append((session, first))
            return
        self._sessions.append(session)
        self._stretches.append(stretches_in(rows))

    def copies(self, labels: Mapping[str, Sequence[str]], subjects: Mapping[str, str]) -> dict[str, str]:
        """Sessions that can be left out, for another one holds their samples, has their labels and is of the same
        person, as far as that is known; each with that one."""
        return {
            session: first
            for session, first in self._copies
            if set(labels.get(session, ())) == set(labels.get(first, ()))
            and subjects.get(session) == subjects.get(first)
        }

    def findings(
        self, where: str, labels: Mapping[str, Sequence[str]], subjects: Mapping[str, str]
    ) -> Iterator[Finding]:
        """What is there twice. `where` is where sessions are, as a person is told of it."""
        same = self.copies(labels, subjects)
        for session, first in self._copies:
            message = f"holds the same samples as {first}"
            if session in same:
                yield Finding("warning", "copy", f"{where}/{session}", message, "--first-of-copies")
                continue
            differs = "the label" if labels.get(session) != labels.get(first) else "the subject"
            message = f"{message}, but {differs} is another; leave the wrong one out"
            yield Finding("warning", "copy of another", f"{where}/{session}", message)
        for (one_person, other_person), (session, other, count) in sorted(self._shared(subjects).items()):
            message = (
                f"subjects {one_person} and {other_person} share samples in {count:,} places, such as in {session} and "
                f"{other}: people are mixed up, and no split keeps them apart"
            )
            yield Finding("warning", "shared samples", "subjects.json", message)

    def _shared(self, subjects: Mapping[str, str]) -> dict[tuple[str, str], tuple[str, str, int]]:
        """Of each two subjects who share stretches: two sessions, and how many stretches are alike."""
        if not self._stretches:
            return {}
        stretches = np.concatenate(self._stretches)
        owner = np.repeat(np.arange(len(self._sessions)), [len(own) for own in self._stretches])
        order = np.argsort(stretches, kind="stable")
        stretches, owner = stretches[order], owner[order]
        shared: dict[tuple[str, str], tuple[str, str, int]] = {}
        for at in np.flatnonzero(stretches[1:] == stretches[:-1]).tolist():
            session, other = self._sessions[owner[at]], self._sessions[owner[at + 1]]
            people = subjects.get(session, ""), subjects.get(other, "")
            if "" in people or people[0] == people[1]:
                continue
            pair = min(people), max(people)
            known = shared.get(pair, (session, other, 0))
            shared[pair] = (*known[:2], known[2] + 1)
        return shared


def stretches_in(rows: NDArray[np.float32]) -> NDArray[np.uint64]:
    """What is compared of a session: a number for each chosen stretch of `STRETCH_ROWS` rows, each once.

    Args:
        rows: shape (channels, n).
    """
    words = np.ascontiguousarray(rows).view(np.uint32).astype(np.uint64)
    row = np.zeros(rows.shape[1], dtype=np.uint64)
    for channel in words:
        row = (row ^ channel) * _MIX
        row ^= row >> np.uint64(29)
    starts = len(row) - STRETCH_ROWS + 1
    if starts < 1:
        return np.zeros(0, dtype=np.uint64)
    stretch = np.zeros(starts, dtype=np.uint64)
    moves = np.ones(starts, dtype=np.bool_)
    for step in range(STRETCH_ROWS):
        stretch = stretch * _MIX + row[step : step + starts]
        if step:
            moves &= row[step : step + starts] != row[step - 1 : step - 1 + starts]
    stretch ^= stretch >> np.uint64(32)
    return np.unique(stretch[moves & (stretch % np.uint64(_EACH) == 0)])
