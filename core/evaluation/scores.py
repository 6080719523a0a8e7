"""Figures of an evaluation: shares with intervals, classes, paired differences, calibration."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from core.storage.pass_rates import PassRate

Z_95 = 1.959964
"""Quantile of the normal distribution for an interval of 95 %."""
RESAMPLES = 2_000
"""Of the bootstrap; its percentiles move by less than a point between seeds."""
CONFIDENCES = ("high", "medium", "low")
STATED: Mapping[str, float] = {"high": 0.9, "medium": 0.7, "low": 0.5}
"""The share right that each word is taken to promise, for `calibration_error`. A convention, as the prompt
names no number: the table of `reliability` says more."""
NO_ANSWER = "(no answer)"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One try of one contestant at one session."""

    session: str
    attempt: int
    truth: str
    answer: str
    """As the dataset spells it, where it names one of its labels. Empty where none came in time."""
    right: bool
    """False for one that is not finished."""
    finished: bool
    confidence: str = ""
    calls: int = 0
    tokens: int = 0
    """What the model wrote; 0 where the server does not count."""
    stem: str = ""
    cost: float | None = None
    """What the try cost; None where no turn says."""
    tokens_read: int = 0
    """What the model was sent, the whole of the thread once more with each turn; 0 where the server does not count."""
    seconds: float | None = None
    """What its turns took together; None where no turn says, as with the built-in analyst."""
    failures: int = 0
    """Calls of tools that came back with an error."""
    dataset: str = ""
    """Whose the session is."""

    @property
    def at(self) -> tuple[str, str, int]:
        """What another contestant's try at the same has too."""
        return self.dataset, self.session, self.attempt


def wilson(right: int, of: int, deviations: float = Z_95) -> tuple[float, float]:
    """The interval of a share (Wilson 1927), from 0 to 1; that of nothing is all of it.

    Args:
        right: how many counted.
        of: of how many.
        deviations: standard deviations to either side; those of 95 % unless told.
    """
    if not of:
        return 0.0, 1.0
    share, square = right / of, deviations * deviations
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = deviations * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(middle - half, 0.0), min(middle + half, 1.0)


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its interval of 95 % (Wilson 1927)."""

    right: int
    of: int

    @property
    def value(self) -> float:
        """From 0 to 1; 0 of nothing is 0."""
        return self.right / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """From 0 to 1 where nothing was counted."""
        return wilson(self.right, self.of)

    def __str__(self) -> str:
        """`83.3 % (60.8–94.2)`."""
        low, high = self.interval
        return f"{100 * self.value:.1f} % ({100 * low:.1f}–{100 * high:.1f})" if self.of else "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the first of two contestants is, on the same sessions."""

    value: float
    """Share right of the first minus that of the second."""
    interval: tuple[float, float]
    """95 %, percentiles of a bootstrap over sessions."""
    only_first: int
    """Tries that the first alone had right."""
    only_second: int
    p: float
    """McNemar's exact test (1947): how likely so uneven a split of those is where both are equally good."""


def share_right(outcomes: Sequence[Outcome]) -> Share:
    """How many tries were right; one that is not finished is wrong."""
    return Share(sum(outcome.right for outcome in outcomes), len(outcomes))


def per_label(outcomes: Sequence[Outcome]) -> dict[str, Share]:
    """How many tries were right for each true label, sorted."""
    return _shares(outcomes, attrgetter("truth"))


def per_dataset(outcomes: Sequence[Outcome]) -> dict[str, Share]:
    """How many tries were right for each dataset, sorted."""
    return _shares(outcomes, attrgetter("dataset"))


def _shares(outcomes: Sequence[Outcome], part: Callable[[Outcome], str]) -> dict[str, Share]:
    names = sorted({part(outcome) for outcome in outcomes})
    return {name: share_right([outcome for outcome in outcomes if part(outcome) == name]) for name in names}


def confusion(outcomes: Sequence[Outcome]) -> dict[tuple[str, str], int]:
    """How often a true label was answered with each other one; `NO_ANSWER` where none came."""
    return dict(Counter((outcome.truth, outcome.answer or NO_ANSWER) for outcome in outcomes))


def macro_f1(outcomes: Sequence[Outcome]) -> float:
    """The mean over the true labels of the harmonic mean of precision and recall."""
    truths = sorted({outcome.truth for outcome in outcomes})
    scores: list[float] = []
    for label in truths:
        hits = sum(outcome.right for outcome in outcomes if outcome.truth == label)
        answered = hits + sum(not o.right and o.answer == label for o in outcomes)
        asked = sum(outcome.truth == label for outcome in outcomes)
        scores.append(2 * hits / (answered + asked) if answered + asked else 0.0)
    return sum(scores) / len(scores) if scores else 0.0


def macro_f1_interval(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """95 %, percentiles of a bootstrap over sessions, with a fixed seed."""
    return _percentiles(
        [
            macro_f1([outcome for session in drawn for outcome in session])
            for drawn in _resampled(_by_session(outcomes), RESAMPLES // 10)
        ]
    )


def difference(first: Sequence[Outcome], second: Sequence[Outcome]) -> Difference:
    """Compare two contestants on the tries that both made."""
    from scipy.stats import binomtest

    ours = {outcome.at: outcome.right for outcome in first}
    theirs = {outcome.at: outcome.right for outcome in second}
    both = sorted(ours.keys() & theirs.keys())
    by_session: dict[tuple[str, str], list[int]] = {}
    for key in both:
        by_session.setdefault(key[:2], []).append(int(ours[key]) - int(theirs[key]))
    only_first = sum(ours[key] and not theirs[key] for key in both)
    only_second = sum(theirs[key] and not ours[key] for key in both)
    apart = only_first + only_second
    p = float(binomtest(only_first, apart).pvalue) if apart else 1.0
    sums = np.array([sum(steps) for steps in by_session.values()], dtype=np.float64)
    counts = np.array([len(steps) for steps in by_session.values()], dtype=np.float64)
    if not len(sums):
        return Difference(0.0, (0.0, 0.0), 0, 0, 1.0)
    rows = np.random.default_rng(0).integers(0, len(sums), (RESAMPLES, len(sums)))
    means = sums[rows].sum(axis=1) / counts[rows].sum(axis=1)
    return Difference(float(sums.sum() / counts.sum()), _percentiles(means.tolist()), only_first, only_second, p)


def pass_at(outcomes: Sequence[Outcome], k: int) -> float | None:
    """How likely at least one of `k` tries is right, averaged over sessions (Chen et al. 2021). None with fewer."""
    return _over_sessions(outcomes, k, PassRate.at_least_one_of)


def pass_all(outcomes: Sequence[Outcome], k: int) -> float | None:
    """How likely all of `k` tries are right, averaged over sessions: pass^k of Yao et al. (2024), τ-bench."""
    return _over_sessions(outcomes, k, PassRate.all_of)


def reliability(outcomes: Sequence[Outcome]) -> dict[str, Share]:
    """How often answers of each stated confidence were right; finished ones alone."""
    return {
        level: share_right([o for o in outcomes if o.finished and (o.confidence or "none") == level])
        for level in (*CONFIDENCES, "none")
        if any(o.finished and (o.confidence or "none") == level for o in outcomes)
    }


def calibration_error(outcomes: Sequence[Outcome]) -> float | None:
    """The expected calibration error (Naeini et al. 2015) with the stated words as bins: how far each word's share
    right is from what it promises (`STATED`), weighted by how many say it. None where nothing is stated."""
    shares = {level: share for level, share in reliability(outcomes).items() if level in STATED}
    stated = sum(share.of for share in shares.values())
    apart = sum(share.of * abs(share.value - STATED[level]) for level, share in shares.items())
    return apart / stated if stated else None


def _over_sessions(
    outcomes: Sequence[Outcome], k: int, chance: Callable[[PassRate, int], float | None]
) -> float | None:
    rates = [PassRate(sum(o.right for o in tries), len(tries)) for tries in _by_session(outcomes)]
    chances = [share for rate in rates if (share := chance(rate, k)) is not None]
    return sum(chances) / len(chances) if chances and len(chances) == len(rates) else None


def _by_session(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.dataset, outcome.session), []).append(outcome)
    return list(groups.values())


def _resampled(groups: list[list[Outcome]], times: int) -> list[list[list[Outcome]]]:
    random = np.random.default_rng(0)
    return [[groups[at] for at in random.integers(0, len(groups), len(groups))] for _ in range(times if groups else 0)]


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 0.0
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)
