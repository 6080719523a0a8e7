"""The tables of a dataset, one of features and one of what the measuring tools print of every session, kept under
`.sensorloom/features/` and brought up to date session by session.

A row is fresh while its session's file has the size and time it had when the row was computed; so a dataset
that grows or changes costs only what changed, and a new label costs nothing.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import msgspec

from core.datasets.array_files import only_maker
from core.datasets.table_cache import Refresh, read_table, write_table
from core.datasets.table_news import TableNews, teller
from core.errors import DatasetError, system_reason
from core.storage.atomic import digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.datasets.table_rows import Compute, Elsewhere
    from tools.features import Table
    from tools.session import Channel, FeatureTable

Progress = Callable[[int, int, str], None]
"""Told how many sessions are computed, of how many, and which was the last; of no session while another process of ours
computes them. What it raises ends the work."""


class Measured(Protocol):
    """What a table is made of: a dataset in the standard form, as `core.datasets.standard` opens it."""

    @property
    def name(self) -> str:
        """The dataset's name."""
        ...

    @property
    def folder(self) -> Path:
        """The dataset's folder."""
        ...

    @property
    def sessions_folder(self) -> Path:
        """Where its sessions are."""
        ...

    @property
    def cache(self) -> Path:
        """The folder where the table is kept."""
        ...

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels whose features are computed."""
        ...

    @property
    def described_channels(self) -> tuple[Channel, ...]:
        """The channels that the manifest describes."""
        ...

    @property
    def sessions(self) -> tuple[str, ...]:
        """The ids of the labelled sessions."""
        ...

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        """Session to labels."""
        ...

    @property
    def subjects(self) -> Mapping[str, str]:
        """Session to subject, where it is known."""
        ...

    def path_of(self, session: str) -> Path:
        """Where a session's samples are."""
        ...


LOOK_AGAIN_SEC = 20.0
"""How long a table is used in one process before every session's file is compared with it again: looking at
10,000 files costs about as much as ten tool calls."""

MEASURED_EACH, MEASURED_UNKNOWN = 12, 200
"""Sessions that are measured for ranges: of each label so many of a subject, and so many where no subject is known.
Percentiles need no more, and measuring costs ten times what the features do."""


FEATURES, MEASURED = "", "-measured"
"""Endings of the names of tables' files, before the suffix."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a table is of."""

    what: str
    """In a word, as a person is told."""
    ending: str
    """Of its file's name, before the suffix."""
    key: bytes
    """A cached table with another one is stale."""
    sessions: Callable[[], tuple[str, ...]]
    compute: Callable[[], Compute]


@dataclass(slots=True)
class _Recent:
    """A table and what it was made from."""

    opened: Measured
    changed_ns: int
    """The sessions folder's time."""
    stamps: NDArray[np.int64]
    looked: float
    """When the files were last compared, by the monotonic clock."""
    table: FeatureTable


_recent: dict[tuple[Path, str], _Recent] = {}
"""By the dataset's folder and the kind of table."""
_building: defaultdict[tuple[Path, str], Lock] = defaultdict(Lock)


def feature_table(dataset: Measured, progress: Progress | None = None, elsewhere: Elsewhere | None = None) -> Table:
    """The features of all labelled sessions that can be read, in the order of `dataset.sessions`.

    The first call in a process compares every file with the cache, and so does one every `LOOK_AGAIN_SEC`; those
    between look at the dataset's own files and its sessions folder. Sessions whose file is damaged have no row:
    `check` names them. `elsewhere` is where it is computed if that takes long; on all cores unless told.

    Raises:
        DatasetError: the sessions folder cannot be read.
    """
    from tools.features import FEATURES_VERSION, Table, feature_names, table_of

    key = msgspec.json.encode([FEATURES_VERSION, feature_names(dataset.channels)])
    kind = _Kind("features", FEATURES, key, lambda: dataset.sessions, lambda: table_of)
    table = _table(dataset, kind, progress, elsewhere)
    return table if isinstance(table, Table) else Table(table.names, table.sessions, table.values)


def measurement_table(
    dataset: Measured, progress: Progress | None = None, elsewhere: Elsewhere | None = None
) -> FeatureTable:
    """What the measuring tools print of some sessions of each label and subject; kept and renewed as the features are.

    Raises:
        DatasetError: the sessions folder cannot be read.
    """
    from tools.measured import MEASURED_VERSION

    def compute() -> Compute:
        from core.datasets.table_rows import measured

        return measured

    channels = [(channel.name, channel.unit, channel.description) for channel in dataset.channels]
    key = msgspec.json.encode([MEASURED_VERSION, channels])
    kind = _Kind("measurements", MEASURED, key, lambda: _to_be_measured(dataset), compute)
    return _table(dataset, kind, progress, elsewhere)


def _to_be_measured(dataset: Measured) -> tuple[str, ...]:
    """Sessions of each label and subject, evenly spread; whose are chosen hangs on no other subject's sessions."""
    groups: dict[tuple[str, str], list[str]] = {}
    for session in dataset.sessions:
        groups.setdefault((dataset.labels[session][0], dataset.subjects.get(session, "")), []).append(session)
    chosen: set[str] = set()
    for (_, subject), group in groups.items():
        most = MEASURED_EACH if subject else MEASURED_UNKNOWN
        chosen.update(group[at * len(group) // most] for at in range(most))
    return tuple(session for session in dataset.sessions if session in chosen)


def _table(dataset: Measured, kind: _Kind, progress: Progress | None, elsewhere: Elsewhere | None) -> FeatureTable:
    try:
        changed = dataset.sessions_folder.stat().st_mtime_ns
    except OSError as error:
        raise DatasetError(f"{dataset.sessions_folder}: {system_reason(error)}") from error
    which = (dataset.folder, kind.ending)
    with _building[which]:
        known = _recent.get(which)
        if known is None or known.opened is not dataset or known.changed_ns != changed or _outdated(known, kind):
            table, stamps = _up_to_date(dataset, kind, progress, elsewhere)
            known = _recent[which] = _Recent(dataset, changed, stamps, time.monotonic(), table)
        return known.table


def _outdated(known: _Recent, kind: _Kind) -> bool:
    """Whether a session's file is no longer what the table was made from; looked into now and then only."""
    if time.monotonic() - known.looked < LOOK_AGAIN_SEC:
        return False
    stamps = _stamps(known.opened, kind.sessions())[1]
    known.looked = time.monotonic()
    return stamps.shape != known.stamps.shape or bool((stamps != known.stamps).any())


def _up_to_date(
    dataset: Measured, kind: _Kind, progress: Progress | None, elsewhere: Elsewhere | None
) -> tuple[FeatureTable, NDArray[np.int64]]:
    """The table as the cache has it where it is fresh, else with what is missing computed, and the sessions' stamps."""
    sessions, stamps = _stamps(dataset, kind.sessions())
    path = table_file(dataset, kind.ending)
    cached = read_table(path, kind.key)
    if cached and cached.is_fresh(sessions, stamps):
        return cached.table, stamps
    told = progress or _to_all(dataset, kind)
    with only_maker(path.with_name(f".{path.name}.lock"), lambda: told(0, len(sessions), "")) as waited:
        refresh = Refresh(sessions, stamps, read_table(path, kind.key) if waited else cached)
        if waited and not refresh.missing():
            told(len(sessions), len(sessions), kind.what)  # or who was told of the wait would show it from now on
        try:
            _compute(dataset, kind, refresh, told, elsewhere)
        finally:  # what was computed before a stop need not be computed again
            cached = refresh.table()
            if refresh.changed:
                write_table(path, kind.key, cached)
    return cached.table, stamps


def _compute(dataset: Measured, kind: _Kind, refresh: Refresh, told: Progress, elsewhere: Elsewhere | None) -> None:
    """Compute what is missing."""
    missing = refresh.missing()
    if not missing:
        return
    from core.datasets.table_rows import rows_of

    files = [(session, dataset.path_of(session)) for session in missing]
    told(0, len(missing), missing[0])
    with closing(rows_of(kind.compute(), dataset.channels, dataset.described_channels, files, elsewhere)) as blocks:
        for done, rows in blocks:
            refresh.add(rows)
            told(done, len(missing), missing[done - 1])


def _to_all(dataset: Measured, kind: _Kind) -> Progress:
    """Tells all who hear of tables; that no session is named means that another process makes it."""
    tell = teller()

    def told(done: int, total: int, session: str) -> None:
        tell(TableNews(dataset.name, kind.what, done, total, elsewhere=not session))

    return told


def table_file(dataset: Measured, ending: str) -> Path:
    """Where a table of a dataset is kept. Args: `ending` is `FEATURES` or `MEASURED`."""
    return dataset.cache / f"{cache_name(dataset)}{ending}.npz"


def cache_name(dataset: Measured) -> str:
    """What the names of files begin with that are kept of a dataset: two folders may hold datasets of one name."""
    return f"{dataset.name}-{digest(str(dataset.folder).encode())[:12]}"


def _stamps(dataset: Measured, wanted: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Those of the wanted sessions that have a data file, and each file's size and time. Shape (sessions, 2)."""
    import numpy as np

    sessions: list[str] = []
    stamps: list[tuple[int, int]] = []
    for session in wanted:
        try:
            status = os.stat(dataset.path_of(session))  # noqa: PTH116  half the cost of Path.stat for 10,000 files
        except (OSError, DatasetError):
            continue
        sessions.append(session)
        stamps.append((status.st_size, status.st_mtime_ns))
    return tuple(sessions), np.array(stamps, dtype=np.int64).reshape(-1, 2)
