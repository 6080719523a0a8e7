"""Which sessions an answer about a session may rest on: other subjects' only."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tools.session import Dataset, FeatureTable

_NUMBERED = re.compile(r"^(.*?)(\d+)$")


def others(dataset: Dataset, table: FeatureTable, session: str) -> tuple[NDArray[np.bool_], str]:
    """Which rows of the table may be used for this session, and which may not, in words."""
    labelled = np.array([bool(dataset.labels.get(other)) and other != session for other in table.sessions], dtype=bool)
    subject = dataset.subjects.get(session)
    if subject is not None:
        others = np.array([dataset.subjects.get(other, subject) != subject for other in table.sessions], dtype=bool)
        return labelled & others, "every session of this session's own subject"
    near = np.array([_may_overlap(other, session, table.sessions) for other in table.sessions], dtype=bool)
    twins = _twins(table, session)
    return labelled & ~near & ~twins, (
        "this session, sessions numbered next to it or of the same recording, and near-duplicates; "
        "its subject is not known, so others of its subject may be in"
    )


def _may_overlap(other: str, session: str, sessions: Sequence[str]) -> bool:
    """Whether two ids look like windows of one recording: one stem, or neighbouring numbers where all share it."""
    mine, theirs = _NUMBERED.match(session), _NUMBERED.match(other)
    if mine is None or theirs is None or mine[1] != theirs[1]:
        return False
    everywhere = sum(1 for other in sessions[:200] if other.startswith(mine[1])) > 0.5 * min(len(sessions), 200)
    return not everywhere or abs(int(mine[2]) - int(theirs[2])) <= 2


def _twins(table: FeatureTable, session: str) -> NDArray[np.bool_]:
    """Rows whose features are nearly the session's own: copies under another id."""
    if session not in table.sessions:
        return np.zeros(len(table.sessions), dtype=bool)
    own = table.values[table.sessions.index(session)]
    use = np.isfinite(own)
    spread = np.nanstd(table.values[:, use], axis=0)
    difference = np.abs(table.values[:, use] - own[use]) / np.where(spread > 0, spread, np.inf)
    return np.nanmedian(difference, axis=1) < 0.01
