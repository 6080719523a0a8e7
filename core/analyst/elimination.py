"""Reasoning by elimination, where nothing ranks the labels: which are left, which measurement parts the two leading
ones, the call that gives it, and what it rules out.

A label's plausibility under a measurement is that of two halves of a Student distribution of three degrees of freedom,
each with half of the sessions and as wide as the range of other people's sessions is on its side of their median: a
heavy tail, so that one odd number does not decide alone (Lange, Little & Taylor 1989, "Robust statistical modeling
using the t distribution").
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.analyst.conversation import Conversation
from tools.measured import MEASURING, measured_in

LOOK_UP = "look_up_ranges"
RULED_OUT = 6.0
"""Natural logarithm of the odds beyond which a label is ruled out. Measurements are not independent of each other, so
it stands for less than the four hundred to one that it says: docs/evidence.md has what is true of it."""
MOST_OF_ONE = 4.0
"""What one measurement can say at most, in the same unit."""
_WIDTH = 1.2816
"""Standard deviations from the median to the 90th percentile of a normal distribution."""
_LEAST_WIDTH = 0.02
"""Of the median: no range is taken for narrower than its rounding."""

Range = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was looked up, and what was measured of this session."""

    ranges: Mapping[str, Mapping[str, Range]]
    """By measurement and label: 10th, 50th and 90th percentile of other people's sessions."""
    asked: tuple[frozenset[str], ...]
    """The labels of each look-up."""
    values: Mapping[str, float]
    """This session's, by measurement."""

    def for_over(self, label: str, other: str) -> dict[str, float]:
        """How far each measurement speaks for a label against another one, in natural logarithms of the odds."""
        return _parted(self._plausible((label, other)), label, other)

    def margins(self, labels: Sequence[str]) -> dict[str, dict[str, float]]:
        """The same of all measurements together, for each label against each other one."""
        plausible = self._plausible(labels)
        return {
            label: {other: sum(_parted(plausible, label, other).values()) for other in labels if other != label}
            for label in labels
        }

    def _plausible(self, labels: Sequence[str]) -> dict[str, dict[str, float]]:
        """How plausible each measured value is under each label that has a range of it."""
        return {
            name: {label: _plausible(self.values[name], lies[label]) for label in labels if label in lies}
            for name, lies in self.ranges.items()
            if name in self.values
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the elimination stands."""

    best: str
    rival: str
    """The label that speaks most against the best one; empty where there is no other."""
    margin: float
    """By how much the best one is ahead of it."""
    left: tuple[str, ...]
    """The labels that are not ruled out, the best one first, then by how close they are to it."""
    out: tuple[str, ...]
    """The others, the closest first."""


def evidence_in(conversation: Conversation, window: str) -> Evidence:
    """The look-ups so far, and what was measured of one window."""
    ranges: dict[str, dict[str, Range]] = {}
    asked: list[frozenset[str]] = []
    for finding in conversation.of(LOOK_UP):
        names, rows = finding.result.get("features"), finding.result.get("ranges")
        labels = rows if isinstance(names, dict) and isinstance(rows, dict) else {}
        for label, row in labels.items():
            for name, percentiles in zip(names or (), row if isinstance(row, list) else (), strict=False):
                if (lies := _range_in(percentiles)) is not None:
                    ranges.setdefault(name, {})[label] = lies
        asked.append(frozenset(labels))
    values: dict[str, float] = {}
    for tool in MEASURING:
        for finding in conversation.of(tool.name):
            if finding.arguments.get("artifact_id", window) == window:
                values |= measured_in(finding.tool, finding.result)
    return Evidence(ranges, tuple(asked), values)


def standing_of(evidence: Evidence, labels: tuple[str, ...]) -> Standing | None:
    """Which labels are left; None while nothing that was measured has a range.

    The best one is the one that no other speaks against as strongly, of those that were asked about to the last.
    """
    known = {label for name in evidence.values if name in evidence.ranges for label in evidence.ranges[name]}
    among = [label for label in labels if label in known]
    if not among:
        return None
    groups = [asked for asked in evidence.asked if len(asked) > 2]
    leading = [label for label in among if not groups or label in groups[-1]] or among
    margins = evidence.margins(among)
    best = max(leading, key=lambda label: min((margins[label][each] for each in leading if each != label), default=0.0))
    behind = sorted(margins[best], key=lambda other: margins[best][other])
    left = [other for other in behind if margins[best][other] < RULED_OUT]
    rival = min((each for each in leading if each != best), key=lambda each: margins[best][each], default="")
    return Standing(
        best, rival, margins[best][rival] if rival else RULED_OUT,
        (best, *left), tuple(other for other in behind if other not in left),
    )  # fmt: skip


def deciding(evidence: Evidence, label: str, other: str) -> list[str]:
    """The measurements that speak for a label against another one, the strongest first."""
    speaking = evidence.for_over(label, other)
    return sorted((name for name in speaking if speaking[name] > 0), key=lambda name: -speaking[name])


def not_measured(evidence: Evidence) -> list[str]:
    """Measurements that were looked up and that no call has given yet."""
    return [name for name in evidence.ranges if name not in evidence.values]


def _range_in(percentiles: Any) -> Range | None:
    """The range that a result holds: of a short one only both ends, whose middle is taken for the median."""
    if not isinstance(percentiles, list) or not all(isinstance(v, float) and math.isfinite(v) for v in percentiles):
        return None
    if len(percentiles) == 2:
        low, high = percentiles
        return low, (low + high) / 2, high
    return (percentiles[0], percentiles[1], percentiles[2]) if len(percentiles) == 3 else None


def _parted(plausible: Mapping[str, Mapping[str, float]], label: str, other: str) -> dict[str, float]:
    return {
        name: max(-MOST_OF_ONE, min(MOST_OF_ONE, under[label] - under[other]))
        for name, under in plausible.items()
        if label in under and other in under
    }


def _plausible(value: float, lies: Range) -> float:
    """The logarithm of a value's density where a label's other sessions lie so, but for what all labels share."""
    low, middle, high = lies
    least = _LEAST_WIDTH * abs(middle) + 1e-4
    below, above = max((middle - low) / _WIDTH, least), max((high - middle) / _WIDTH, least)
    width = below if value < middle else above
    z = (value - middle) / width
    return -math.log(width) - 2 * math.log(1 + z * z / 3)
