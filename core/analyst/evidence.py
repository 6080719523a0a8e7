"""Weighing what the results say into a label and a confidence."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.analyst.conversation import Conversation, Finding
from core.analyst.questions import is_still
from core.thread.labels import canonical

Confidence = str

SOFTNESS = 2.5
"""Distances closer than about this, in standard deviations within a label, do not decide."""
HIGH, MEDIUM = 0.9, 0.6
"""Support from which confidence is high, and medium; measured on held-out subjects by `make bench-tools`."""
MIN_SESSIONS = 4
"""Reference sessions per label below which nothing is sure."""
MOVING_STD = {"g": 0.04, "mg": 40.0, "m/s²": 0.4, "m/s^2": 0.4, "rad/s": 0.25, "deg/s": 15.0, "°/s": 15.0}
"""Spread of a signal above which somebody moves about, by its unit."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence says."""

    label: str
    second: str
    confidence: Confidence
    support: float
    """From 0 to 1: how far the evidence is for the label."""
    reference: str = ""
    """The label closest in the reference statistics."""
    neighbours: str = ""
    """The label of most of the nearest examples."""

    left: tuple[str, ...] = ()
    """The labels that are left, where which of them it is cannot be told; else empty."""

    @property
    def agree(self) -> bool | None:
        """Whether reference and neighbours agree; None when only one of them spoke."""
        return self.reference == self.neighbours if self.reference and self.neighbours else None


def weigh(conversation: Conversation, draw: random.Random) -> Verdict:
    """The verdict on the results so far; a guess with low confidence when they say nothing."""
    labels = conversation.labels
    if not labels:
        return Verdict("unknown", "", "low", 0.0)
    closeness = closeness_to(conversation.of("compare_to_reference"))
    votes = votes_for(conversation.of("nearest_examples"))
    if not closeness and not votes:
        return _without_reference(conversation, draw)
    weight = 0.6 if closeness and votes else 1.0
    score: dict[str, float] = {}
    for part, share in ((closeness, weight), (votes, 1.0 - weight if closeness else weight)):
        for label, value in part.items():
            score[label] = score.get(label, 0.0) + share * value
    ranked = sorted(score, key=lambda label: (-score[label], label))
    best, second = ranked[0], ranked[1] if len(ranked) > 1 else ""
    nearest = max(closeness, key=lambda label: closeness[label], default="")
    voted = max(votes, key=lambda label: votes[label], default="")
    support = score[best]
    if nearest and voted and nearest != voted:
        support = min(support, MEDIUM)
    confidence = "high" if support >= HIGH else "medium" if support >= MEDIUM else "low"
    if _is_thin(conversation):
        confidence = "low"
    return Verdict(best, second, confidence, support, nearest, voted)


def _is_thin(conversation: Conversation) -> bool:
    """Whether the comparisons rest on too few sessions of other people for the number of labels."""
    for finding in (*conversation.of("compare_to_reference"), *conversation.of("nearest_examples")):
        reference = finding.result.get("reference")
        sessions = reference.get("sessions") if isinstance(reference, dict) else None
        if isinstance(sessions, float) and sessions < MIN_SESSIONS * len(conversation.labels):
            return True
    return False


def closeness_to(findings: tuple[Finding, ...]) -> dict[str, float]:
    """Shares from 0 to 1 by how close each label's statistics are: a softened Gaussian of the distances."""
    for finding in findings:  # the first one compared all labels
        distances = _numbers(finding.result.get("distances"))
        if distances:
            least = min(distances.values())
            parts = {label: math.exp(-(d**2 - least**2) / (2 * SOFTNESS**2)) for label, d in distances.items()}
            total = sum(parts.values())
            return {label: part / total for label, part in parts.items()}
    return {}


def votes_for(findings: tuple[Finding, ...]) -> dict[str, float]:
    """Shares from 0 to 1 of the nearest examples' labels; of the call that looked at most of them."""
    most: dict[str, float] = {}
    for finding in findings:
        votes = _numbers(finding.result.get("votes"))
        if sum(votes.values()) > sum(most.values()):
            most = votes
    total = sum(most.values())
    return {label: count / total for label, count in most.items()} if total else {}


def is_moving(conversation: Conversation) -> bool | None:
    """Whether the person moves about, from what was measured; None while nothing was."""
    for finding in reversed(conversation.findings):
        if finding.failed:
            continue
        moving = _moving(finding)
        if moving is not None:
            return moving
    return None


def _moving(finding: Finding) -> bool | None:
    result = finding.result
    if finding.tool == "show_channel_stats":
        columns = result.get("columns")
        rows = result.get("channels") or result.get("sensors")
        if isinstance(columns, list) and "std" in columns and isinstance(rows, dict):
            at = columns.index("std")
            return any(_over(row[at], unit_of(result, name)) for name, row in rows.items() if _long(row, at))
    if finding.tool == "detect_periodicity" and isinstance(result.get("sensors"), dict):
        sensors = [sensor for sensor in result["sensors"].values() if isinstance(sensor, dict)]
        return any(
            isinstance(rhythm.get("strength"), float) and rhythm["strength"] > 0.5 and not is_tiny(rhythm)
            for rhythm in sensors
        )
    return None


def is_tiny(rhythm: Mapping[str, Any]) -> bool:
    """Whether a sensor's rhythm is too weak to be somebody's steps: noise, breath, a trembling hand."""
    level = rhythm.get("rms")
    return isinstance(level, float) and level < 0.5 * MOVING_STD.get(str(rhythm.get("unit")), 0.0)


def _long(row: Any, at: int) -> bool:
    return isinstance(row, list) and len(row) > at


def _over(value: Any, unit: str) -> bool:
    return isinstance(value, float) and unit in MOVING_STD and value > MOVING_STD[unit]


def unit_of(result: Mapping[str, Any], name: str) -> str:
    """The unit of a channel's or sensor's row in a result of `show_channel_stats`; empty where it names none."""
    unit = result.get("unit")
    if isinstance(unit, dict):
        fitting = [str(sensor) for sensor in unit if name.startswith(str(sensor))]
        unit = unit[max(fitting, key=len)] if fitting else ""
    return unit if isinstance(unit, str) else ""


def _numbers(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    return {
        str(label): number for label, number in value.items() if isinstance(number, float) and math.isfinite(number)
    }


def _without_reference(conversation: Conversation, draw: random.Random) -> Verdict:
    """From movement and cadence alone: at best the kind of activity, and then a draw among its labels."""
    moving = is_moving(conversation)
    labels = list(conversation.labels)
    if moving is None:
        return Verdict(draw.choice(labels), "", "low", 1 / len(labels))
    fitting = [label for label in labels if is_still(label) != moving] or labels
    cadence = max((_cadence(finding) for finding in conversation.of("detect_periodicity")), default=0.0)
    if moving and cadence:
        fast = [label for label in fitting if canonical(label) in {canonical("running"), canonical("jogging")}]
        steps = [label for label in fitting if canonical(label) == canonical("walking")]
        fitting = (fast if cadence > 145 else steps) or fitting
    return Verdict(draw.choice(fitting), "", "low", 1 / len(fitting))


def _cadence(finding: Finding) -> float:
    sensors = finding.result.get("sensors")
    cadences = (
        [sensor.get("cadence") for sensor in sensors.values() if isinstance(sensor, dict)]
        if isinstance(sensors, dict)
        else []
    )
    return max((cadence for cadence in cadences if isinstance(cadence, float)), default=0.0)
