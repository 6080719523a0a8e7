"""What other people's sessions of each label look like, fitted once for whom it leaves out, and kept.

A reference hangs on the dataset, whom it leaves out and the features that a window has. The process keeps the last used
ones; the dataset may keep them for the next process, too (`tools.session.Dataset.cached`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.discriminant import Discriminant, fit, most_telling, per_label, without_gaps
from tools.features import DURATION, for_comparison
from tools.held_out import Counted, Others, counted, others, weights
from tools.memory_cache import MemoryCache
from tools.registry import ToolError
from tools.session import Dataset, FeatureTable, Samples

REFERENCE_VERSION = 1
"""Changes whenever the same table would give another reference: what was kept of another version is fitted anew."""

MEMORY_BYTES = 256 * 2**20
"""Of the references kept in the process: some 1,400 of a dataset of 3,769 sessions and six labels."""

MAX_FEATURES = 500
"""Features that a comparison rests on at most: the time to prepare one grows with their cube."""

_PARTS = ("row_labels", "points", "centres", "middle", "projection")


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Other subjects' labelled sessions on some features."""

    columns: tuple[str, ...]
    discriminant: Discriminant
    means: Samples
    """Each label's feature means in the features' own units, shape (labels, features)."""
    spreads: Samples
    """Each label's feature standard deviations, shape (labels, features)."""
    counted: Counted
    median_sec: float
    units: tuple[str, ...] | None
    """Of each session, the recording or subject that counts as one; None where each session counts for itself."""


def reference_for(
    dataset: Dataset, session: str, columns: Sequence[str], barred: frozenset[str] = frozenset()
) -> Reference:
    """The statistics of other subjects' sessions on these features, but for the barred sessions; from where they are
    kept, if they are.

    Raises:
        ToolError: there are none.
    """
    table = dataset.features()
    columns = tuple(columns)
    subject = dataset.subjects.get(session)
    left_out = f"subject {subject}" if subject is not None else f"session {session}"

    def fitted() -> Reference:
        about = ["reference", REFERENCE_VERSION, left_out, columns, sorted(barred)]
        return _read(
            dataset.cached(table, json.dumps(about), lambda: _fitted(dataset, table, session, columns, barred))
        )

    return _REFERENCES.of(dataset.name, table, (left_out, columns, barred), fitted)


def _size(reference: Reference) -> int:
    space = reference.discriminant
    arrays = (reference.means, reference.spreads, *(getattr(space, part) for part in _PARTS))
    return sum(array.nbytes for array in arrays) + 8 * len(reference.units or ())


_REFERENCES = MemoryCache[Reference](MEMORY_BYTES, _size)


def _fitted(
    dataset: Dataset, table: FeatureTable, session: str, columns: tuple[str, ...], barred: frozenset[str]
) -> dict[str, NDArray[Any]]:
    """A reference as the arrays that are kept of it. Raises ToolError where there is nothing to fit."""
    basis = others(dataset, table, session, barred)
    rows, columns, raw = _compared_rows(dataset, table, basis, columns)
    row_labels = [dataset.labels[table.sessions[row]][0] for row in rows]
    weight = weights(basis, rows, row_labels)
    discriminant = fit(without_gaps(for_comparison(columns, raw)), row_labels, weight)
    means, spreads = per_label(without_gaps(raw), discriminant.row_labels, len(discriminant.labels), weight)
    lengths = table.values[rows, table.names.index(DURATION)] if DURATION in table.names else np.array([np.nan])
    header = {
        "columns": columns,
        "labels": discriminant.labels,
        "counted": astuple(counted(dataset, table, basis, rows)),
        "units": None if basis.units is None else [basis.units[row] for row in rows],
    }
    return {
        "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
        "median_sec": np.array(np.nanmedian(lengths)),
        "means": means,
        "spreads": spreads,
        **{part: np.ascontiguousarray(getattr(discriminant, part)) for part in _PARTS},
    }


def _compared_rows(
    dataset: Dataset, table: FeatureTable, basis: Others, columns: tuple[str, ...]
) -> tuple[NDArray[np.intp], tuple[str, ...], Samples]:
    """The rows of the table that are compared with, the columns that most of them have, and their values. Raises
    ToolError where there are no rows."""
    at = {name: column for column, name in enumerate(table.names)}
    values = table.values[:, [at[name] for name in columns]]
    finite = np.isfinite(values)
    rows = np.flatnonzero(basis.allowed & (finite.mean(axis=1) > 0.5))
    if not rows.size:
        raise ToolError("there are no labelled sessions of other subjects with these channels")
    chosen = np.flatnonzero(finite[rows].mean(axis=0) > 0.5)
    if len(chosen) > MAX_FEATURES:
        compared = without_gaps(for_comparison(columns, values[rows])[:, chosen])
        row_labels = [dataset.labels[table.sessions[row]][0] for row in rows]
        chosen = chosen[most_telling(compared, row_labels, MAX_FEATURES)]
    return rows, tuple(columns[column] for column in chosen), values[rows][:, chosen]


def _read(arrays: Mapping[str, NDArray[Any]]) -> Reference:
    header = json.loads(arrays["header"].tobytes())
    discriminant = Discriminant(tuple(header["labels"]), *(arrays[part] for part in _PARTS))
    units = None if header["units"] is None else tuple(header["units"])
    return Reference(
        tuple(header["columns"]),
        discriminant,
        arrays["means"],
        arrays["spreads"],
        Counted(*header["counted"]),
        float(arrays["median_sec"]),
        units,
    )
