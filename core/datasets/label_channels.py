"""Channels that are the label in disguise: an activity number that was left in a recording.

Such a channel never moves within a session, and its value says which label the session has. A sensor does neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tools.features import Table
    from tools.session import Samples

REFUSAL = "never changes within a session and tells the labels apart: it is the label, not a sensor"


def label_channels(names: Sequence[str], low: Samples, high: Samples, labels: Sequence[str]) -> tuple[str, ...]:
    """The channels whose value tells each session's label.

    Args:
        names: the channels.
        low: each session's least value of each channel, shape (sessions, channels); NaN where it has none.
        high: the greatest, likewise.
        labels: each session's label.
    """
    each = np.array(labels, dtype=str)
    return tuple(name for column, name in enumerate(names) if _tells(low[:, column], high[:, column], each))


def _tells(low: Samples, high: Samples, labels: np.ndarray) -> bool:
    there = np.isfinite(low) & np.isfinite(high)
    if there.sum() < 2 or (low[there] != high[there]).any():
        return False
    values, labels = low[there], labels[there]
    by_label = {label: set(values[labels == label].tolist()) for label in set(labels.tolist())}
    distinct = set(values.tolist())
    if len(by_label) < 2 or len(distinct) < 2:
        return False
    if all(len(own) == 1 for own in by_label.values()):  # a number, or a flag, per label
        return len(values) > len(by_label) or all(value.is_integer() for value in distinct)
    apart = sum(map(len, by_label.values())) == len(distinct)
    return apart and 2 * len(distinct) <= len(values)  # several numbers for one label, each in several sessions


def label_channels_in(table: Table, labels: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The same from a dataset's feature table, which holds each channel's least and greatest value."""
    names = [name.removesuffix(":min") for name in table.names if name.endswith(":min") and ".magnitude:" not in name]
    rows = [row for row, session in enumerate(table.sessions) if labels.get(session)]
    column_of = {name: column for column, name in enumerate(table.names)}
    low, high = (table.values[np.ix_(rows, [column_of[f"{name}:{stat}"] for name in names])] for stat in ("min", "max"))
    return label_channels(names, low, high, [labels[table.sessions[row]][0] for row in rows])
