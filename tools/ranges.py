"""How the measurements of other people's sessions lie, label by label: what to measure, never which label it is.

Nothing here reads this session. It gives ranges and no verdict, so the answer has to be worked out by measuring.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.held_out import Others, counted, others, weights
from tools.measured import measured_sensor, measured_unit
from tools.memory_cache import MemoryCache
from tools.reference import chosen_labels
from tools.registry import ToolContext, ToolError, nearest, tool
from tools.results import fitting, rounded_all
from tools.session import Dataset, FeatureTable, Samples

PERCENTILES = (10, 50, 90)
MEMORY_BYTES = 64 * 2**20
"""Of the ranges kept in the process, one entry for each dataset and subject left out: fitting them takes no longer than
reading them from a file would."""
MIN_SHARE = 0.5
"""A label has a range of a measurement that could be told in at least this share of its sessions with that sensor."""
MAX_CORRELATION = 0.7
"""Measurements that go together more closely than this, within a label, tell the same thing twice."""
FEATURES = 8
_NAMED = 4
"""Measurements named at most of those that there is no room for."""
_CLEARLY_APART = 5.0
"""A gap between two labels beyond which more of it counts no further: they are apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """The measurements of other subjects' labelled sessions."""

    table: FeatureTable
    labels: tuple[str, ...]
    basis: Others
    rows: tuple[NDArray[np.intp], ...]
    """Of each label, the rows of the table that are its sessions."""
    percentiles: Samples
    """Shape (labels, measurements, `PERCENTILES`); NaN where too few sessions have one."""
    correlation: Samples
    """Between measurements within the labels, by ranks' amounts about each label's median; shape (names, names)."""


@tool
def look_up_ranges(
    context: ToolContext,
    labels: list[str] | None = None,
    features: list[str] | None = None,
    sensors: list[str] | None = None,
) -> dict[str, Any]:
    """Tell how the measurements of other people's sessions lie for each label: 10th, 50th and 90th percentile.

    It does not look at this session. A feature's name says which tool measures it: detect_periodicity/acc/cadence is
    the cadence of acc in a result of detect_periodicity. A label's ranges stand in the order of the features. Without
    features it names the few that tell the labels apart best.

    Args:
        labels: these labels only, the fewer the better the features chosen fit them; all labels when left out.
        features: the measurements to look up, by their names in an earlier result; few labels leave room for more.
        sensors: choose among the measurements of these sensors, such as those that the session has; all when left out.
    """
    ranges = ranges_for(context.dataset, context.session, context.barred)
    wanted = chosen_labels(labels, ranges.labels, context.dataset.activities)
    there = [ranges.labels.index(label) for label in wanted if label in ranges.labels]
    if not there:
        raise ToolError("no other person has a session with these labels", **nearest("", ranges.labels, "known_labels"))
    if features:
        unknown = [name for name in features if name not in ranges.table.names]
        if unknown:
            raise ToolError(
                f"there are no ranges of {unknown[0][:80]!r}",
                **nearest(unknown[0], ranges.table.names, "available_features"),
            )
        columns = [ranges.table.names.index(name) for name in dict.fromkeys(features)]
    else:
        columns = _parting(ranges, there, _allowed(context, ranges, sensors))
    return fitting(_results(context, ranges, there, columns, [label for label in wanted if label not in ranges.labels]))


def parting_names(context: ToolContext, labels: Sequence[str] | None, names: Sequence[str], count: int) -> list[str]:
    """The `count` of these measurements that set the labels apart best, best first. Raises ToolError: for a label that
    is not there, and where no other person has a session."""
    ranges = ranges_for(context.dataset, context.session, context.barred)
    wanted = chosen_labels(list(labels) if labels else None, ranges.labels, context.dataset.activities)
    there = [ranges.labels.index(label) for label in wanted if label in ranges.labels]
    if not there:
        raise ToolError("no other person has a session with these labels", **nearest("", ranges.labels, "known_labels"))
    known = frozenset(names)
    free = np.array([name in known for name in ranges.table.names], dtype=bool)
    return [ranges.table.names[column] for column in _parting(ranges, there, free)[:count]] if free.any() else []


def ranges_for(dataset: Dataset, session: str, barred: frozenset[str] = frozenset()) -> Ranges:
    """The ranges of other subjects' sessions but the barred ones, kept in the process.

    Raises:
        ToolError: there are none.
    """
    table = dataset.measurements()
    subject = dataset.subjects.get(session)
    left_out = f"subject {subject}" if subject is not None else f"session {session}"
    return _RANGES.of(dataset.name, table, (left_out, barred), lambda: _make_ranges(dataset, table, session, barred))


def _size(ranges: Ranges) -> int:
    rows = sum(rows.nbytes for rows in (*ranges.rows, ranges.basis.allowed))
    return ranges.percentiles.nbytes + ranges.correlation.nbytes + rows + 8 * len(ranges.basis.units or ())


_RANGES = MemoryCache[Ranges](MEMORY_BYTES, _size)


def _make_ranges(dataset: Dataset, table: FeatureTable, session: str, barred: frozenset[str]) -> Ranges:
    basis = others(dataset, table, session, barred)
    rows = np.flatnonzero(basis.allowed)
    if not rows.size:
        raise ToolError("there are no labelled sessions of other people")
    row_labels = np.array([dataset.labels[table.sessions[row]][0] for row in rows], dtype=object)
    labels = tuple(sorted(set(row_labels)))
    values, weight = table.values[rows], weights(basis, rows, list(row_labels))
    sensors = [measured_sensor(name, dataset.channels) for name in table.names]
    percentiles = np.full((len(labels), len(table.names), len(PERCENTILES)), np.nan)
    about_median = np.full(values.shape, np.nan)
    for at, label in enumerate(labels):
        own = row_labels == label
        known = _known(values[own], sensors)
        percentiles[at, known] = _percentiles(values[np.ix_(own, known)], None if weight is None else weight[own])
        about_median[own] = values[own] - percentiles[at, :, 1]
    rows_of = tuple(rows[row_labels == label] for label in labels)
    return Ranges(table, labels, basis, rows_of, percentiles, _correlation(about_median))


def _known(values: Samples, sensors: Sequence[str]) -> NDArray[np.bool_]:
    """The columns that are finite in enough of the rows that hold anything of the column's sensor."""
    finite = np.isfinite(values)
    with_sensor = {sensor: finite[:, [own == sensor for own in sensors]].any(axis=1).sum() for sensor in set(sensors)}
    there = np.array([with_sensor[sensor] for sensor in sensors])
    return (there > 0) & (finite.sum(axis=0) >= MIN_SHARE * there)


def _percentiles(values: Samples, weight: Samples | None) -> Samples:
    """`PERCENTILES` of each column, shape (columns, percentiles); by weight where rows count for less than one."""
    if weight is None or not values.size:
        whole = np.isfinite(values).all(axis=0)
        percentiles = np.empty((len(PERCENTILES), values.shape[1]))
        percentiles[:, whole] = np.percentile(values[:, whole], PERCENTILES, axis=0)
        percentiles[:, ~whole] = np.nanpercentile(values[:, ~whole], PERCENTILES, axis=0)  # a column at a time, so slow
        return percentiles.T
    each = np.broadcast_to(weight[:, None], values.shape)
    return np.nanpercentile(values, PERCENTILES, axis=0, weights=each, method="inverted_cdf").T


def _correlation(values: Samples) -> Samples:
    """Pearson's r of each pair of columns, outliers drawn in to ten median deviations; 0 where it cannot be told."""
    known = np.isfinite(values)
    centred = np.where(known, values, 0.0)
    spread = np.array([np.median(np.abs(column[column != 0])) if column.any() else 1.0 for column in centred.T])
    centred = np.clip(centred, -10 * spread, 10 * spread)
    size = np.sqrt((centred**2).sum(axis=0))
    scaled = centred / np.where(size > 0, size, 1.0)
    return np.asarray(scaled.T @ scaled, dtype=float)


def gaps(ranges: Ranges, first: int, second: int) -> Samples:
    """How far apart two labels' medians lie, in half widths of their ranges; shape (names,), 0 where one has none."""
    near, far = ranges.percentiles[first], ranges.percentiles[second]
    below = near[:, 1] < far[:, 1]
    toward = np.where(below, near[:, 2] - near[:, 1], near[:, 1] - near[:, 0])
    back = np.where(below, far[:, 1] - far[:, 0], far[:, 2] - far[:, 1])
    size = np.maximum(np.abs(near[:, 1]), np.abs(far[:, 1]))
    apart = np.abs(near[:, 1] - far[:, 1]) / np.maximum(toward + back, 0.02 * size + 1e-9)
    return np.where(np.isfinite(apart), apart, 0.0)


def _allowed(context: ToolContext, ranges: Ranges, sensors: Sequence[str] | None) -> NDArray[np.bool_]:
    """The measurements of these sensors, of any where none is named. Raises ToolError for one that is not there."""
    of = [measured_sensor(name, context.dataset.channels) for name in ranges.table.names]
    known = list(dict.fromkeys(filter(None, of)))
    for sensor in sensors or ():
        if sensor not in known:
            raise ToolError(f"there is no sensor {sensor[:80]!r} with ranges", **nearest(sensor, known, "sensors"))
    return np.array([not sensors or sensor in sensors for sensor in of], dtype=bool)


def _parting(ranges: Ranges, labels: Sequence[int], free: NDArray[np.bool_]) -> list[int]:
    """Of the `free` measurements the few, little correlated, that set these labels apart pair by pair, best first."""
    pairs = [(first, second) for at, first in enumerate(labels) for second in labels[at + 1 :]]
    apart = np.array([gaps(ranges, first, second) for first, second in pairs] or [_any_known(ranges, labels)])
    apart = np.minimum(apart, _CLEARLY_APART) if len(pairs) > 1 else apart
    reached = np.zeros(len(apart))
    chosen: list[int] = []
    while len(chosen) < FEATURES and free.any():
        gain = np.maximum(apart - reached[:, None], 0).sum(axis=0) if len(pairs) > 1 else apart[0]
        best = int(np.argmax(np.where(free, gain, -1)))
        if gain[best] <= 0:
            break
        chosen.append(best)
        reached = np.maximum(reached, apart[:, best])
        free &= np.abs(ranges.correlation[best]) < MAX_CORRELATION
        free[best] = False
    return chosen


def _any_known(ranges: Ranges, labels: Sequence[int]) -> NDArray[np.float64]:
    return np.isfinite(ranges.percentiles[list(labels), :, 1]).all(axis=0).astype(float)


def _results(
    context: ToolContext, ranges: Ranges, labels: Sequence[int], columns: Sequence[int], without: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The result, with the most features first."""
    names = ranges.table.names
    sessions = np.concatenate([ranges.rows[label] for label in labels])
    basis = counted(context.dataset, ranges.table, ranges.basis, sessions).told()
    if without:
        basis["labels_without_sessions"] = [label[:40] for label in without[:8]]
    for shown in range(len(columns), 0, -1):
        few = columns[:shown]
        lies = {
            ranges.labels[label][:60]: [
                rounded_all(ranges.percentiles[label, column])
                if np.isfinite(ranges.percentiles[label, column, 1])
                else None
                for column in few
            ]
            for label in labels
        }
        units = {names[column]: measured_unit(names[column], context.dataset.channels) for column in few}
        rest = [names[column] for column in columns[shown:]][:_NAMED]
        left = {"features_not_shown": rest} if rest else {}
        yield {"columns": ["p10", "p50", "p90"], "features": units, "ranges": lies, **left, **basis}
