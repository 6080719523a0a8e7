"""A table as the cache has it: read, brought up to date session by session, written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.datasets.array_files import read_arrays, write_arrays

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.session import FeatureTable, Samples


@dataclass(frozen=True, slots=True)
class CachedTable:
    """A table, and each of its sessions' size and time when its row was computed, shape (sessions, 2)."""

    table: FeatureTable
    stamps: NDArray[np.int64]

    def is_fresh(self, sessions: tuple[str, ...], stamps: NDArray[np.int64]) -> bool:
        """Whether it is the table of these sessions as they are now."""
        same = self.table.sessions == sessions and self.stamps.shape == stamps.shape
        return same and bool((self.stamps == stamps).all())


def read_table(path: Path, key: bytes) -> CachedTable | None:
    """What the cache has; None when there is nothing, or it is of other numbers or damaged."""
    from tools.features import Table

    arrays = read_arrays(path, key)
    if arrays is None:
        return None
    try:
        names = msgspec.json.decode(arrays["names"].tobytes(), type=tuple[str, ...])
        sessions = msgspec.json.decode(arrays["sessions"].tobytes(), type=tuple[str, ...])
        stamps, values = arrays["stamps"], arrays["values"]
    except (KeyError, msgspec.DecodeError):
        return None
    fits = stamps.shape == (len(sessions), 2) and values.shape == (len(sessions), len(names))
    return CachedTable(Table(names, sessions, values), stamps) if fits else None


def write_table(path: Path, key: bytes, cached: CachedTable) -> None:
    """Keep a table, where the disk takes it."""
    import numpy as np

    names = np.frombuffer(msgspec.json.encode(cached.table.names), dtype=np.uint8)
    sessions = np.frombuffer(msgspec.json.encode(cached.table.sessions), dtype=np.uint8)
    write_arrays(
        path, key, {"names": names, "sessions": sessions, "stamps": cached.stamps, "values": cached.table.values}
    )


class Refresh:
    """A table that is being brought up to date: what is still fresh of the cached one, and rows as they come."""

    def __init__(self, sessions: tuple[str, ...], stamps: NDArray[np.int64], cached: CachedTable | None) -> None:
        """Args: `sessions` and `stamps` are what the table is to hold, `cached` what there is of it."""
        import numpy as np

        self._sessions = sessions
        self._stamps = stamps
        self._row_of = {session: row for row, session in enumerate(sessions)}
        self._names: tuple[str, ...] = cached.table.names if cached else ()
        self._there = np.zeros(len(sessions), dtype=bool)
        self._values: Samples = np.full((len(sessions), len(self._names)), np.nan)
        self.changed = cached is None
        """Whether it is another table than the cached one."""
        if cached and cached.table.sessions:
            old_row = {session: row for row, session in enumerate(cached.table.sessions)}
            old = np.array([old_row.get(session, -1) for session in sessions], dtype=np.int64)
            self._there = (old >= 0) & (cached.stamps[old] == stamps).all(axis=1)
            self._values[self._there] = cached.table.values[old[self._there]]
            self.changed = int(self._there.sum()) != len(cached.table.sessions)

    def missing(self) -> list[str]:
        """The sessions that have no fresh row yet, in their order."""
        return [session for session, there in zip(self._sessions, self._there, strict=True) if not there]

    def add(self, rows: FeatureTable) -> None:
        """Put in rows of missing sessions. Names that come up for the first time are columns behind the others."""
        import numpy as np

        if not rows.sessions:
            return
        new = [name for name in rows.names if name not in self._columns()]
        if new:
            self._names += tuple(new)
            self._values = np.pad(self._values, ((0, 0), (0, len(new))), constant_values=np.nan)
        columns = self._columns()
        at = np.array([self._row_of[session] for session in rows.sessions], dtype=np.int64)
        self._values[np.ix_(at, np.array([columns[name] for name in rows.names], dtype=np.int64))] = rows.values
        self._there[at] = True
        self.changed = True

    def table(self) -> CachedTable:
        """The table of what is there by now."""
        from tools.features import Table

        if self._there.all():
            return CachedTable(Table(self._names, self._sessions, self._values), self._stamps)
        readable = tuple(session for session, there in zip(self._sessions, self._there, strict=True) if there)
        return CachedTable(Table(self._names, readable, self._values[self._there]), self._stamps[self._there])

    def _columns(self) -> dict[str, int]:
        return {name: column for column, name in enumerate(self._names)}
