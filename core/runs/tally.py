"""What came of a run's jobs, counted: each is told whole, once, when it is over, and nothing keeps it after that."""

from __future__ import annotations

from dataclasses import dataclass

from core.runs.job import Ran


@dataclass(frozen=True, slots=True)
class Tally:
    """What a run gives back."""

    told: int = 0
    """Jobs that were begun, and told of."""
    finished: int = 0
    """Those whose thread ends with a final answer."""
    failed: int = 0
    problem: str = ""
    """Why the first of them failed."""
    cancelled: bool = False
    """Whether any was stopped."""
    for_all: bool = False
    """Whether one failed with what would meet every other job too."""


def counted_in(tally: Tally, ran: Ran) -> Tally:
    """The tally with one job more."""
    return Tally(
        tally.told + 1,
        tally.finished + ran.finished,
        tally.failed + bool(ran.error),
        tally.problem or ran.error,
        tally.cancelled or ran.cancelled,
        tally.for_all or ran.for_all,
    )
