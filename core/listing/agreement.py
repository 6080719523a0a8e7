"""How well a judge model and the person agree: Cohen's kappa.

Cohen (1960), A coefficient of agreement for nominal scales: 1 is full agreement, 0 what chance gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.text import counted

if TYPE_CHECKING:
    from core.thread.summary import Summary

VERDICTS = ("accept", "reject")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Threads that both the person and a judge model accepted or rejected."""

    threads: int
    agreed: int
    """How many of them alike."""
    kappa: float | None
    """Cohen's kappa; None where chance alone would agree on all of them, so that it says nothing."""

    def in_words(self) -> str:
        """`judge and person agree on 18 of 20 threads, kappa 0.79`."""
        kappa = "with one verdict only, so there is no kappa" if self.kappa is None else f"kappa {self.kappa:.2f}"
        return f"judge and person agree on {self.agreed} of {counted(self.threads, 'thread')}, {kappa}"


def agreement(summaries: Iterable[Summary]) -> Agreement | None:
    """How well both agree on these threads; None where there is none that both judged."""
    pairs = Counter(
        (summary.verdict, summary.judge)
        for summary in summaries
        if summary.verdict in VERDICTS and summary.judge in VERDICTS
    )
    number, agreed = pairs.total(), sum(pairs[verdict, verdict] for verdict in VERDICTS)
    if not number:
        return None
    person, judge = (Counter[str]() for _ in range(2))
    for (by_person, by_judge), threads in pairs.items():
        person[by_person] += threads
        judge[by_judge] += threads
    chance = sum(person[verdict] * judge[verdict] for verdict in VERDICTS) / number**2
    return Agreement(number, agreed, None if chance == 1 else (agreed / number - chance) / (1 - chance))
