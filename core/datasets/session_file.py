"""One session's `data.parquet` as a window."""

from __future__ import annotations

import stat
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import DatasetError, system_reason
from tools.session import Channel, Samples, Window

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

TIME_COLUMN = "timestamp_sec"
"""Seconds from the session's start."""

MAX_NUMBERS = 20_000_000
"""Rows times columns of a session at most: 160 MB as float64, of which a measurement holds several copies."""

_CACHED_WINDOWS = 256
_CACHED_BYTES = 2_000_000
"""Only windows whose file is at most this long are remembered, so that the cache stays small."""


def read_session(path: Path, described: tuple[Channel, ...]) -> Window:
    """A session's samples as float64, read-only, in rising time from 0. Recent ones are remembered until they change.

    Args:
        path: the Parquet file.
        described: the channels the manifest describes; all columns are read when there are none.

    Raises:
        DatasetError: it is no regular file, or cannot be read as a session; the message names the file from the
            dataset's folder on.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise DatasetError(f"{shown(path)}: {system_reason(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise DatasetError(f"{shown(path)}: not a regular file")
    if status.st_size > _CACHED_BYTES:
        return _read_window(path, described)
    return _cached_window(path, status.st_mtime_ns, status.st_size, described)


def shown(path: Path) -> str:
    """A session's file as messages name it: from the dataset's folder on, for a message may be stored and passed on."""
    return "/".join(path.parts[-4:])


@contextmanager
def opened(path: Path) -> Generator[ParquetFile]:
    """A session's Parquet file, opened. Raises what pyarrow raises: ArrowException or OSError."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        yield file


def row_count(path: Path) -> int:
    """How many rows a Parquet file says it has. Raises ArrowException or OSError."""
    with opened(path) as file:
        return file.metadata.num_rows


def layout_problems(file: ParquetFile, described: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """What keeps a file from being read as a session, from its columns' names, types and number of rows alone.

    Args:
        file: the opened file.
        described: the channels of the manifest; every column counts when there are none.

    Yields:
        The kind of problem, a sentence, and the options of `datasets mend` that put it right.
    """
    import pyarrow as pa

    schema = file.schema_arrow  # made anew each time it is asked for
    wanted = wanted_columns(schema.names, described)
    for name in dict.fromkeys(wanted):
        if wanted.count(name) > 1:
            yield "columns", f"there are {wanted.count(name)} columns {name}", "--first-of-twins"
    if file.metadata.num_rows * max(len(wanted), 1) > MAX_NUMBERS:
        most = MAX_NUMBERS // max(len(wanted), 1)
        yield (
            "too long",
            f"it has {file.metadata.num_rows:,} rows of {len(wanted)} columns, more than the {most:,} that are "
            "measured at once; cut the recording into shorter sessions",
            "--cut 5",
        )
        return
    for name in dict.fromkeys(wanted):
        kind = schema.field(schema.get_field_index(name)).type if name else pa.null()
        if problem := _type_problem(file, name, kind):
            yield "times" if name == TIME_COLUMN else "not numbers", *problem


def wanted_columns(names: Sequence[str], described: Sequence[str]) -> list[str]:
    """The columns of a file that a session consists of: the times and the described channels, as often as they stand.

    Args:
        names: the file's columns.
        described: the channels of the manifest; every column counts when there are none.
    """
    return [name for name in names if not described or name == TIME_COLUMN or name in described]


def read_columns(file: ParquetFile, names: Sequence[str]) -> dict[str, Samples]:
    """Columns of a file as float64, NaN where a value is missing. Raises ArrowException, OSError or ValueError."""
    table = file.read(columns=list(names), use_threads=False)
    return {name: np.asarray(table.column(name).to_numpy(), dtype=np.float64) for name in names}


def _type_problem(file: ParquetFile, name: str, kind: Any) -> tuple[str, str] | None:
    """Why a column's type holds no numbers, and the options that mend it."""
    import pyarrow as pa

    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_null(kind):
        return None
    if types.is_timestamp(kind):
        return f"column {name} holds dates and times, not seconds", "--numbers"
    if types.is_string(kind) or types.is_large_string(kind):
        batch = next(file.iter_batches(batch_size=32, columns=[name]), None)
        texts = [] if batch is None else [text for text in batch.column(0).to_pylist() if text is not None]
        if texts and all(number_in(text) is not None for text in texts):
            commas = ", with decimal commas" if any("," in text for text in texts) else ""
            return f"column {name} holds numbers stored as text{commas}", "--numbers"
        return f"column {name} holds text, not numbers", "" if name == TIME_COLUMN else f"--drop {name}"
    return f"column {name} holds {kind}, not numbers", "" if name == TIME_COLUMN else f"--drop {name}"


def number_in(text: str) -> float | None:
    """The number that a text holds, with a decimal point or, as half of Europe writes it, a decimal comma; None where
    there is none."""
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None


@lru_cache(maxsize=_CACHED_WINDOWS)
def _cached_window(path: Path, mtime_ns: int, size: int, described: tuple[Channel, ...]) -> Window:
    return _read_window(path, described)


def _read_window(path: Path, described: tuple[Channel, ...]) -> Window:
    import pyarrow as pa

    try:
        with opened(path) as file:
            names = [channel.name for channel in described]
            for _, sentence, _ in layout_problems(file, names):
                raise DatasetError(f"{shown(path)}: cannot be read as a session: {sentence}")
            columns = read_columns(file, wanted_columns(file.schema_arrow.names, names))
            rows = file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        reason = without_path(str(error), path)
        raise DatasetError(f"{shown(path)}: cannot be read as a session: {reason}") from error
    channels = tuple(channel for channel in described if channel.name in columns)
    if not described:
        channels = tuple(Channel(name) for name in columns if name != TIME_COLUMN)
    times, values = _times(path, columns, channels, rows), np.empty((len(channels), rows))
    for row, channel in enumerate(channels):
        values[row] = columns.pop(channel.name)
    times, values = _rising(times, values)
    times.flags.writeable = values.flags.writeable = False
    return Window(channels, times, values)


def without_path(reason: str, path: Path) -> str:
    """A library's reason on one line, without the local path that it may hold."""
    return " ".join(reason.replace(str(path), path.name).split())[:160]


def _times(path: Path, columns: Mapping[str, Samples], channels: Sequence[Channel], rows: int) -> Samples:
    if TIME_COLUMN in columns:
        return columns[TIME_COLUMN]
    rate = next((channel.rate_hz for channel in channels if channel.rate_hz), None)
    if rate is None:
        raise DatasetError(f"{shown(path)}: it has no column {TIME_COLUMN}, and the manifest names no sampling_rate_hz")
    return np.arange(rows) / rate


def _rising(times: Samples, values: Samples) -> tuple[Samples, Samples]:
    """The samples in the order of time, from 0, without repeated or missing times."""
    if not (np.all(times[1:] > times[:-1]) and np.isfinite(times[-1:]).all()):
        _, rising = np.unique(times, return_index=True)
        rising = rising[np.isfinite(times[rising])]
        times, values = times[rising], values[:, rising]
    return (times - times[0] if times.size and times[0] != 0 else times.copy()), values
