"""Which threads to judge next: those that bring a goal nearest.

A weighted maximum coverage: each thread covers what a kind still lacks, a tool path, a wording and a pair of label and
person, each of which is worth something until it is covered. The best one is taken, then the best of what is left, and
so on; that reaches at least 1 - 1/e of the best choice (Nemhauser, Wolsey and Fisher 1978). As a thread's worth only
falls, one whose worth is counted anew and still leads is the best (Minoux 1978).
"""

from __future__ import annotations

import heapq
import re
import shlex
from collections import Counter, deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.datasets.held_out import held_out_in
from core.datasets.standard import dataset_names
from core.listing.goal import Goal, Kind, Kinds, Progress, progress, trainable_sessions
from core.listing.row_status import repeated
from core.thread.summary import Summary
from core.workspace import Workspace

_WORTH = {"label": 8.0, "dataset": 2.0, "subject": 3.0, "path": 2.0, "wording": 1.0, "pair": 1.5}
"""What covering one of each is worth: balance over labels first, as that is what a classifier's words lean on."""


class Pick(NamedTuple):
    """A thread to judge, and why."""

    stem: str
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """A queue of threads to judge."""

    before: Progress
    """How far the accepted ones are."""
    picks: tuple[Pick, ...]
    """The most useful first."""
    missing: Mapping[Kind, int]
    """What is lacking even when all of them are accepted: it has to be made."""
    rest: int
    """How many threads the total lacks even then; those of `missing` count for it, and may be more."""

    @property
    def lacking(self) -> str:
        """What has to be made, in a few words; empty when nothing has."""
        kinds = ", ".join(f"{name} {number}" for (_, _, name), number in self.missing.items())
        return "; ".join(filter(None, (kinds, f"{self.rest} in all" * bool(self.rest))))


def propose(
    workspace: Workspace, goal: Goal, every: Sequence[Summary], cancelled: Callable[[], bool] = lambda: False
) -> Proposed:
    """Choose what to judge of a folder: finished threads without a verdict that count, repeat no other and are not held
    out. Blocks: the look for repeats reads files that were never looked at."""
    kinds = Kinds(workspace)
    far = progress(goal, every, kinds)
    is_held_out = held_out_in(workspace)
    repeats: Container[str] = repeated(workspace, every, cancelled) or {}
    candidates = [
        summary
        for summary in every
        if not summary.verdict
        and goal.counts(summary)
        and not summary.stale
        and summary.stem not in repeats
        and not is_held_out(summary)
    ]
    accepted = [summary for summary in every if summary.verdict == "accept" and goal.counts(summary)]
    cover = _Cover(far, kinds, accepted)
    picks = tuple(cover.best(candidates, max(0, far.total - far.accepted)))
    missing = {kind: number for kind, number in cover.lacking.items() if number > 0}
    return Proposed(far, picks, missing, max(0, far.total - far.accepted - len(picks)))


class _Cover:
    """What is covered so far."""

    def __init__(self, far: Progress, kinds: Kinds, accepted: Sequence[Summary]) -> None:
        self._kinds = kinds
        self._most_of_path = far.most_of_path
        self.lacking: dict[Kind, int] = dict(far.short)
        self._paths = Counter(far.paths)
        self._seen = {feature for summary in accepted for feature in self._features(summary)}

    def best(self, candidates: Sequence[Summary], number: int) -> Iterator[Pick]:
        """Up to so many of them, the best first."""
        heap = [(-self._worth(summary), summary.stem, index) for index, summary in enumerate(candidates)]
        heapq.heapify(heap)
        while heap and number:
            _, stem, index = heapq.heappop(heap)
            summary = candidates[index]
            if self._paths[summary.tools_used] >= self._most_of_path:
                continue
            worth = self._worth(summary)
            if heap and worth < -heap[0][0]:
                heapq.heappush(heap, (-worth, stem, index))
                continue
            yield Pick(stem, summary.truth, self._covered_by(summary))
            number -= 1

    def _worth(self, summary: Summary) -> float:
        worth = sum(_WORTH[kind[0]] for kind in self._kinds.of(summary) if self.lacking.get(kind, 0) > 0)
        return worth + sum(_WORTH[feature[0]] for feature in self._features(summary) if feature not in self._seen)

    def _covered_by(self, summary: Summary) -> str:
        """Cover what a thread covers, and say what that was."""
        reasons: list[str] = []
        for kind in self._kinds.of(summary):
            if (lacking := self.lacking.get(kind, 0)) > 0:
                reasons.append(f"{kind[2]} lacks {lacking}")
                self.lacking[kind] = lacking - 1
        names = {"path": "a new tool path", "wording": "a new wording", "pair": "the label of another person"}
        fresh = [feature for feature in self._features(summary) if feature not in self._seen]
        self._seen.update(fresh)
        self._paths[summary.tools_used] += 1
        return ", ".join([*reasons, *(names[feature[0]] for feature in fresh)]) or "fills up the total"

    def _features(self, summary: Summary) -> list[tuple[str, object]]:
        wording = " ".join(re.findall(r"\w+", summary.question.casefold()))
        label, *others = (kind for kind in self._kinds.of(summary) if kind[0] != "dataset") if summary.label else ("",)
        pair = [("pair", (label, other)) for other in others]
        return [("path", summary.tools_used), ("wording", wording), *pair]


def sessions_to_make(workspace: Workspace, proposed: Proposed, every: Sequence[Summary]) -> dict[str, list[str]]:
    """By dataset, the sessions whose threads would fill what is missing: of the labels, datasets and people that lack
    most, those first that fewest threads are about; what the total lacks beyond that, spread over the labels. Of
    sessions alike in that, it goes round the people, each with every label, so that a split by subject has something on
    each side. Opens the datasets."""
    kinds, threads = Kinds(workspace), Counter((summary.dataset, summary.session) for summary in every)
    named = [name if kind == "dataset" else of for kind, of, name in proposed.missing]
    of_threads = [summary.dataset for summary in every if not summary.problem] if proposed.rest else []
    about = trainable_sessions(workspace, dict.fromkeys([*named, *of_threads]) or dataset_names(workspace))
    about.sort(key=lambda summary: (threads[summary.dataset, summary.session], summary.session))
    lacking = dict(proposed.missing)
    there = Counter(summary.truth for summary in every if summary.verdict == "accept")
    chosen: dict[str, list[str]] = {}
    # those of one label and person are worth the same at any time: ten thousand sessions are a few hundred groups
    alike: dict[tuple[Kind, ...], deque[tuple[int, Summary]]] = {}
    for at, summary in enumerate(about):
        alike.setdefault(kinds.of(summary), deque()).append((at, summary))

    def worth(of: tuple[Kind, ...]) -> float:
        return sum(_WORTH[kind[0]] for kind in of if lacking.get(kind, 0) > 0)

    of_people = [kinds.of(summary) for summary in every if not summary.problem and summary.verdict != "reject"]
    people = Counter(pair for of in of_people for pair in _person(of))

    def order(of: tuple[Kind, ...]) -> tuple[float, ...]:
        at, first = alike[of][0]
        asked = threads[first.dataset, first.session]
        return -worth(of), there[first.truth], asked, *(people[pair] for pair in _person(of)), at

    rest = proposed.rest
    while alike:
        of = min(alike, key=order)
        if not worth(of) and rest <= 0:
            break
        _, session = alike[of].popleft()
        if not alike[of]:
            del alike[of]
        chosen.setdefault(session.dataset, []).append(session.session)
        there[session.truth] += 1
        people.update(_person(of))
        rest -= 1
        for kind in of:
            lacking[kind] = lacking.get(kind, 0) - 1
    return chosen


def _person(of: Sequence[Kind]) -> tuple[tuple[Kind, Kind | None], tuple[Kind, None]] | tuple[()]:
    """The person of a thread, with its label and alone, to be counted; nothing where the person is not known."""
    person = next((kind for kind in of if kind[0] == "subject"), None)
    label = next((kind for kind in of if kind[0] == "label"), None)
    return ((person, label), (person, None)) if person else ()


def pairs_of(sessions: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """The same one by one: dataset and session."""
    return [(dataset, session) for dataset, of_dataset in sessions.items() for session in of_dataset]


def command_to_make(sessions: Mapping[str, Sequence[str]]) -> list[str]:
    """The commands that make a thread about each of these sessions."""
    return [
        f"sensorloom run --dataset {shlex.quote(dataset)} "
        + " ".join(f"--session {shlex.quote(session)}" for session in of_dataset)
        for dataset, of_dataset in sessions.items()
    ]
