"""The threads that failed, grouped by how: which label was taken for which, by which way through the tools, and which
step went wrong first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import SensorloomError
from core.storage import store
from core.thread.first_wrong import first_wrong_step
from core.thread.labels import canonical
from core.thread.summary import Summary

PART = 100
"""Threads between two reports of progress."""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Threads that failed alike."""

    dataset: str
    truth: str
    answer: str
    """What was answered; empty where the turns ran out before an answer."""
    path: tuple[str, ...]
    """The tools, in the order of their first use."""
    step: str
    """See `core.thread.first_wrong`."""
    stems: tuple[str, ...]

    @property
    def pair(self) -> tuple[str, str, str]:
        """What was taken for what, in which dataset, however it is written."""
        return self.dataset, canonical(self.truth), canonical(self.answer)


def failed(summary: Summary) -> bool:
    """Whether a thread failed: its answer is wrong, or its turns ran out."""
    return summary.correct is False or (summary.status == "max_turns_reached" and bool(summary.truth))


def grouped_failures(
    folder: Path,
    chosen: Iterable[Summary],
    progress: Callable[[int, int], object] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[FailureGroup] | None:
    """The failures among these threads, those of the most frequent confusion first; None when it was cancelled.

    Reads each failed thread's file: blocks, belongs in a worker. A file that went meanwhile counts nowhere.

    Args:
        folder: the threads folder.
        chosen: of which threads.
        progress: called with how many were read, and of how many.
        cancelled: asked between files.
    """
    wrong = [summary for summary in chosen if failed(summary)]
    groups: dict[tuple[str, str, str, tuple[str, ...], str], list[Summary]] = {}
    for number, summary in enumerate(wrong):
        if cancelled():
            return None
        if not number % PART:
            progress(number, len(wrong))
        try:
            step = first_wrong_step(store.read(folder, summary.stem).thread)
        except SensorloomError:
            continue
        key = summary.dataset, canonical(summary.truth), canonical(summary.answer), summary.tools_used, step
        groups.setdefault(key, []).append(summary)
    ordered = [
        FailureGroup(some[0].dataset, some[0].truth, some[0].answer, path, step, tuple(each.stem for each in some))
        for (_, _, _, path, step), some in groups.items()
    ]
    of_pair: Counter[tuple[str, str, str]] = Counter()
    for group in ordered:
        of_pair[group.pair] += len(group.stems)
    return sorted(ordered, key=lambda group: (-of_pair[group.pair], group.pair, -len(group.stems), group.path))
