"""Sessions that are never trained on: what can be named, what the names stand for, and which threads they keep back.

The names themselves are kept by `core.storage.splits_file`.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from core.datasets.subjects import Subjects
from core.errors import SensorloomError, UsageError
from core.storage.splits_file import fits, read_book
from core.text import counted
from core.thread.summary import Summary
from core.workspace import Workspace

Session = tuple[str, str]
"""A dataset's name and a session's id."""

FEW = 3
"""So many names are said one by one."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a name stands for."""

    sessions: int
    threads: int

    @property
    def text(self) -> str:
        """`2 sessions, 5 threads`."""
        return f"{counted(self.sessions, 'session')}, {counted(self.threads, 'thread')}"


class Roster:
    """Every session that datasets or threads name, and the subjects they are of."""

    def __init__(self, subjects: Mapping[Session, str], threads: Mapping[Session, int]) -> None:
        """Args: `subjects` has each session's, empty where it is not known; `threads` how many are about a session."""
        self._subjects = subjects
        self._threads = threads
        self._matching: dict[str, frozenset[Session]] = {}

    @cached_property
    def names(self) -> Mapping[str, tuple[Session, ...]]:
        """What can be held out, `dataset/subject:name` first and then `dataset/session`, with what each stands for."""
        people: dict[str, list[Session]] = {}
        for (dataset, session), subject in self._subjects.items():
            if subject:
                people.setdefault(f"{dataset}/subject:{subject}", []).append((dataset, session))
        sessions = {"/".join(session): (session,) for session in self._subjects}
        return {**{name: tuple(people[name]) for name in sorted(people, key=_in_order)},
                **{name: sessions[name] for name in sorted(sessions, key=_in_order)}}  # fmt: skip

    def sessions(self, pattern: str) -> frozenset[Session]:
        """The sessions that a name or a pattern with `*` stands for."""
        if pattern in self.names or "*" not in pattern:
            return frozenset(self.names.get(pattern, ()))
        if (matching := self._matching.get(pattern)) is None:
            among = (some for name, some in self.names.items() if fits(pattern, name))
            matching = self._matching[pattern] = frozenset(session for some in among for session in some)
        return matching

    def extent(self, patterns: Iterable[str]) -> Extent:
        """How much the names stand for together."""
        sessions = {session for pattern in patterns for session in self.sessions(pattern)}
        return Extent(len(sessions), sum(self._threads.get(session, 0) for session in sessions))

    def check(self, pattern: str) -> None:
        """Nothing when the name stands for a session. Raises UsageError with the nearest name when it does not: what
        is misspelt would be trained on."""
        if self.sessions(pattern):
            return
        ending = f"/{pattern}"
        near = [name for name in self.names if name.endswith(ending)]
        if not near:
            dataset = pattern.partition("/")[0] + "/"
            alike = [name for name in self.names if name.startswith(dataset)] or list(self.names)
            near = difflib.get_close_matches(pattern, alike, 1, 0.5)
        hint = f"did you mean `{near[0]}`?" if near else "write `dataset/session` or `dataset/subject:name`"
        raise UsageError(f"there is no session or subject `{pattern}`; {hint}")

    def described(self, patterns: Iterable[str]) -> str:
        """What is held out, in a few words: how much, and the names while they are few. Empty when nothing is."""
        named = list(patterns)
        if not named:
            return ""
        few = ", ".join(named) if len(named) <= FEW else f"{len(named):,} names"
        return f"{self.extent(named).text}: {few}"


def _in_order(name: str) -> list[str | int]:
    """Names as a person counts: `s2` before `s10`."""
    return [int(part) if number % 2 else part for number, part in enumerate(re.split(r"(\d{1,18})", name))]


def roster(workspace: Workspace, listing: Iterable[Summary]) -> Roster:
    """Every session there is. Opens the workspace's datasets; belongs in a worker.

    Args:
        workspace: whose datasets.
        listing: the folder's summaries: threads may be about datasets that are not at hand.
    """
    from core.datasets.standard import dataset_names, open_dataset

    threads = Counter((summary.dataset, summary.session) for summary in listing if summary.dataset and summary.session)
    sessions: dict[Session, None] = {}
    for dataset in dataset_names(workspace):
        try:
            sessions.update(dict.fromkeys((dataset, session) for session in open_dataset(workspace, dataset).labels))
        except SensorloomError:
            continue  # `sensorloom datasets list` says why; its threads name sessions all the same
    subjects = Subjects(workspace)
    return Roster({session: subjects.of(*session) for session in (*sessions, *threads)}, threads)


def held_out_in(workspace: Workspace) -> Callable[[Summary], bool]:
    """A test whether a thread's session is held out, by the names as they are now. Raises WorkspaceError when
    `splits.json` is damaged."""
    book, subjects = read_book(workspace.root), Subjects(workspace)
    known: dict[Session, bool] = {}

    def test(summary: Summary) -> bool:
        if not book.held_out:
            return False
        session = summary.dataset, summary.session
        if (is_held_out := known.get(session)) is None:
            is_held_out = known[session] = book.holds_out(*session, subjects.of(*session))
        return is_held_out

    return test
