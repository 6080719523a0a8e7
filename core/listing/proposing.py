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
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.datasets.held_out import held_out_in
from core.datasets.standard import open_dataset
from core.errors import SensorloomError
from core.listing.goal import Goal, Kind, Kinds, Progress, progress
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
    return Proposed(far, picks, {kind: number for kind, number in cover.lacking.items() if number > 0})


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
        label, *others = (kind for kind in self._kinds.of(summary) if kind[0] != "dataset") if summary.truth else ("",)
        pair = [("pair", (label, other)) for other in others]
        return [("path", summary.tools_used), ("wording", wording), *pair]


def sessions_to_make(
    workspace: Workspace, missing: Mapping[Kind, int], every: Sequence[Summary]
) -> dict[str, list[str]]:
    """By dataset, the sessions whose threads would fill what is missing: of the labels, datasets and people that lack
    most, those first that fewest threads are about. Opens the datasets."""
    kinds, is_held_out = Kinds(workspace), held_out_in(workspace)
    threads = Counter((summary.dataset, summary.session) for summary in every)
    lacking = dict(missing)
    chosen: dict[str, list[str]] = {}
    for dataset in dict.fromkeys(name if kind == "dataset" else of for kind, of, name in missing):
        try:
            labels = open_dataset(workspace, dataset).labels
        except SensorloomError:
            continue
        about = [
            Summary(session, dataset=dataset, session=session, truth=of_session[0])
            for session, of_session in labels.items()
            if of_session
        ]
        about = sorted(
            (s for s in about if not is_held_out(s)), key=lambda s: (threads[s.dataset, s.session], s.session)
        )
        while about:
            worth = [sum(_WORTH[k[0]] for k in kinds.of(s) if lacking.get(k, 0) > 0) for s in about]
            if not (most := max(worth)):
                break
            session = about.pop(worth.index(most))
            chosen.setdefault(dataset, []).append(session.session)
            for kind in kinds.of(session):
                lacking[kind] = lacking.get(kind, 0) - 1
    return chosen


def command_to_make(sessions: Mapping[str, Sequence[str]]) -> list[str]:
    """The commands that make a thread about each of these sessions."""
    return [
        f"sensorloom run --dataset {shlex.quote(dataset)} "
        + " ".join(f"--session {shlex.quote(session)}" for session in of_dataset)
        for dataset, of_dataset in sessions.items()
    ]
