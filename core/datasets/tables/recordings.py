"""Files that make up one recording, read and put on one clock."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.archive import RawFile
from core.datasets.tables.channels import ColumnChannel, named_channels, sensor_word, with_units
from core.datasets.tables.clock import Clock, clock_columns, clock_of, nanoseconds
from core.datasets.tables.form import TableForm
from core.datasets.tables.intervals import LABEL
from core.datasets.tables.layout import Layout
from core.datasets.tables.reading import layout_of, read_columns
from core.errors import DatasetError
from tools.sensors import split_axis
from tools.session import Channel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.datasets.tables.clock import Nanoseconds
    from tools.session import Samples

MAX_GAP_STEPS = 3.0
"""A pause of more than so many usual steps, and of more than `MAX_GAP_SEC`, is a gap: nothing is put into it."""
MAX_GAP_SEC = 0.25
_COUNTER = re.compile(
    r"(index|idx|id|row|sample|counter|packet|seq\w*|frame|unnamed.*|nr|no|#)([_ ]?(id|no|number|index))?", re.I
)

SUBJECT = re.compile(r"(subject|user|participant|person|volunteer|pid)s?([_ ]?(id|name|no|number))?", re.I)
"""What columns are called that say who was recorded."""


@dataclass(frozen=True, slots=True)
class Source:
    """The files of one recording."""

    name: str
    """Its path without the sensor's word and the ending."""
    files: tuple[RawFile, ...]

    @property
    def size(self) -> int:
        """Bytes to read."""
        return sum(file.size for file in self.files)

    @property
    def folder(self) -> str:
        """The folder that it stands in; empty at the top."""
        return self.files[0].name.rpartition("/")[0]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One recording on one clock."""

    source: Source
    time_ns: Nanoseconds
    """Shape (n,), rising, since 1970 or since the start."""
    channels: tuple[Channel, ...]
    values: Samples
    """Shape (channels, n), NaN where a sensor has a gap."""
    texts: dict[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    """The columns that were asked for as text, such as labels: one for each row."""
    notes: tuple[str, ...] = ()
    """What was decided by looking, a sentence each."""

    @property
    def rate_hz(self) -> float:
        """Rows a second."""
        steps = np.diff(self.time_ns)
        return 1e9 / float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One file of a recording."""

    time_ns: Nanoseconds
    channels: tuple[Channel, ...]
    values: Samples
    texts: dict[str, Sequence[str]]
    notes: tuple[str, ...]
    absolute: bool


def sources_of(files: Sequence[RawFile]) -> list[Source]:
    """Which files make up one recording: those of one folder whose names differ in the sensor's word alone."""
    groups: dict[str, list[RawFile]] = {}
    for file in files:
        folder, _, name = file.name.rpartition("/")
        stem = name.rpartition(".")[0]
        rest = _without_sensor(stem)
        groups.setdefault("/".join(filter(None, (folder, rest))) or "recording", []).append(file)
    return [Source(name, tuple(group)) for name, group in sorted(groups.items())]


def read_recording(source: Source, form: TableForm, texts: Sequence[str], dropped: Counter[str]) -> Recording:
    """A recording's files, joined on their times.

    Args:
        source: the files.
        form: what a person decided.
        texts: columns that are kept as text, such as labels and subjects.
        dropped: what is left out is counted here.

    Raises:
        DatasetError: a file has no times, or nothing to be measured; the message names it.
    """
    parts: list[_Part] = []
    for file in source.files:
        try:
            parts.append(_part(file, form, texts, len(source.files) > 1, dropped))
        except DatasetError as error:
            reason = str(error)
            raise DatasetError(reason if reason.startswith(file.name) else f"{file.name}: {reason}") from error
    if len(parts) == 1:
        part = parts[0]
        return Recording(source, part.time_ns, part.channels, part.values, part.texts, part.notes)
    if len({part.absolute for part in parts}) > 1:
        raise DatasetError(
            f"{source.name}: some of its files count time since 1970 and some do not; name the column: --time"
        )
    return _joined(source, parts, dropped)


def _part(file: RawFile, form: TableForm, texts: Sequence[str], several: bool, dropped: Counter[str]) -> _Part:
    layout = layout_of(file)
    columns = read_columns(file, layout, dropped)
    clock = clock_of(columns, layout, form.time or None, form.time_unit or None)
    rows = len(next(iter(columns.values())))
    time_ns, times_note = _times(columns, clock, layout, form, rows)
    sensor = sensor_word(file.name.rpartition("/")[2].rpartition(".")[0])
    wanted, left_out = _sample_columns(layout, clock, form, texts)
    values = {name: _stored(np.asarray(columns[name].to_numpy(), dtype=np.float64), name, dropped) for name in wanted}
    if not values:
        raise DatasetError(f"it has no columns of samples, only {', '.join(layout.names)}")
    channels = with_units(_in_axis_order(named_channels(wanted, sensor)), values, form.units)
    units = (
        f"{split_axis(c.channel.name)[0]}: {c.channel.unit or 'no unit'}, {c.reason}" for c in channels if c.reason
    )
    notes = [times_note, *dict.fromkeys(units)]
    notes += [f"left out: column {name} ({why})" for name, why in left_out]
    matrix = np.array([values[channel.column] * channel.factor for channel in channels])
    time_ns, kept_rows = _rising(time_ns, dropped, several)
    return _Part(
        time_ns,
        tuple(channel.channel for channel in channels),
        matrix[:, kept_rows],
        {
            name: np.array(columns[name].to_pylist(), dtype=object)[kept_rows].tolist()
            for name in texts
            if name in columns
        },
        tuple(notes),
        clock.absolute if clock else layout.start_sec is not None,
    )


def _stored(values: Samples, name: str, dropped: Counter[str]) -> Samples:
    """Samples without those that no session can store: infinite ones, and ones beyond float32."""
    beyond = np.abs(values) > np.finfo(np.float32).max
    dropped[f"cells of {name} that are too large"] += int(beyond.sum())
    return np.where(beyond, np.nan, values)


def _times(columns: object, clock: Clock | None, layout: Layout, form: TableForm, rows: int) -> tuple[Nanoseconds, str]:
    rate = form.rate_hz or layout.rate_hz
    if clock is None:
        if not rate:
            raise DatasetError(
                f"none of its columns is a time ({', '.join(layout.names)[:120]}); name it with --time, or give --rate"
            )
        start = round((layout.start_sec or 0.0) * 1e9)
        return start + np.round(np.arange(rows) * (1e9 / rate)).astype(np.int64), f"time: {rate:g} rows a second"
    since = "since 1970" if clock.absolute else "since the start"
    told = "dates and times" if clock.unit == "moment" else f"{clock.unit} {since}"
    return nanoseconds(columns, clock), f"time: column {clock.column}, {told}"  # pyright: ignore[reportArgumentType]


def _sample_columns(
    layout: Layout, clock: Clock | None, form: TableForm, texts: Sequence[str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """The columns that hold samples, and those left out with the reason."""
    times = {clock.column if clock else "", *clock_columns(layout)}
    wanted: list[str] = []
    left_out: list[tuple[str, str]] = []
    for name, kind in zip(layout.names, layout.kinds, strict=True):
        if name in texts or (clock and name == clock.column):
            continue
        if name in form.drop:
            left_out.append((name, "as you say"))
        elif name in times:
            left_out.append((name, "another clock"))
        elif kind != "number":
            left_out.append((name, {"text": "text", "moment": "dates", "nothing": "empty"}[kind]))
        elif _COUNTER.fullmatch(name):
            left_out.append((name, "a counter, by its name"))
        elif LABEL.fullmatch(name) or SUBJECT.fullmatch(name):  # as a channel it would tell the model
            left_out.append((name, "a label or a person, by its name"))
        else:
            wanted.append(name)
    return wanted, left_out


def _in_axis_order(channels: list[ColumnChannel]) -> list[ColumnChannel]:
    """Channels of one sensor as x, y, z, whatever the order of the columns: Sensor Logger writes z, y, x."""
    first = {channel.channel.name[:-1]: at for at, channel in reversed(list(enumerate(channels)))}
    return sorted(channels, key=lambda channel: (first[channel.channel.name[:-1]], channel.channel.name))


def _rising(time_ns: Nanoseconds, dropped: Counter[str], several: bool) -> tuple[Nanoseconds, NDArray[np.int64]]:
    """Times and rows in the order of time. Rows out of order are only put in order where several files are joined."""
    rows = np.arange(len(time_ns))
    if several:
        rows = np.argsort(time_ns, kind="stable")
        later = np.concatenate(([True], np.diff(time_ns[rows]) > 0))
        dropped["rows with a repeated timestamp"] += int((~later).sum())
        rows = rows[later]
    return time_ns[rows], rows


def _joined(source: Source, parts: Sequence[_Part], dropped: Counter[str]) -> Recording:
    """Several sensors on the clock of the fastest; the others are interpolated, but not over gaps."""
    start, end = max(int(part.time_ns[0]) for part in parts), min(int(part.time_ns[-1]) for part in parts)
    if end <= start:
        raise DatasetError(f"{source.name}: its files were recorded at different times; import them apart")
    fastest = max(parts, key=lambda part: ((part.time_ns >= start) & (part.time_ns <= end)).sum())
    inside = (fastest.time_ns >= start) & (fastest.time_ns <= end)
    dropped["rows before the last sensor began or after the first ended"] += int((~inside).sum())
    time_ns = fastest.time_ns[inside]
    values: list[Samples] = []
    notes: list[str] = []
    for part in parts:
        notes += part.notes
        if part is fastest:
            values.append(part.values[:, inside])
            continue
        values.append(_interpolated(part, time_ns))
        notes.append(f"{split_axis(part.channels[0].name)[0]}{_about_rate(part, fastest)}")
    told = {id(part): _about_rate(part, fastest) for part in parts}
    names = Counter(channel.name for part in parts for channel in part.channels)
    twins = {name for name, count in names.items() if count > 1}
    channels = [
        replace(
            channel,
            name=f"{channel.name}_{number}" if channel.name in twins else channel.name,
            description=channel.description + told[id(part)],
        )
        for number, part in enumerate(parts, 1)
        for channel in part.channels
    ]
    texts = {name: np.array(rows, dtype=object)[inside].tolist() for name, rows in fastest.texts.items()}
    return Recording(source, time_ns, tuple(channels), np.concatenate(values), texts, tuple(dict.fromkeys(notes)))


def _about_rate(part: _Part, fastest: _Part) -> str:
    """What is said of a sensor that was put on another's clock."""
    if part is fastest:
        return ""
    return f" (recorded at {1e9 / float(np.median(np.diff(part.time_ns))):.3g} Hz, interpolated)"


def _interpolated(part: _Part, time_ns: Nanoseconds) -> Samples:
    """A sensor's samples at other times, linearly between its own; NaN in its gaps."""
    steps = np.diff(part.time_ns)
    gap = max(MAX_GAP_STEPS * float(np.median(steps)), MAX_GAP_SEC * 1e9)
    after = np.clip(np.searchsorted(part.time_ns, time_ns), 1, len(part.time_ns) - 1)
    in_gap = steps[after - 1] > gap
    at, own = (time_ns - part.time_ns[0]).astype(np.float64), (part.time_ns - part.time_ns[0]).astype(np.float64)
    rows = np.array([np.interp(at, own, row) for row in part.values])
    rows[:, in_gap] = np.nan
    return rows


def _without_sensor(stem: str) -> str:
    """A file's name without the words that name a sensor: `S01_acc_run2` and `S01_gyro_run2` are one recording."""
    words = re.split(r"([_\-. ]+)", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem))
    rest = [word for word in words if not sensor_word(word) or re.fullmatch(r"[_\-. ]+", word)]
    if len(rest) == len(words):
        return stem
    return re.sub(r"[_\-. ]+", "_", "".join(rest)).strip("_")
