"""Which thread branched off which: parents, children, and the ways a fork goes on.

A fork is a place in one conversation where several threads go different ways: the thread that was there first and
each branch that leaves it there. A branch of a branch that leaves before the branch's own first message
leaves at the grandparent's fork, since up to there they are the same conversation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol


class Branch(Protocol):
    """What is needed to know of a thread; `core.thread.summary.Summary` has it."""

    @property
    def stem(self) -> str:
        """The file's stem, which a branch names as its parent."""
        ...

    @property
    def parent(self) -> str:
        """The stem of the thread it branched off; empty for none."""
        ...

    @property
    def branched_at(self) -> int | None:
        """The index of the first message that is its own."""
        ...

    @property
    def created(self) -> str:
        """ISO 8601."""
        ...


@dataclass(frozen=True, slots=True)
class Fork:
    """A place where threads go different ways."""

    position: int
    """The index of the first message that differs."""
    members: tuple[str, ...]
    """The threads: the one that was there first, where it is still there, then its branches as they were made."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """How the threads of a folder descend from one another. Threads that are gone leave their branches siblings."""

    parents: Mapping[str, str]
    """Each branch's parent by what the branch says, there or not."""
    origins: Mapping[str, tuple[str, int]]
    """For each branch the fork it left at: the thread that was there first, and the position."""
    leaving: Mapping[str, tuple[tuple[int, str], ...]]
    """For each thread that branches leave: position and branch, as they were made."""
    present: frozenset[str]

    def parent(self, stem: str) -> str | None:
        """The thread it branched off, when that is still there."""
        parent = self.parents.get(stem)
        return parent if parent in self.present else None

    def children(self, stem: str) -> tuple[str, ...]:
        """The threads that name it as their parent, as they were made."""
        return tuple(branch for branch, parent in self.parents.items() if parent == stem)

    def forks(self, stem: str) -> tuple[Fork, ...]:
        """Every fork on the thread's way, the first one first: where it left others, and where others leave it."""
        forks: list[Fork] = []
        at: str | None = stem
        until: int | None = None
        seen: set[str] = set()
        while at is not None and at not in seen:
            seen.add(at)
            places = {position for position, _ in self.leaving.get(at, ()) if until is None or position <= until}
            forks += [self._fork(at, position) for position in places]
            at, until = self.origins.get(at, (None, None))
        real = [fork for fork in forks if stem in fork.members or len(fork.members) > 1]
        return tuple(sorted(real, key=attrgetter("position")))

    def siblings(self, stem: str, position: int | None = None) -> tuple[str, ...]:
        """The threads of one fork, itself among them, in an order that stays: those at `position`, or where it left
        its parent, or else at its first fork. Itself alone when it has none."""
        forks = [fork for fork in self.forks(stem) if stem in fork.members]
        wanted = position if position is not None else self.origins.get(stem, ("", None))[1]
        at = next((fork for fork in forks if fork.position == wanted), None)
        if at is None and position is None and forks:
            at = forks[0]
        return at.members if at is not None else (stem,)

    def family(self, stem: str) -> str:
        """A name that all threads of one family share: the oldest ancestor that is known of, there or not."""
        seen = {stem}
        while (above := self.parents.get(stem)) is not None and above not in seen:
            seen.add(above)
            stem = above
        return stem

    def _fork(self, origin: str, position: int) -> Fork:
        first = (origin,) if origin in self.present else ()
        return Fork(position, (*first, *(branch for left_at, branch in self.leaving[origin] if left_at == position)))


def lineage(threads: Iterable[Branch]) -> Lineage:
    """Work out the lineage of a folder's threads. Survives missing parents and files that name each other in a ring."""
    ordered = sorted(threads, key=lambda thread: (thread.created, thread.stem))
    known = {thread.stem: thread for thread in ordered}
    parents = {thread.stem: thread.parent for thread in ordered if thread.parent and thread.parent != thread.stem}
    origins = {stem: _origin(known, parents, stem) for stem in parents}
    leaving: dict[str, list[tuple[int, str]]] = {}
    for branch, (origin, position) in origins.items():
        leaving.setdefault(origin, []).append((position, branch))
    return Lineage(parents, origins, {stem: tuple(branches) for stem, branches in leaving.items()}, frozenset(known))


def _origin(known: Mapping[str, Branch], parents: Mapping[str, str], stem: str) -> tuple[str, int]:
    """The thread whose conversation `stem` really leaves, and where."""
    position = known[stem].branched_at or 0
    above = parents[stem]
    seen = {stem}
    while above in parents and above not in seen and position <= (known[above].branched_at or 0):
        seen.add(above)
        above = parents[above]
    return above, position
