"""What is laid over a plot: another session, or the band in which a label's samples lie in other sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.standard import open_dataset
from core.errors import DatasetError
from core.workspace import Workspace

if TYPE_CHECKING:
    from tools.session import Window

SESSIONS = 24
"""A band is drawn from so many sessions at most."""
PERCENT = (5.0, 95.0)


@dataclass(frozen=True, slots=True)
class Band:
    """Where most samples of a label lie."""

    label: str
    sessions: int
    reach: Mapping[str, tuple[float, float]]
    """By channel, from the 5th to the 95th percentile."""


def labels_to_lay_over(workspace: Workspace, dataset: str) -> list[str]:
    """The labels of a dataset. Raises DatasetError."""
    return list(open_dataset(workspace, dataset).activities)


def sessions_to_lay_over(workspace: Workspace, dataset: str) -> list[str]:
    """The sessions of a dataset. Raises DatasetError."""
    return list(open_dataset(workspace, dataset).sessions)


def session_over(workspace: Workspace, dataset: str, session: str) -> Window:
    """Another session's samples. Raises DatasetError."""
    return open_dataset(workspace, dataset).load(session)


def label_band(workspace: Workspace, dataset: str, label: str, channels: Sequence[str], but: str) -> Band:
    """Where 90 of 100 samples of a label lie, in up to `SESSIONS` sessions spread over the dataset.

    Args:
        workspace: where the dataset is.
        dataset: its name.
        label: which label.
        channels: which channels.
        but: a session that is left out, and with it all of the same person where people are known.

    Raises:
        DatasetError: no session has that label, or one cannot be read.
    """
    data = open_dataset(workspace, dataset)
    person = data.subjects.get(but)
    others = [
        session
        for session in data.sessions
        if label in data.labels[session] and session != but and (person is None or data.subjects.get(session) != person)
    ]
    if not others:
        raise DatasetError(f"no session of somebody else in {dataset} has the label {label!r}")
    chosen = [others[int(at)] for at in np.linspace(0, len(others) - 1, min(SESSIONS, len(others)))]
    samples: dict[str, list[np.ndarray]] = {}
    for session in chosen:
        window = data.load(session)
        for row, name in enumerate(window.names):
            if name in channels:
                samples.setdefault(name, []).append(window.values[row])
    reach = {name: np.nanpercentile(np.concatenate(rows), PERCENT) for name, rows in samples.items()}
    return Band(label, len(chosen), {name: (float(low), float(high)) for name, (low, high) in reach.items()})
