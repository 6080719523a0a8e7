"""All figures of an evaluation at once, counted where nobody waits for it: resampling takes a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from core.evaluation.contest import Contestant, Evaluation, outcomes_of
from core.evaluation.report import Answers, cost_of, effort
from core.evaluation.scores import (
    Difference,
    Outcome,
    Share,
    calibration_error,
    difference,
    macro_f1,
    macro_f1_interval,
    reliability,
    share_right,
)
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Standing:
    """How one contestant did."""

    contestant: Contestant
    outcomes: Sequence[Outcome]
    share: Share
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    effort: Mapping[str, float | None]
    """Of a finished thread, on average: see `core.evaluation.report.effort`."""
    cost: float | None
    reliability: Mapping[str, Share]
    calibration_error: float | None

    @property
    def finished(self) -> int:
        """Tries that came to an answer."""
        return sum(outcome.finished for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Figures:
    """How all did, and how each differs from each."""

    evaluation: Evaluation
    standings: Sequence[Standing]
    differences: Sequence[tuple[Standing, Standing, Difference]]

    @property
    def answers(self) -> Answers:
        """What became of every try, by contestant."""
        return {standing.contestant: standing.outcomes for standing in self.standings}

    @property
    def labels(self) -> tuple[str, ...]:
        """The true labels, in their order."""
        return tuple(sorted({outcome.truth for standing in self.standings for outcome in standing.outcomes}))


@dataclass(frozen=True, slots=True)
class Parted:
    """One try at which two contestants answered differently."""

    first: Outcome
    second: Outcome


def figures(workspace: Workspace, evaluation: Evaluation) -> Figures:
    """Count everything. Raises DatasetError."""
    standings = [_standing(who, outcomes_of(workspace, evaluation, who)) for who in evaluation.contestants]
    pairs = [(a, b, difference(a.outcomes, b.outcomes)) for a, b in combinations(standings, 2)]
    return Figures(evaluation, standings, pairs)


def _standing(contestant: Contestant, outcomes: Sequence[Outcome]) -> Standing:
    return Standing(
        contestant,
        outcomes,
        share_right(outcomes),
        macro_f1(outcomes),
        macro_f1_interval(outcomes),
        effort(outcomes),
        cost_of(outcomes),
        reliability(outcomes),
        calibration_error(outcomes),
    )


def parted(first: Sequence[Outcome], second: Sequence[Outcome]) -> list[Parted]:
    """The tries that both began and answered differently, or that only one had right; those that only one had right
    come first."""
    theirs = {outcome.at: outcome for outcome in second if outcome.stem}
    both = [(ours, theirs.get(ours.at)) for ours in first if ours.stem]
    pairs = [
        Parted(ours, other)
        for ours, other in both
        if other and (ours.answer, ours.right) != (other.answer, other.right)
    ]
    return sorted(pairs, key=lambda pair: pair.first.right == pair.second.right)
