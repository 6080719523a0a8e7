"""Cutting windows anew from the recordings of a dataset that were kept whole, by what is marked in them.

A window's name is drawn from where it lies, so that the same window keeps its name, its file and its threads when
stretches are marked differently or a neighbour is cut otherwise, and another window never gets the name of an old one.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.importing import alone, put_in_place
from core.datasets.plan import NewSession
from core.datasets.staging import write_session
from core.datasets.standard import (
    SESSIONS,
    StandardDataset,
    dataset_folder,
    open_dataset,
)  # fmt: skip
from core.datasets.tables.joining import longest_gap_sec
from core.datasets.whole.around import staying_sessions, write_around
from core.datasets.whole.marks import Stretches
from core.datasets.whole.marks_file import StoredMarks, read_marks
from core.datasets.whole.recording import read_recording, recording_folder, recordings_of, subject_of
from core.datasets.windows import Cut, checked_cut, cut_rows, window_name
from core.errors import ConflictError, DatasetError, UsageError, system_reason
from core.text import counted, reason_counted
from core.workspace import Workspace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.session import Samples, Window

LENGTH_SEC = 5.0
"""A window's length unless told."""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class CutReport:
    """What cutting did."""

    dataset: str
    sessions: int
    activities: dict[str, int]
    """Sessions per label."""
    dropped: dict[str, int]
    """What was left out, by reason."""
    unlabelled_sec: float
    """How long the rest without a label is."""
    recorded_sec: float
    gone: int
    """Sessions that were there before and are no more; no thread is about them."""
    relabelled: tuple[str, ...]
    """Sessions that are there as before and have another label now."""
    stay: tuple[str, ...]
    """Sessions that are as they were: threads are about them, or they come from none of the recordings."""
    replaced: Path
    """Where the dataset is as it was before."""

    def lines(self) -> list[str]:
        """What is told beside the number of sessions."""
        lines = [f"  {count:6d}  {label}" for label, count in self.activities.items()]
        lines.append(f"  without a label: {self.unlabelled_sec:.1f} of {self.recorded_sec:.1f} s")
        lines += [f"  left out: {reason_counted(count, reason)}" for reason, count in self.dropped.items()]
        if self.gone:
            lines.append(f"  gone: {counted(self.gone, 'session')} that no thread is about")
        if self.stay:
            stay = f"{counted(len(self.stay), 'session')}, such as {self.stay[0]}"
            lines.append(f"  as before, for threads or of no recording: {stay}")
        if self.relabelled:
            named = ", ".join(self.relabelled[:6])
            lines.append(f"  another label now: {counted(len(self.relabelled), 'session')}, such as {named}")
        return lines


@dataclass(frozen=True, slots=True)
class Windows:
    """How windows are cut from a recording."""

    length_sec: float = LENGTH_SEC
    overlap: float = 0.0
    min_purity: float = 1.0
    """The share of a window's rows that its label must have."""


def windows_in(text: str) -> Windows:
    """`--length 5 --overlap 0.5 --min-purity 0.8` as a value. Raises UsageError."""
    known = {"--length": "length_sec", "--overlap": "overlap", "--min-purity": "min_purity"}
    words = text.replace("=", " ").split()
    values: dict[str, float] = {}
    for option, value in zip(words[::2], [*words[1::2], ""], strict=False):
        try:
            values[known[option]] = float(value)
        except (KeyError, ValueError) as error:
            raise UsageError(f"`{option} {value}`: {', '.join(known)} are possible, each with a number") from error
    return Windows(**values)


def cut_recording(
    name: str, window: Window, stretches: Stretches, how: Windows, subject: str, dropped: Counter[str]
) -> Iterator[NewSession]:
    """The sessions of one recording.

    Where windows must be pure they begin anew with each stretch, so that a border costs nothing; else they go on evenly
    over the whole recording, and one that is not pure enough is dropped and counted.

    Args:
        name: the recording's, with which the sessions' names begin.
        window: its samples, on its own clock.
        stretches: what is marked in it.
        how: length, overlap and purity.
        subject: who was recorded.
        dropped: what is left out is counted here, by reason.

    Raises:
        UsageError: no window could be cut that way.
    """
    rate = rate_of(window.time_sec)
    cut = checked_cut(
        Cut(how.length_sec, how.overlap, rate, longest_gap_sec(rate), min_purity=how.min_purity), None, None
    )
    names = sorted({mark.label for mark in stretches})
    labels = labels_of(window.time_sec, stretches, names)
    dropped["rows without a label"] += int((labels < 0).sum())
    channels = tuple(channel.name for channel in window.channels)
    for label, rows, values in cut_rows(cut, window.time_sec, labels, lambda rows: window.values[:, rows], dropped):
        times = window.time_sec[rows]
        session = window_name(name, float(times[0]), how.length_sec)
        yield NewSession(session, subject, names[label], times - times[0], channels, values)


def cut_dataset(
    workspace: Workspace, name: str, how: Windows, progress: Progress | None = None, used: Collection[str] = ()
) -> CutReport:
    """Cut the windows of a dataset anew; the dataset as it was is kept beside it, hidden.

    Args:
        workspace: where it is.
        name: the dataset's.
        how: length, overlap and purity.
        progress: told after each recording.
        used: the sessions that threads are about; they stay, whatever is cut.

    Raises:
        UsageError: no window could be cut that way.
        DatasetError: it has no recordings, one cannot be read, or not one window comes of them.
        ConflictError: a recording was marked meanwhile; nothing was changed.
    """
    if not 0.5 < how.min_purity <= 1:
        raise UsageError(f"--min-purity {how.min_purity:g}: a share above 0.5 and up to 1 is needed")
    dataset_folder(workspace, name)
    partial = workspace.data / f".{name}.partial"
    try:
        with alone(workspace.data, name):
            dataset = open_dataset(workspace, name)
            recordings = recordings_of(dataset)
            if not recordings:
                recording_folder(dataset, next(iter(dataset.labels), ""))
            try:
                return _cut(dataset, recordings, partial, how, progress, used)
            finally:  # only here it is nobody else's
                shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise DatasetError(f"cannot write {partial}: {system_reason(error)}; nothing was changed") from error


def _cut(
    dataset: StandardDataset,
    recordings: Sequence[str],
    partial: Path,
    how: Windows,
    progress: Progress | None,
    used: Collection[str],
) -> CutReport:
    shutil.rmtree(partial, ignore_errors=True)
    (partial / SESSIONS).mkdir(parents=True)
    dropped: Counter[str] = Counter()
    labels: dict[str, str] = {}
    people: dict[str, str] = {}
    marks: list[StoredMarks] = []
    recorded = unlabelled = 0.0
    for done, name in enumerate(recordings):
        if progress:
            progress(done, len(recordings), name)
        folder = recording_folder(dataset, name)
        stored, window = read_marks(folder), read_recording(folder, dataset.described_channels)
        marks.append(stored)
        if window.time_sec.size < 2:
            dropped["recordings without rows"] += 1
            continue
        before, subject = dropped["rows without a label"], subject_of(dataset, name)
        for session in cut_recording(name, window, stored.marks.stretches, how, subject, dropped):
            write_session(partial / SESSIONS, session)
            labels[session.session] = session.label
            if subject:
                people[session.session] = people[name] = subject
        seconds = 1 / rate_of(window.time_sec)
        recorded += window.time_sec.size * seconds
        unlabelled += (dropped["rows without a label"] - before) * seconds
    if not labels:
        raise DatasetError(
            f"not one window of {how.length_sec:g} s comes of the recordings of {dataset.name}; mark stretches first, "
            f"with `sensorloom datasets mark {dataset.name} {recordings[0]} --from 0 --to 10 --label walking`"
        )
    settings = {"length_sec": how.length_sec, "overlap": how.overlap, "min_purity": how.min_purity}
    staying = staying_sessions(dataset, used, labels)
    write_around(dataset, partial, labels, people, settings, dropped, staying)
    for stored in marks:
        if read_marks(stored.folder).digest != stored.digest:
            raise ConflictError(f"{stored.folder.name} was marked meanwhile; nothing was changed, cut again")
    replaced = put_in_place(partial, dataset.folder)
    assert replaced is not None
    return CutReport(
        dataset.name,
        len(labels),
        dict(sorted(Counter(labels.values()).items())),
        {reason: count for reason, count in dropped.most_common() if count},
        round(unlabelled, 3),
        round(recorded, 3),
        len(set(dataset.labels) - {*labels, *staying}),
        tuple(s for s, label in labels.items() if s in dataset.labels and dataset.labels[s] != (label,)),
        tuple(staying),
        replaced,
    )


def rate_of(time_sec: Samples) -> float:
    """Rows a second, by the usual step."""
    steps = np.diff(time_sec)
    steps = steps[steps > 0]
    return 1 / float(np.median(steps)) if steps.size else 1.0


def labels_of(time_sec: Samples, stretches: Stretches, names: Sequence[str]) -> NDArray[np.int64]:
    """The number of each row's label among `names`, -1 where nothing is marked; a later stretch counts more.

    Args:
        time_sec: shape (n,), the rows' times.
        stretches: in rising time.
        names: the labels.
    """
    labels = np.full(len(time_sec), -1, dtype=np.int64)
    for mark in stretches:
        labels[(time_sec >= mark.start_sec) & (time_sec < mark.end_sec)] = names.index(mark.label)
    return labels
