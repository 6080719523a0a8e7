"""The feature table of a dataset, kept under `.sensorloom/features/` and brought up to date session by session.

A row is fresh while its session's file has the size and time it had when the row was computed; so a dataset
that grows or changes costs only what changed, and a new label costs nothing.
"""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
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
    from tools.session import Channel, Window


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

    def path_of(self, session: str) -> Path:
        """Where a session's samples are."""
        ...

    def load(self, session: str) -> Window:
        """Read one session's samples."""
        ...


LOOK_AGAIN_SEC = 20.0
"""How long a table is used in one process before every session's file is compared with it again: looking at
10,000 files costs about as much as ten tool calls."""


@dataclass(slots=True)
class _Recent:
    """A table and what it was made from."""

    opened: Measured
    changed_ns: int
    """The sessions folder's time."""
    stamps: NDArray[np.int64]
    looked: float
    """When the files were last compared, by the monotonic clock."""
    table: Table


_recent: dict[Path, _Recent] = {}
"""By the dataset's folder."""
_building = Lock()


def feature_table(dataset: Measured, progress: Callable[[int, int, str], None] | None = None) -> Table:
    """The features of all labelled sessions that can be read, in the order of `dataset.sessions`.

    The first call in a process compares every file with the cache, and so does one every `LOOK_AGAIN_SEC`; those
    between look at the dataset's own files and its sessions folder. Sessions whose file is damaged have no row:
    `check` names them.

    Raises:
        DatasetError: the sessions folder cannot be read.
    """
    try:
        changed = dataset.sessions_folder.stat().st_mtime_ns
    except OSError as error:
        raise DatasetError(f"{dataset.sessions_folder}: {system_reason(error)}") from error
    with _building:
        known = _recent.get(dataset.folder)
        if known is None or known.opened is not dataset or known.changed_ns != changed or _outdated(known):
            sessions, stamps = _stamps(dataset)
            table = _bring_up_to_date(dataset, sessions, stamps, progress)
            known = _recent[dataset.folder] = _Recent(dataset, changed, stamps, time.monotonic(), table)
        return known.table


def _outdated(known: _Recent) -> bool:
    """Whether a session's file is no longer what the table was made from; looked into now and then only."""
    if time.monotonic() - known.looked < LOOK_AGAIN_SEC:
        return False
    stamps = _stamps(known.opened)[1]
    known.looked = time.monotonic()
    return stamps.shape != known.stamps.shape or bool((stamps != known.stamps).any())


def _bring_up_to_date(
    dataset: Measured,
    sessions: tuple[str, ...],
    stamps: NDArray[np.int64],
    progress: Callable[[int, int, str], None] | None,
) -> Table:
    import numpy as np

    from tools.features import FEATURES_VERSION, Table, feature_names, table_of

    names = feature_names(dataset.channels)
    cache = dataset.cache / f"{dataset.name}-{digest(str(dataset.folder).encode())[:12]}.npz"
    key = msgspec.json.encode([FEATURES_VERSION, names])
    cached = _read_cache(cache, key)
    values = np.full((len(sessions), len(names)), np.nan)
    fresh = np.zeros(len(sessions), dtype=bool)
    if cached:
        row_of = {session: row for row, session in enumerate(cached[0])}
        old = np.array([row_of.get(session, -1) for session in sessions], dtype=np.int64)
        fresh = (old >= 0) & (cached[1][old] == stamps).all(axis=1) if len(cached[0]) else fresh
        values[fresh] = cached[2][old[fresh]]
    computed = table_of(
        dataset.channels, _windows(dataset, [sessions[row] for row in np.flatnonzero(~fresh)], progress)
    )
    row_of = {session: row for row, session in enumerate(sessions)}
    rows = np.array([row_of[session] for session in computed.sessions], dtype=np.int64)
    values[rows] = computed.values
    fresh[rows] = True
    readable = tuple(session for session, good in zip(sessions, fresh, strict=True) if good)
    if cached is None or len(rows) or cached[0] != readable:
        _write_cache(cache, key, readable, stamps[fresh], values[fresh])
    return Table(names, readable, values[fresh])


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


def _stamps(dataset: Measured) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The sessions that have a data file, and each file's size and time. Shape (sessions, 2)."""
    import numpy as np

    sessions: list[str] = []
    stamps: list[tuple[int, int]] = []
    for session in dataset.sessions:
        try:
            status = os.stat(dataset.path_of(session))  # noqa: PTH116  half the cost of Path.stat for 10,000 files
        except (OSError, DatasetError):
            continue
        sessions.append(session)
        stamps.append((status.st_size, status.st_mtime_ns))
    return tuple(sessions), np.array(stamps, dtype=np.int64).reshape(-1, 2)


_Kept = tuple[tuple[str, ...], "NDArray[np.int64]", "NDArray[np.float64]"]


def _read_cache(path: Path, key: bytes) -> _Kept | None:
    """What was kept; None when there is nothing, or it is of other features or damaged."""
    import numpy as np

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if arrays["key"].tobytes() != key:
                return None
            sessions = msgspec.json.decode(arrays["sessions"].tobytes(), type=tuple[str, ...])
            stamps, values = arrays["stamps"], arrays["values"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, msgspec.DecodeError):
        return None
    return (sessions, stamps, values) if len(stamps) == len(values) == len(sessions) else None


def _write_cache(path: Path, key: bytes, sessions: Sequence[str], stamps: NDArray[np.int64], values: object) -> None:
    import numpy as np

    buffer = io.BytesIO()
    listed = np.frombuffer(msgspec.json.encode(sessions), dtype=np.uint8)
    np.savez(buffer, key=np.frombuffer(key, np.uint8), sessions=listed, stamps=stamps, values=np.asarray(values))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, buffer.getvalue())
    except (OSError, SensorloomError):
        return  # a full or read-only disk costs the next start the same work again, nothing else
