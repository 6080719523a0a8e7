"""Which sessions an answer about a session may rest on: other subjects' only, and none that is kept out of training."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.session import Dataset, FeatureTable, Samples

_NUMBERED = re.compile(r"^(.*?)(\d+)$")
_COMMON = 0.9
"""Share of a dataset's ids from which what stands before their last number is no recording's name but the dataset's."""


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """The rows of a table that an answer about one session may rest on."""

    allowed: NDArray[np.bool_]
    """Shape (sessions of the table,)."""
    units: tuple[str, ...] | None
    """Of each row of the table, what counts as one: its subject, else its recording. None where the session's own
    subject is known, and with it every other one's."""
    left_out: str
    """What is not among them, in words."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How much the chosen rows amount to."""

    sessions: int
    subjects: int
    recordings: int
    """0 where subjects are counted instead."""
    left_out: str

    def told(self) -> dict[str, Any]:
        """As a result says it."""
        recordings = {"recordings": self.recordings} if self.recordings else {}
        counts = {"sessions": self.sessions, **recordings, "subjects": self.subjects or None}
        return {"reference": {**counts, "left_out": self.left_out}}


def others(dataset: Dataset, table: FeatureTable, session: str, barred: Collection[str] = ()) -> Others:
    """Which rows of the table may be used for this session.

    Args:
        dataset: for its labels and subjects.
        table: rows of its sessions.
        session: whose subject is left out.
        barred: sessions that no answer may rest on, because they are kept out of training.
    """
    ids = table.sessions
    usable = np.array([bool(dataset.labels.get(other)) and other != session for other in ids], dtype=bool)
    barred_rows = np.array([other in barred for other in ids], dtype=bool)
    subject = dataset.subjects.get(session)
    if subject is not None:
        different = np.array([dataset.subjects.get(other, subject) != subject for other in ids], dtype=bool)
        usable &= different
        left_out, units = "every session of this session's own subject", None
    else:
        common = _common_stem(ids)
        near = np.array([_may_overlap(other, session, common) for other in ids], dtype=bool)
        usable &= ~near & ~_twins(table, session)
        units = tuple(dataset.subjects.get(other) or _recording(other, common) for other in ids)
        left_out = (
            "this session, sessions numbered next to it or of the same recording, and near-duplicates; "
            f"{_unknown(dataset)}, so others of its subject may be in; {_assumed(common)}"
        )
    if count := int((usable & barred_rows).sum()):
        left_out += f"; and {count} session{'s' * (count > 1)} kept out of training"
    return Others(usable & ~barred_rows, units, left_out)


def _unknown(dataset: Dataset) -> str:
    return "its subject is not known" if dataset.subjects else "its subject is not known, as no subject here is"


def _assumed(common: str | None) -> str:
    """What is taken for a recording, in words: no dataset says it."""
    if common is None:
        return "ids that differ in their last number are taken for windows of one recording, which counts as one"
    return "the ids tell no recordings apart, so several sessions may be of one"


def _recording(session: str, common: str | None) -> str:
    """The recording that a session is taken to be a window of: what its id has before the last number; the session
    itself where that tells nothing apart."""
    stem = _stem(session)
    return session if stem in ("", common) else stem


def counted(dataset: Dataset, table: FeatureTable, basis: Others, rows: NDArray[np.intp]) -> Counted:
    """How many sessions, subjects and recordings these rows of the table are."""
    people = {subject for row in rows if (subject := dataset.subjects.get(table.sessions[row]))}
    recordings = len({basis.units[row] for row in rows}) if basis.units is not None else 0
    return Counted(len(rows), len(people), recordings, basis.left_out)


def weights(basis: Others, rows: NDArray[np.intp], row_labels: Sequence[str]) -> Samples | None:
    """What each row counts for so that the windows that one recording has of a label count as one, 1 on average; None
    where each session counts for itself."""
    if basis.units is None:
        return None
    pairs = [(basis.units[row], label) for row, label in zip(rows, row_labels, strict=True)]
    windows = Counter(pairs)
    if len(windows) == len(pairs):
        return None
    weight = np.array([1 / windows[pair] for pair in pairs])
    return weight / weight.mean()


def _stem(session: str) -> str:
    match = _NUMBERED.match(session)
    return match[1] if match else ""


def _common_stem(sessions: Sequence[str]) -> str | None:
    """What nearly all ids have before their last number; None where they differ in it."""
    (stem, count), *_ = Counter(map(_stem, sessions)).most_common(1) or [("", 0)]
    return stem if count > _COMMON * len(sessions) else None


def _may_overlap(other: str, session: str, common: str | None) -> bool:
    """Whether two ids look like windows of one recording: one stem, or neighbouring numbers where all share it."""
    mine, theirs = _NUMBERED.match(session), _NUMBERED.match(other)
    if mine is None or theirs is None or mine[1] != theirs[1]:
        return False
    return mine[1] != common or abs(int(mine[2]) - int(theirs[2])) <= 2


def _twins(table: FeatureTable, session: str) -> NDArray[np.bool_]:
    """Rows whose features are nearly the session's own: copies under another id."""
    if session not in table.sessions:
        return np.zeros(len(table.sessions), dtype=bool)
    own = table.values[table.sessions.index(session)]
    use = np.isfinite(own)
    spread = np.nanstd(table.values[:, use], axis=0)
    difference = np.abs(table.values[:, use] - own[use]) / np.where(spread > 0, spread, np.inf)
    return np.nanmedian(difference, axis=1) < 0.01
