"""Files that make up one recording, read and put on one clock."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.archive import RawFile
from core.datasets.tables.blocks import BLOCK_BYTES
from core.datasets.tables.channels import ColumnChannel, named_channels, sensor_word, with_units
from core.datasets.tables.clock import Clock, clock_columns, clock_of, nanoseconds, spread_in_seconds
from core.datasets.tables.form import TableForm
from core.datasets.tables.intervals import LABEL
from core.datasets.tables.joining import Part, Recording, Source, joined
from core.datasets.tables.known import known_channels, with_open_units
from core.datasets.tables.layout import Layout
from core.datasets.tables.paths import PathFacts, path_facts
from core.datasets.tables.reading import Columns, layout_of, read_blocks
from core.datasets.tables.samples import Growing, SampleStore, Spread
from core.datasets.tables.words import WordsRead
from core.errors import DatasetError
from tools.sensors import split_axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.datasets.tables.clock import Nanoseconds
    from tools.session import Samples

COUNTER = re.compile(
    r"(index|idx|id|row|sample|counter|packet|seq\w*|frame|unnamed.*|nr|no|#)([_ ]?(id|no|number|index))?", re.I
)
"""What columns are called that count rows."""

SUBJECT = re.compile(r"(subject|user|participant|person|volunteer|pid)s?([_ ]?(id|name|no|number))?", re.I)
"""What columns are called that say who was recorded."""


def read_recording(
    source: Source,
    form: TableForm,
    texts: Sequence[str],
    dropped: Counter[str],
    *,
    with_samples: bool = True,
    block_bytes: int = BLOCK_BYTES,
) -> Recording:
    """A recording's files, joined on their times, read in blocks.

    Args:
        source: the files.
        form: what a person decided.
        texts: columns that are kept as text, such as labels and subjects.
        dropped: what is left out is counted here.
        with_samples: whether samples are wanted; a look does not need them.
        block_bytes: so much of a file is read at once.

    Raises:
        DatasetError: a file has no times, or nothing to be measured; the message names it.
    """
    parts: list[Part] = []
    for file in source.files:
        try:
            parts.append(_part(file, source, form, texts, dropped, with_samples, block_bytes))
        except DatasetError as error:
            reason = str(error)
            raise DatasetError(reason if reason.startswith(file.name) else f"{file.name}: {reason}") from error
    if len(parts) == 1:
        part = parts[0]
        return Recording(source, part.time_ns, part.channels, part.samples, part.texts, part.notes)
    if len({part.absolute for part in parts}) > 1:
        raise DatasetError(
            f"{source.name}: some of its files count time since 1970 and some do not; name the column: --time"
        )
    return joined(source, parts, dropped, with_samples)


def _part(
    file: RawFile,
    source: Source,
    form: TableForm,
    texts: Sequence[str],
    dropped: Counter[str],
    with_samples: bool,
    block_bytes: int,
) -> Part:
    layout = layout_of(file)
    times_note = ""
    blocks = read_blocks(file, layout, dropped, block_bytes)
    head = next(blocks, None)
    if head is None:
        raise DatasetError("it holds no rows of numbers")
    clock, facts = _clock(head, layout, form), path_facts(file.name, form.files)
    wanted, left_out = _sample_columns(layout, clock, form, texts)
    known = known_channels(wanted, form, facts)
    if form.only:
        wanted, left_out = [each.column for each in known], []
    if not wanted:
        raise DatasetError(f"it has no columns of samples, only {', '.join(layout.names)[:400]}")
    read = _Reading(wanted, [name for name in texts if name in head], source.scratch if with_samples else None)
    start_ns = _start(head, clock, layout)
    for block in chain((head,), blocks):
        time_ns, times_note = _times(block, clock, layout, form, (start_ns, read.rows))
        read.add(block, time_ns, dropped, with_samples)
    time_ns, spread_note = spread_in_seconds(read.times.all())
    some = dict(zip(wanted, read.spread.rows().T, strict=True))
    channels = _channels(file, wanted, known, facts, some, form)
    units = (
        f"{split_axis(c.channel.name)[0]}: {c.channel.unit or 'no unit'}, {c.reason}" for c in channels if c.reason
    )
    notes = [times_note + spread_note, *dict.fromkeys(units)]
    notes += [f"left out: column {name} ({why})" for name, why in left_out]
    time_ns, rows = _rising(time_ns, dropped, len(source.files) > 1)
    words = {name: read.words[name].words() for name in read.words}
    return Part(
        time_ns,
        tuple(channel.channel for channel in channels),
        _samples_of(read.store, channels, wanted, rows),
        words if rows is None else {name: own.at(rows) for name, own in words.items()},
        tuple(notes),
        clock.absolute if clock else layout.start_sec is not None,
    )


def _channels(
    file: RawFile,
    wanted: Sequence[str],
    known: Sequence[ColumnChannel],
    facts: PathFacts | None,
    some: Mapping[str, Samples],
    form: TableForm,
) -> list[ColumnChannel]:
    """The channels of a file: those that are known, and the others as their heads and numbers tell."""
    sensor = sensor_word(facts.sensor if facts else "") or sensor_word(file.name.rpartition("/")[2].rpartition(".")[0])
    columns = {each.column for each in known}
    others = named_channels([name for name in wanted if name not in columns], sensor)
    in_order = with_open_units(_in_axis_order(list(known)), some, form.units)
    return [*in_order, *with_units(_in_axis_order(others), some, form.units)]


class _Reading:
    """What was read of a file so far."""

    def __init__(self, wanted: Sequence[str], texts: Sequence[str], scratch: Path | None) -> None:
        self._wanted = wanted
        self.times = Growing(np.int64)
        self.words = {name: WordsRead() for name in texts}
        self.spread = Spread()
        self.store = SampleStore(len(wanted), scratch)
        self.rows = 0

    def add(self, block: Columns, time_ns: Nanoseconds, dropped: Counter[str], with_samples: bool) -> None:
        """The next rows."""
        columns = ((name, np.asarray(block[name].to_numpy(), dtype=np.float64)) for name in self._wanted)
        values = np.stack([_stored(values, name, dropped) for name, values in columns], axis=1)
        self.times.add(time_ns)
        self.rows += len(time_ns)
        self.spread.add(values)
        for name, words in self.words.items():
            words.add(block[name])
        if with_samples:
            self.store.add(values)


def _samples_of(
    store: SampleStore, channels: Sequence[ColumnChannel], wanted: Sequence[str], order: NDArray[np.int64] | None
) -> Callable[[NDArray[np.integer]], Samples]:
    """How samples of channels are read from their columns. `order` has the row of the file for each of the part's,
    where they are not the same."""
    columns = [wanted.index(channel.column) for channel in channels]
    factors = np.array([[channel.factor] for channel in channels])

    def samples(rows: NDArray[np.integer]) -> Samples:
        return store.at(rows if order is None else order[rows])[:, columns].T * factors

    return samples


def _stored(values: Samples, name: str, dropped: Counter[str]) -> Samples:
    """Samples without those that no session can store: infinite ones, and ones beyond float32."""
    beyond = np.abs(values) > np.finfo(np.float32).max
    dropped[f"cells of {name} that are too large"] += int(beyond.sum())
    return np.where(beyond, np.nan, values)


def _clock(columns: Columns, layout: Layout, form: TableForm) -> Clock | None:
    """The clock of a table; where a person says how many rows there are a second, one that is none does no harm."""
    try:
        return clock_of(columns, layout, form.time or None, form.time_unit or None)
    except DatasetError:
        if form.rate_hz and not form.time:
            return None
        raise


def _start(head: Columns, clock: Clock | None, layout: Layout) -> int:
    """Nanoseconds of the first row, where it has a time."""
    if clock is None:
        return round((layout.start_sec or 0.0) * 1e9)
    try:
        return int(nanoseconds({clock.column: head[clock.column].slice(0, 1)}, clock)[0])
    except DatasetError:
        return 0


def _times(
    columns: Columns, clock: Clock | None, layout: Layout, form: TableForm, above: tuple[int, int]
) -> tuple[Nanoseconds, str]:
    """The times of a block, and what is said of them. `above` is the first row's time, and how many rows stand above
    the block."""
    rate, (start, first) = form.rate_hz or layout.rate_hz, above
    if clock is None or (form.rate_hz and not form.time):
        if not rate:
            raise DatasetError(
                f"none of its columns is a time ({', '.join(layout.names)[:120]}); name it with --time, or give --rate"
            )
        rows = len(next(iter(columns.values())))
        times = start + np.round(np.arange(first, first + rows) * (1e9 / rate)).astype(np.int64)
        note = f", as you say, whatever column {clock.column} says" if clock else ""
        return times, f"time: {rate:g} rows a second{note}"
    return nanoseconds(columns, clock, first), f"time: {clock.told}"


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
        elif COUNTER.fullmatch(name):
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


def _rising(time_ns: Nanoseconds, dropped: Counter[str], several: bool) -> tuple[Nanoseconds, NDArray[np.int64] | None]:
    """Times in their order, and the row of each; None where they stand in it. Rows out of order are only put in order
    where several files are joined."""
    if not several or (time_ns[1:] > time_ns[:-1]).all():
        return time_ns, None
    rows = np.argsort(time_ns, kind="stable")
    later = np.concatenate(([True], np.diff(time_ns[rows]) > 0))
    dropped["rows with a repeated timestamp"] += int((~later).sum())
    rows = rows[later]
    return time_ns[rows], rows
