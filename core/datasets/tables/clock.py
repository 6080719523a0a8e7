"""A column of times as nanoseconds: counts of any unit, since 1970 or since the start, and dates and times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from core.datasets.tables.layout import Layout
from core.errors import DatasetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.datasets.tables.reading import Columns

    Nanoseconds = NDArray[np.int64]

FACTORS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
"""Nanoseconds in each unit that a clock counts in."""
_NAMES = re.compile(
    r"(unix|epoch|logging|sensor|device|system|utc|local)?[_\- ]*(date[_\- ]?time|time[_\- ]?stamp|time|epoch|date"
    r"|clock|seconds?|elapsed|seconds[_ ]elapsed|t|ts)([_\- ]*(s|sec|secs|seconds|ms|millis|us|micros|ns|nanos))?"
    r"([_\- ]*[(\[][^)\]]*[)\]])?",
    re.IGNORECASE,
)
_UNIT_IN_NAME = (
    ("ns", re.compile(r"(?<![a-z])(ns|nanos?(ec\w*)?)(?![a-z])", re.IGNORECASE)),
    ("us", re.compile(r"(?<![a-z])(us|µs|micros?(ec\w*)?)(?![a-z])", re.IGNORECASE)),
    ("ms", re.compile(r"(?<![a-z])(ms|millis?(ec\w*)?)(?![a-z])", re.IGNORECASE)),
    ("s", re.compile(r"(?<![a-z])(s|secs?|seconds?)(?![a-z])", re.IGNORECASE)),
)
_SINCE_1970 = (("ns", 1e17), ("us", 1e14), ("ms", 1e11), ("s", 3e8))
"""A count since 1970 tells its unit by its size: each is at least so large for a moment after 1979."""
_HEAD_ROWS = 1000
_FULL = 0.8
"""A second of so large a share of the usual number of rows is full."""
_DAYS_IN_NANOSECONDS = 106_700
"""Days before and after 1970 whose nanoseconds an int64 holds."""
_SLOWEST_STEP, _FASTEST_STEP = 2.0, 2e-4
"""Seconds between two rows of a recording of motion."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What a table's times are."""

    column: str
    """Empty where there is none and the rate makes the times."""
    unit: str
    """One of `FACTORS`, or `moment` for dates and times."""
    absolute: bool
    """Whether it counts since 1970, so that several files can be joined by it."""

    @property
    def told(self) -> str:
        """As a person reads it: `column t, ms since the start`."""
        counts = f"{self.unit} {'since 1970' if self.absolute else 'since the start'}"
        return f"column {self.column}, {'dates and times' if self.unit == 'moment' else counts}"


def clock_columns(layout: Layout) -> list[str]:
    """The columns that look like times, dates and times first, in the order of the file."""
    named = [
        (name, kind)
        for name, kind in zip(layout.names, layout.kinds, strict=True)
        if kind == "moment" or (kind == "number" and _NAMES.fullmatch(name))
    ]
    return [name for name, _ in sorted(named, key=lambda pair: pair[1] != "moment")]


def clock_of(
    columns: Columns, layout: Layout, column: str | None, unit: str | None, *, steady: bool = True
) -> Clock | None:
    """The clock of a table, chosen by names and numbers. None where it has no times.

    Args:
        columns: the table.
        layout: its names and kinds.
        column: the column that a person named.
        unit: the unit that a person named.
        steady: whether rows follow each other as samples do; labels come when they come.

    Raises:
        DatasetError: the column that was named is not there, or its unit cannot be told.
    """
    if column is not None and column not in columns:
        raise DatasetError(f"there is no column {column!r}; the columns are {', '.join(columns)}")
    clocks = [_clock(columns, layout, name, unit, steady) for name in ([column] if column else clock_columns(layout))]
    # one that counts since 1970 is preferred: only by it are several files joined
    return next((clock for clock in clocks if clock.absolute), clocks[0] if clocks else None)


def nanoseconds(columns: Columns, clock: Clock, above: int = 0) -> Nanoseconds:
    """The times of a table, shape (n,), or of the part of one below `above` rows. A missing one raises DatasetError."""
    if clock.unit == "moment":
        return _moments(columns[clock.column], clock.column)
    values = _numbers(columns[clock.column])
    largest = float(np.nanmax(np.abs(values.astype(np.float64)), initial=0.0))
    if largest * FACTORS[clock.unit] > np.iinfo(np.int64).max:
        raise DatasetError(
            f"column {clock.column}: {largest:g} {clock.unit} is no time; say what it counts in: --time-unit"
        )
    if values.dtype == np.int64:
        return (values * int(FACTORS[clock.unit])).astype(np.int64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0]) + 1 + above
        raise DatasetError(f"row {row} has no time in column {clock.column}; take the row out")
    return np.round(values * FACTORS[clock.unit]).astype(np.int64)


def spread_in_seconds(time_ns: Nanoseconds) -> tuple[Nanoseconds, str]:
    """Times with the rows of one whole second spread evenly within it, and what is said of it.

    As they stand where stamps are finer, or one row has each. A first second that is not full ends full, another that
    is not begins full.
    """
    head = time_ns[:_HEAD_ROWS]
    if (head % 10**9).any() or len(np.unique(head)) == len(head):  # nearly every clock
        return time_ns, ""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(time_ns)) + 1))
    counts = np.diff(np.concatenate((starts, [len(time_ns)])))
    inner = counts[1:-1] if len(counts) > 2 else counts
    usual = int(np.median(inner)) if len(counts) > 1 else 0
    if usual < 2 or (time_ns % 10**9).any():
        return time_ns, ""
    full = counts >= _FULL * usual
    rate = np.where(full, counts, usual)
    first = np.zeros_like(counts)
    first[0] = rate[0] - counts[0]
    within = np.arange(len(time_ns)) - np.repeat(starts, counts) + np.repeat(first, counts)
    spread = time_ns + np.round(within * 1e9 / np.repeat(rate, counts)).astype(np.int64)
    return spread, f"; it counts whole seconds, whose {usual} rows are spread evenly"


def _clock(columns: Columns, layout: Layout, column: str, unit: str | None, steady: bool) -> Clock:
    if layout.kinds[layout.names.index(column)] == "moment":
        return Clock(column, "moment", absolute=True)
    values = _numbers(columns[column])
    values = values[np.isfinite(values)]
    if not values.size:
        raise DatasetError(f"column {column} holds no times")
    size, steps = float(np.median(values)), np.diff(values.astype(np.float64))
    since_1970 = next((unit for unit, least in _SINCE_1970 if size >= least), "")
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if steady and not step:
        raise DatasetError(
            f"column {column} does not rise from row to row, so it is no time; name another with --time, or take the "
            "column out and give --rate"
        )
    if since_1970 and not unit:
        # a clock that counts from when the device was switched on can be as large
        likely = _SLOWEST_STEP >= step * FACTORS[since_1970] / 1e9 >= _FASTEST_STEP
        if likely or not step or not steady:
            return Clock(column, since_1970, absolute=True)
    if unit is None and not steady:
        unit = _by_name(column) or "s"
    if unit is None:
        unit = _by_name(column) or next((name for name in FACTORS if _possible(step, name)), None)
    if unit is None:
        raise DatasetError(
            f"column {column}: {step:g} from row to row can be no time; say what it counts in: --time-unit"
        )
    return Clock(column, unit, absolute=size * FACTORS[unit] >= 3e8 * 1e9)


def _possible(step: float, unit: str) -> bool:
    return _SLOWEST_STEP >= step * FACTORS[unit] / 1e9 >= _FASTEST_STEP


def _by_name(column: str) -> str | None:
    return next((unit for unit, pattern in _UNIT_IN_NAME if pattern.search(re.sub(r"[_\-(\[)\]]", " ", column))), None)


def _numbers(column: Any) -> Any:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind) and not column.null_count:
        return column.to_numpy().astype(np.int64)
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _moments(column: Any, name: str) -> Nanoseconds:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        if column.null_count:
            raise DatasetError(f"a row has no time in column {name}; take it out")
        return column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64()).to_numpy()
    try:
        return np.fromiter(map(moment_ns, column.to_pylist()), np.int64, len(column))
    except (ValueError, AttributeError) as error:
        raise DatasetError(f"column {name} holds what is no date and time: {error}") from error


def moment_ns(text: str) -> int:
    """Nanoseconds since 1970 of an ISO 8601 date and time; without a zone it is taken to be UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip().replace(",", "."))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        since = timedelta.max
    if abs(since.days) > _DAYS_IN_NANOSECONDS:
        raise ValueError(f"{text.strip()[:40]} is before 1678 or after 2261")
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
