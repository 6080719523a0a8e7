"""Files that make up one recording, read and put on one clock."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.archive import RawFile
from core.datasets.tables.blocks import BLOCK_BYTES
from core.datasets.tables.channels import ColumnChannel, named_channels, sensor_word, with_units
from core.datasets.tables.clock import Clock, clock_columns, clock_of, nanoseconds
from core.datasets.tables.form import TableForm
from core.datasets.tables.intervals import LABEL
from core.datasets.tables.joining import Part, Recording, Source, joined
from core.datasets.tables.layout import Layout
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


def sources_of(files: Sequence[RawFile], scratch: Path | None = None) -> list[Source]:
    """Which files make up one recording: those of one folder whose names differ in the sensor's word alone.

    Args:
        files: of rows.
        scratch: a folder for samples that memory need not hold.
    """
    groups: dict[str, list[RawFile]] = {}
    for file in files:
        folder, _, name = file.name.rpartition("/")
        stem = name.rpartition(".")[0]
        rest = _without_sensor(stem)
        groups.setdefault("/".join(filter(None, (folder, rest))) or "recording", []).append(file)
    return [Source(name, tuple(group), scratch) for name, group in sorted(groups.items())]


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
    clock = clock_of(head, layout, form.time or None, form.time_unit or None)
    wanted, left_out = _sample_columns(layout, clock, form, texts)
    if not wanted:
        raise DatasetError(f"it has no columns of samples, only {', '.join(layout.names)}")
    read = _Reading(wanted, [name for name in texts if name in head], source.scratch if with_samples else None)
    for block in chain((head,), blocks):
        time_ns, times_note = _times(block, clock, layout, form, read.rows)
        read.add(block, time_ns, dropped, with_samples)
    time_ns: Nanoseconds = read.times.all()
    sensor = sensor_word(file.name.rpartition("/")[2].rpartition(".")[0])
    some = dict(zip(wanted, read.spread.rows().T, strict=True))
    channels = with_units(_in_axis_order(named_channels(wanted, sensor)), some, form.units)
    units = (
        f"{split_axis(c.channel.name)[0]}: {c.channel.unit or 'no unit'}, {c.reason}" for c in channels if c.reason
    )
    notes = [times_note, *dict.fromkeys(units)]
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


def _times(
    columns: Columns, clock: Clock | None, layout: Layout, form: TableForm, above: int
) -> tuple[Nanoseconds, str]:
    """The times of a block below `above` rows, and what is said of them."""
    rate = form.rate_hz or layout.rate_hz
    if clock is None:
        if not rate:
            raise DatasetError(
                f"none of its columns is a time ({', '.join(layout.names)[:120]}); name it with --time, or give --rate"
            )
        rows = len(next(iter(columns.values())))
        start = round((layout.start_sec or 0.0) * 1e9)
        return start + np.round(np.arange(above, above + rows) * (1e9 / rate)).astype(
            np.int64
        ), f"time: {rate:g} rows a second"
    since = "since 1970" if clock.absolute else "since the start"
    told = "dates and times" if clock.unit == "moment" else f"{clock.unit} {since}"
    return nanoseconds(columns, clock, above), f"time: column {clock.column}, {told}"


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


def _without_sensor(stem: str) -> str:
    """A file's name without the words that name a sensor: `S01_acc_run2` and `S01_gyro_run2` are one recording."""
    words = re.split(r"([_\-. ]+)", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem))
    rest = [word for word in words if not sensor_word(word) or re.fullmatch(r"[_\-. ]+", word)]
    if len(rest) == len(words):
        return stem
    return re.sub(r"[_\-. ]+", "_", "".join(rest)).strip("_")
