"""The tables of a dataset, one of features and one of what the measuring tools print of every session, kept under
`.sensorloom/features/` and brought up to date session by session.

A row is fresh while its session's file has the size and time it had when the row was computed; so a dataset
that grows or changes costs only what changed, and a new label costs nothing.
"""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import msgspec

from core.errors import DatasetError, SensorloomError, system_reason
from core.storage.atomic import digest, write_atomic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.features import Table
    from tools.session import Channel, FeatureTable, Window


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

    def load(self, session: str) -> Window:
        """Read one session's samples."""
        ...


LOOK_AGAIN_SEC = 20.0
"""How long a table is used in one process before every session's file is compared with it again: looking at
10,000 files costs about as much as ten tool calls."""

MEASURED_EACH, MEASURED_UNKNOWN = 12, 200
"""Sessions that are measured for ranges: of each label so many of a subject, and so many where no subject is known.
Percentiles need no more, and measuring costs ten times what the features do."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a table is of."""

    ending: str
    """Of its file's name, before the suffix."""
    key: bytes
    """A cached table with another one is stale."""
    sessions: tuple[str, ...]
    compute: Callable[[Iterator[tuple[str, Window]]], FeatureTable]


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
_building = Lock()


def feature_table(dataset: Measured, progress: Callable[[int, int, str], None] | None = None) -> Table:
    """The features of all labelled sessions that can be read, in the order of `dataset.sessions`.

    The first call in a process compares every file with the cache, and so does one every `LOOK_AGAIN_SEC`; those
    between look at the dataset's own files and its sessions folder. Sessions whose file is damaged have no row:
    `check` names them.

    Raises:
        DatasetError: the sessions folder cannot be read.
    """
    from tools.features import FEATURES_VERSION, Table, feature_names, table_of

    key = msgspec.json.encode([FEATURES_VERSION, feature_names(dataset.channels)])
    kind = _Kind("", key, dataset.sessions, lambda windows: table_of(dataset.channels, windows))
    table = _table(dataset, kind, progress)
    return table if isinstance(table, Table) else Table(table.names, table.sessions, table.values)


def measurement_table(dataset: Measured, progress: Callable[[int, int, str], None] | None = None) -> FeatureTable:
    """What the measuring tools print of some sessions of each label and subject; kept and renewed as the features are.

    Raises:
        DatasetError: the sessions folder cannot be read.
    """
    from tools.measured import MEASURED_VERSION, measurements_of

    channels = [(channel.name, channel.unit, channel.description) for channel in dataset.channels]
    key = msgspec.json.encode([MEASURED_VERSION, channels])
    kind = _Kind("-measured", key, _to_be_measured(dataset), measurements_of)
    return _table(dataset, kind, progress)


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


def _table(dataset: Measured, kind: _Kind, progress: Callable[[int, int, str], None] | None) -> FeatureTable:
    try:
        changed = dataset.sessions_folder.stat().st_mtime_ns
    except OSError as error:
        raise DatasetError(f"{dataset.sessions_folder}: {system_reason(error)}") from error
    with _building:
        known = _recent.get((dataset.folder, kind.ending))
        if known is None or known.opened is not dataset or known.changed_ns != changed or _outdated(known, kind):
            sessions, stamps = _stamps(dataset, kind.sessions)
            table = _bring_up_to_date(dataset, kind, sessions, stamps, progress)
            known = _Recent(dataset, changed, stamps, time.monotonic(), table)
            _recent[dataset.folder, kind.ending] = known
        return known.table


def _outdated(known: _Recent, kind: _Kind) -> bool:
    """Whether a session's file is no longer what the table was made from; looked into now and then only."""
    if time.monotonic() - known.looked < LOOK_AGAIN_SEC:
        return False
    stamps = _stamps(known.opened, kind.sessions)[1]
    known.looked = time.monotonic()
    return stamps.shape != known.stamps.shape or bool((stamps != known.stamps).any())


def _bring_up_to_date(
    dataset: Measured,
    kind: _Kind,
    sessions: tuple[str, ...],
    stamps: NDArray[np.int64],
    progress: Callable[[int, int, str], None] | None,
) -> FeatureTable:
    import numpy as np

    from tools.features import Table

    cache = dataset.cache / f"{dataset.name}-{digest(str(dataset.folder).encode())[:12]}{kind.ending}.npz"
    cached = _read_cache(cache, kind.key)
    fresh = np.zeros(len(sessions), dtype=bool)
    old = np.zeros(len(sessions), dtype=np.int64)
    if cached and cached.table.sessions:
        row_of = {session: row for row, session in enumerate(cached.table.sessions)}
        old = np.array([row_of.get(session, -1) for session in sessions], dtype=np.int64)
        fresh = (old >= 0) & (cached.stamps[old] == stamps).all(axis=1)
    computed = kind.compute(_windows(dataset, [sessions[row] for row in np.flatnonzero(~fresh)], progress))
    names = tuple(dict.fromkeys([*(cached.table.names if cached else ()), *computed.names]))
    column_of = {name: column for column, name in enumerate(names)}
    values = np.full((len(sessions), len(names)), np.nan)
    if cached:
        values[np.flatnonzero(fresh), : len(cached.table.names)] = cached.table.values[old[fresh]]
    row_of = {session: row for row, session in enumerate(sessions)}
    rows = np.array([row_of[session] for session in computed.sessions], dtype=np.int64)
    values[np.ix_(rows, np.array([column_of[name] for name in computed.names], dtype=np.int64))] = computed.values
    fresh[rows] = True
    readable = tuple(session for session, good in zip(sessions, fresh, strict=True) if good)
    table = Table(names, readable, values[fresh])
    if cached is None or len(rows) or cached.table.sessions != readable:
        _write_cache(cache, kind.key, _Kept(table, stamps[fresh]))
    return table


def _windows(
    dataset: Measured, sessions: Sequence[str], progress: Callable[[int, int, str], None] | None
) -> Iterator[tuple[str, Window]]:
    """The sessions that can be read, one at a time."""
    for number, session in enumerate(sessions):
        if progress:
            progress(number, len(sessions), session)
        try:
            yield session, dataset.load(session)
        except DatasetError:
            continue


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


@dataclass(frozen=True, slots=True)
class _Kept:
    """A table as the cache has it, and each session's size and time then."""

    table: FeatureTable
    stamps: NDArray[np.int64]


def _read_cache(path: Path, key: bytes) -> _Kept | None:
    """What was kept; None when there is nothing, or it is of other numbers or damaged."""
    import numpy as np

    from tools.features import Table

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if arrays["key"].tobytes() != key:
                return None
            names = msgspec.json.decode(arrays["names"].tobytes(), type=tuple[str, ...])
            sessions = msgspec.json.decode(arrays["sessions"].tobytes(), type=tuple[str, ...])
            stamps, values = arrays["stamps"], arrays["values"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, msgspec.DecodeError):
        return None
    fits = len(stamps) == len(sessions) and values.shape == (len(sessions), len(names))
    return _Kept(Table(names, sessions, values), stamps) if fits else None


def _write_cache(path: Path, key: bytes, cached: _Kept) -> None:
    import numpy as np

    buffer = io.BytesIO()
    table = cached.table
    names = np.frombuffer(msgspec.json.encode(table.names), dtype=np.uint8)
    listed = np.frombuffer(msgspec.json.encode(table.sessions), dtype=np.uint8)
    known = np.frombuffer(key, np.uint8)
    np.savez(buffer, key=known, names=names, sessions=listed, stamps=cached.stamps, values=table.values)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, buffer.getvalue())
    except (OSError, SensorloomError):
        return  # a full or read-only disk costs the next start the same work again, nothing else
