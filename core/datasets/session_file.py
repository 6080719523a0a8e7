"""One session's `data.parquet` as a window."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import DatasetError, system_reason
from tools.session import Channel, Samples, Window

TIME_COLUMN = "timestamp_sec"
"""Seconds from the session's start."""

_CACHED_WINDOWS = 256
_CACHED_BYTES = 2_000_000
"""Only windows whose file is at most this long are remembered, so that the cache stays small."""


def read_session(path: Path, described: tuple[Channel, ...]) -> Window:
    """A session's samples as float64, read-only, in rising time from 0. Recent ones are remembered until they change.

    Args:
        path: the Parquet file.
        described: the channels the manifest describes; all columns are read when there are none.

    Raises:
        DatasetError: it is no regular file, or cannot be read as a session; the message names it.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise DatasetError(f"{path}: {system_reason(error)}") from error
    if not stat.S_ISREG(found.st_mode):
        raise DatasetError(f"{path}: not a regular file")
    if found.st_size > _CACHED_BYTES:
        return _read_window(path, described)
    return _cached_window(path, found.st_mtime_ns, found.st_size, described)


def read_table(path: Path) -> Any:
    """A session's Parquet file as a `pyarrow.Table`. Raises what pyarrow raises: ArrowException or OSError."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        return file.read(use_threads=False)


@lru_cache(maxsize=_CACHED_WINDOWS)
def _cached_window(path: Path, mtime_ns: int, size: int, described: tuple[Channel, ...]) -> Window:
    return _read_window(path, described)


def _read_window(path: Path, described: tuple[Channel, ...]) -> Window:
    import pyarrow as pa

    try:
        table = read_table(path)
        columns = {name: table.column(name) for name in table.column_names}
        channels = tuple(one for one in described if one.name in columns)
        if not described:
            channels = tuple(Channel(name) for name in columns if name != TIME_COLUMN)
        values = np.empty((len(channels), table.num_rows))
        for row, channel in enumerate(channels):
            values[row] = _floats(columns[channel.name])
        times = _floats(columns[TIME_COLUMN]) if TIME_COLUMN in columns else _times(path, channels, table.num_rows)
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{path}: cannot be read as a session: {' '.join(str(error).split())[:200]}") from error
    times, values = _rising(times, values)
    times.flags.writeable = values.flags.writeable = False
    return Window(channels, times, values)


def _floats(column: Any) -> Samples:
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _times(path: Path, channels: Sequence[Channel], rows: int) -> Samples:
    rate = next((channel.rate_hz for channel in channels if channel.rate_hz), None)
    if rate is None:
        raise DatasetError(f"{path}: it has no column {TIME_COLUMN}, and the manifest names no sampling_rate_hz")
    return np.arange(rows) / rate


def _rising(times: Samples, values: Samples) -> tuple[Samples, Samples]:
    """The samples in the order of time, from 0, without repeated or missing times."""
    if not np.all(np.diff(times) > 0):
        _, kept = np.unique(times, return_index=True)
        kept = kept[np.isfinite(times[kept])]
        times, values = times[kept], values[:, kept]
    return (times - times[0] if times.size and times[0] != 0 else times.copy()), values
