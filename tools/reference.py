"""Comparing a window with what other people's sessions of each label look like.

Nothing here rests on the session itself or on any other session of its subject, so the answer has to be earned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from tools.features import DURATION, MIN_SAMPLES, feature_names, feature_unit, features_of, for_comparison
from tools.fitted import Reference, reference_for
from tools.registry import SESSION, ToolContext, ToolError, nearest, tool
from tools.results import current, fitting, looked_at, measured_rate, rounded, rounded_all, with_data
from tools.sensors import positions_of, sensors_of
from tools.session import Samples, Window

_TELLING = 4


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A window's features beside the reference, on the same columns."""

    window: Window
    raw: Samples
    row: Samples
    """The features on the scale they are compared on."""
    reference: Reference


@tool
def compare_to_reference(
    context: ToolContext, labels: list[str] | None = None, artifact_id: str = SESSION
) -> dict[str, Any]:
    """Compare a window with each label's statistics, taken from other subjects' sessions only.

    Gives the distance to each label in standard deviations within a label (smaller is closer) and the features that
    tell the closest labels apart: this window's value beside each label's mean and standard deviation.

    Args:
        labels: compare with these labels only; all labels when left out.
        artifact_id: the window to compare; "session" is the whole session.
    """
    compared = _compared(context, artifact_id)
    known = compared.reference.discriminant.labels
    wanted = chosen_labels(labels, known, context.dataset.activities)
    distances = dict(zip(known, compared.reference.discriminant.distances(compared.row), strict=True))
    ranked = sorted((label for label in wanted if label in distances), key=lambda label: (distances[label], label))
    if not ranked:
        raise ToolError(
            "no other subject has a session with these labels", **nearest("", known, "labels_with_reference")
        )
    return fitting(
        _comparisons(artifact_id, compared, ranked, distances, [label for label in wanted if label not in distances])
    )


@tool
def nearest_examples(
    context: ToolContext,
    k: Annotated[int, Field(ge=1, le=20)] = 5,
    labels: list[str] | None = None,
    artifact_id: str = SESSION,
) -> dict[str, Any]:
    """Find the k labelled windows of other subjects that are most like this one, with their labels and distances.

    Args:
        k: how many, from 1 to 20.
        labels: look among these labels only; all labels when left out.
        artifact_id: the window to compare; "session" is the whole session.
    """
    compared = _compared(context, artifact_id)
    space = compared.reference.discriminant
    wanted = set(chosen_labels(labels, space.labels, context.dataset.activities))
    distances = space.row_distances(compared.row)
    order = _one_of_each(
        compared.reference,
        [int(row) for row in np.argsort(distances, kind="stable") if space.labels[space.row_labels[row]] in wanted],
    )
    if not order:
        raise ToolError(
            "no other subject has a session with these labels", **nearest("", space.labels, "labels_with_reference")
        )
    chosen = [(space.labels[space.row_labels[row]], float(distances[row])) for row in order[:k]]
    votes: dict[str, int] = {}
    for label, _ in chosen:
        votes[label] = votes.get(label, 0) + 1
    head = looked_at(artifact_id, compared.window) | {
        "distance_unit": "standard deviations within a label",
        "votes": dict(sorted(votes.items(), key=lambda vote: -vote[1])),
    }
    examples = [{"label": label[:60], "distance": rounded(distance)} for label, distance in chosen]
    tail = _said_of(compared)
    return fitting({**head, "examples": examples[:shown], **tail} for shown in (20, 12, 6, 3))


def _one_of_each(reference: Reference, order: list[int]) -> list[int]:
    """The rows without those whose recording has a nearer one: its windows are one example."""
    if reference.units is None:
        return order
    nearest_of: dict[str, int] = {}
    for row in order:
        nearest_of.setdefault(reference.units[row], row)
    return list(nearest_of.values())


def _compared(context: ToolContext, artifact_id: str) -> Compared:
    window = with_data(current(context, artifact_id))
    measured_rate(window, 2 * MIN_SAMPLES, "a comparison")
    names, values = feature_names(window.channels), features_of(window)
    known = set(context.dataset.features().names)
    use = [
        column
        for column, name in enumerate(names)
        if name != DURATION and name in known and np.isfinite(values[column])
    ]
    if not use:
        raise ToolError("these channels are not among the dataset's features, so there is nothing to compare with")
    reference = reference_for(context.dataset, context.session, [names[column] for column in use], context.barred)
    at = {name: values[column] for column, name in enumerate(names)}
    raw = np.array([at[name] for name in reference.columns])
    return Compared(window, raw, for_comparison(reference.columns, raw), reference)


def _comparisons(
    artifact_id: str, compared: Compared, ranked: list[str], distances: dict[str, float], without: list[str]
) -> Iterator[dict[str, Any]]:
    """The result, most detailed first."""
    head = looked_at(artifact_id, compared.window) | {"distance_unit": "standard deviations within a label"}
    missing = {"labels_without_reference": [label[:40] for label in without[:8]]} if without else {}
    tail = {**missing, **_said_of(compared)}
    for shown, telling in ((12, _TELLING), (8, 3), (6, 2), (5, 1), (3, 0)):
        result = {**head, "distances": {label[:60]: rounded(distances[label]) for label in ranked[:shown]}}
        if len(ranked) > shown:
            result["farther_labels_not_shown"] = len(ranked) - shown
        if telling and len(ranked) > 1:
            result["telling_features"] = _telling(compared, ranked[:2], telling)
        yield result | tail


def _telling(compared: Compared, labels: list[str], count: int) -> list[dict[str, Any]]:
    """The features that set the closest label apart from the next: this window's value, each label's mean and std.

    One session has no spread: the std of its label is then not a number.
    """
    reference = compared.reference
    near, far = (reference.discriminant.labels.index(label) for label in labels)
    spread = np.sqrt((reference.spreads[near] ** 2 + reference.spreads[far] ** 2) / 2)
    safe = np.where(spread > 1e-9, spread, np.inf)
    apart = np.abs(reference.means[near] - reference.means[far]) / safe
    nearer = (np.abs(compared.raw - reference.means[far]) - np.abs(compared.raw - reference.means[near])) / safe
    order = np.argsort(-(np.minimum(apart, 4) + np.clip(nearer, -4, 4)), kind="stable")
    chosen: list[int] = []
    used: set[str] = set()
    for column in order:
        parts = set(reference.columns[column].rsplit(":", 1))
        if not parts & used:
            chosen.append(int(column))
            used |= parts
        if len(chosen) == count:
            break
    alone = np.bincount(reference.discriminant.row_labels, minlength=len(reference.discriminant.labels)) < 2
    spreads = np.where(alone[:, None], np.nan, reference.spreads)
    return [
        {"feature": reference.columns[column], "this": rounded(float(compared.raw[column]))}
        | ({"unit": unit} if (unit := feature_unit(reference.columns[column], compared.window.channels)) else {})
        | {
            label[:60]: rounded_all((reference.means[row, column], spreads[row, column]))
            for label, row in zip(labels, (near, far), strict=True)
        }
        for column in chosen
    ]


def _said_of(compared: Compared) -> dict[str, Any]:
    """What the comparison rests on."""
    reference = compared.reference
    basis = reference.counted.told() | {"compared_on": _compared_on(compared.window)}
    length = compared.window.end_sec - compared.window.start_sec
    if np.isfinite(reference.median_sec) and not 0.75 <= length / max(reference.median_sec, 1e-9) <= 1.34:
        basis["note"] = f"this window lasts {rounded(length)} s, reference windows {rounded(reference.median_sec)} s"
    return basis


def _compared_on(window: Window) -> str:
    sensors = sensors_of(window.channels)
    places = positions_of(window.channels)
    listed = ", ".join(sensor.name for sensor in sensors[:4]) + (
        f" and {len(sensors) - 4} more" if len(sensors) > 4 else ""
    )
    return listed[:160] + (f" at {', '.join(places[:4])}" if len(places) > 1 else "")


def chosen_labels(labels: list[str] | None, known: Sequence[str], activities: Sequence[str]) -> list[str]:
    """The labels to compare with. Raises ToolError naming the nearest right ones for a wrong one."""
    every = list(dict.fromkeys([*activities, *known]))
    if not labels:
        return [label for label in every if label in known or labels is None]
    plain = {re.sub(r"[\s_\-]+", "", label.casefold()): label for label in every}
    chosen: list[str] = []
    for label in labels:
        spelled = plain.get(re.sub(r"[\s_\-]+", "", label.casefold()))
        if spelled is None:
            raise ToolError(f"there is no label {label[:80]!r}", **nearest(label, every, "available_labels"))
        chosen.append(spelled)
    return list(dict.fromkeys(chosen))
