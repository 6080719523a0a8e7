"""The sessions of one recording of one's own: windows of it, or the whole of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.plan import NewRecording, NewSession
from core.datasets.tables import naming
from core.datasets.tables.joining import longest_gap_sec
from core.datasets.tables.recordings import read_recording
from core.datasets.tables.samples import BLOCK_ROWS
from core.datasets.whole.marks import Mark, Stretches
from core.datasets.whole.marks_file import as_csv
from core.datasets.windows import Cut, cut_rows, drawn_order, label_runs, pieces_of, window_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.datasets.tables.clock import Nanoseconds
    from core.datasets.tables.form import TableForm
    from core.datasets.tables.intervals import Interval
    from core.datasets.tables.proposal import Looked
    from tools.session import Samples

    Read = Callable[[NDArray[np.integer]], NDArray[np.float32]]


_PART_SEC = 1.0
"""A part of a broken recording is a session of its own from so many seconds on."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How recordings are cut."""

    length_sec: float | None
    """None where recordings are sessions as they stand."""
    overlap: float = 0.0
    min_purity: float = 1.0
    """The share of a window's rows that its label must have."""
    keep_whole: bool = False
    """Whether the recording itself is kept, too."""


def cut_of(looked: Looked, length: float) -> Cut:
    """How windows of a recording are cut, without overlap."""
    return Cut(length, 0.0, looked.rate_hz or 1.0, longest_gap_sec(looked.rate_hz))


def sessions_of(
    people: Sequence[tuple[Looked, str]],
    form: TableForm,
    intervals: Sequence[Interval],
    windows: Windows,
    dropped: Counter[str],
) -> Iterator[NewSession | NewRecording]:
    """The sessions of each person whom one recording's files are of, with the prefix of their names."""
    recording = read_recording(people[0][0].source, form, naming.text_columns(form), dropped)
    labels, names = naming.labels_of(recording, form, intervals)
    rows_of = {(subject, part): rows for subject, part, rows in naming.parts_in(recording, form)}
    channels = tuple(channel.name for channel in recording.channels)
    time_ns, samples = recording.time_ns, recording.samples
    del recording  # a day's times are 70 MB
    if len(people) == 1 and [*rows_of.values()] == [None]:
        own = _Own(*people[0], channels, names, labels, seconds_of(time_ns), _as_stored(samples, None))
        del time_ns
        yield from _sessions(own, windows, dropped)
        return
    for looked, prefix in people:
        mask = rows_of[looked.subject, looked.part]
        rows = np.arange(len(time_ns)) if mask is None else np.flatnonzero(mask)
        own = _Own(looked, prefix, channels, names, labels[rows], seconds_of(time_ns[rows]), _as_stored(samples, rows))
        yield from _sessions(own, windows, dropped)


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """What one person has of a recording."""

    looked: Looked
    prefix: str
    channels: tuple[str, ...]
    names: tuple[str, ...]
    labels: NDArray[np.int32]
    seconds: Samples
    read: Read


def _sessions(own: _Own, windows: Windows, dropped: Counter[str]) -> Iterator[NewSession | NewRecording]:
    subject = own.looked.subject
    if windows.length_sec is None:
        if own.labels[0] < 0:
            dropped["recordings without a label"] += 1
            return
        for number, rows in enumerate(_unbroken(own, dropped), 1):
            times, name = own.seconds[rows] - own.seconds[rows[0]], f"{own.prefix}_{number:04d}"
            yield NewSession(name, subject, own.names[own.labels[0]], times, own.channels, own.read(rows))
        return
    if windows.keep_whole:
        marked = as_csv(stretches_of(own.seconds, own.labels, own.names))
        yield NewRecording(own.prefix, subject, own.seconds, own.channels, own.read, marked)
    cut = replace(cut_of(own.looked, windows.length_sec), overlap=windows.overlap, min_purity=windows.min_purity)
    dropped["rows without a label"] += int((own.labels < 0).sum())
    rows_of = [(label, rows) for label, rows, _ in cut_rows(cut, own.seconds, own.labels, own.read, dropped)]
    number_of = {index: number for number, index in enumerate(drawn_order(own.prefix, len(rows_of)), 1)}
    for index, (label, rows) in enumerate(rows_of):
        if windows.keep_whole:  # as windows that are cut anew are called
            name = window_name(own.prefix, float(own.seconds[rows[0]]), windows.length_sec)
        else:
            name = f"{own.prefix}_{number_of[index]:04d}"
        times = own.seconds[rows] - own.seconds[rows[0]]
        yield NewSession(name, subject, own.names[label], times, own.channels, own.read(rows))


def _unbroken(own: _Own, dropped: Counter[str]) -> Iterator[NDArray[np.integer]]:
    """The rows of a recording as a whole; where it has gaps or its clock jumps, of each part between them that lasts a
    second."""
    cut = cut_of(own.looked, _PART_SEC)
    parts = list(pieces_of(own.seconds, cut.max_gap_sec, dropped))
    for rows in parts:
        if len(parts) > 1 and len(rows) < _PART_SEC * cut.rate_hz:
            dropped["rows too few for a session, beside a gap"] += len(rows)
        else:
            yield rows


def stretches_of(seconds: Samples, labels: NDArray[np.int32], names: Sequence[str]) -> Stretches:
    """The labelled stretches of a recording. They begin and end half way between two rows, so that a time that is
    written with four decimals leaves no row on the other side.

    Args:
        seconds: shape (n,), the rows' times.
        labels: shape (n,), each row's label, -1 for none.
        names: what the numbers stand for.
    """
    marks: list[Mark] = []
    last = len(seconds) - 1
    for start, end in label_runs(labels):
        if labels[start] < 0:
            continue
        begins = (seconds[start - 1] + seconds[start]) / 2 if start else 0.0
        ends = (seconds[end - 1] + seconds[min(end, last)]) / 2 if end <= last else seconds[last] + 1e-3
        if ends > begins:
            marks.append(Mark(float(begins), float(ends), names[int(labels[start])]))
    return tuple(marks)


def seconds_of(time_ns: Nanoseconds) -> Samples:
    """Times in seconds from the first one, shape (n,)."""
    seconds = np.empty(len(time_ns))
    for at in range(0, len(time_ns), BLOCK_ROWS):
        seconds[at : at + BLOCK_ROWS] = (time_ns[at : at + BLOCK_ROWS] - time_ns[0]) / 1e9
    return seconds


def _as_stored(samples: Callable[[NDArray[np.integer]], Samples], rows: NDArray[np.integer] | None) -> Read:
    """How samples of one's own rows are read, as sessions store them."""
    return lambda own: samples(own if rows is None else rows[own]).astype(np.float32)
