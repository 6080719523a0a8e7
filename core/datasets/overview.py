"""A dataset at a glance: how much of what there is, of whom, and what each label looks like in each channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from core.datasets.sparkline import bars
from core.datasets.standard import StandardDataset
from core.datasets.whole.recording import recordings_of
from core.text import counted, one_line
from tools.features import DURATION, sampling_rate

if TYPE_CHECKING:
    from tools.features import Table
    from tools.session import Channel, Samples, Window

Progress = Callable[[int, int, str], None]
MAX_PEOPLE = 40
"""Of so many subjects each is told; of more only how many there are."""


@dataclass(frozen=True, slots=True)
class LabelCount:
    """One label."""

    label: str
    sessions: int
    seconds: float
    subjects: int
    example: str
    """A session in the middle of the label's: neither its liveliest nor its quietest."""


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """A dataset at a glance."""

    dataset: str
    title: str
    synthetic: bool
    sessions: int
    seconds: float
    shortest_sec: float
    median_sec: float
    longest_sec: float
    channels: tuple[Channel, ...]
    rates_hz: tuple[float, ...]
    """Rows a second of the examples, from the slowest to the fastest, each once."""
    subjects: Mapping[str, int]
    """Sessions of each."""
    labels: tuple[LabelCount, ...]
    """The most frequent first."""
    recordings: tuple[str, ...]
    """Those that are kept whole."""
    windows: Mapping[str, Window]
    """Each label's example."""
    unread: int = 0
    """Sessions that have a label and cannot be read."""

    def as_json(self) -> dict[str, Any]:
        """All of it but the samples."""
        plain = {name: getattr(self, name) for name in ("dataset", "title", "synthetic", "sessions", "seconds")}
        length = {"shortest": self.shortest_sec, "median": self.median_sec, "longest": self.longest_sec}
        channels = [{"name": c.name, "unit": c.unit, "sampling_rate_hz": c.rate_hz} for c in self.channels]
        labels = {
            each.label: {"sessions": each.sessions, "seconds": each.seconds, "subjects": each.subjects,
                         "example": each.example}
            for each in self.labels
        }  # fmt: skip
        return plain | {
            "length_sec": length, "rates_hz": list(self.rates_hz), "subjects": dict(self.subjects), "labels": labels,
            "channels": channels, "recordings": list(self.recordings), "unread": self.unread,
        }  # fmt: skip


def overview_of(dataset: StandardDataset, progress: Progress | None = None) -> Overview:
    """Look at a whole dataset. Its feature table is made, where it is not there yet, which takes a while.

    Raises:
        DatasetError: a session cannot be read.
    """
    table = dataset.features(progress)
    row_of = {session: row for row, session in enumerate(table.sessions)}
    durations = table.values[:, table.names.index(DURATION)] if table.sessions else np.zeros(0)
    by_label: dict[str, list[str]] = {}
    for session in dataset.sessions:
        for label in dataset.labels[session] if session in row_of else ():
            by_label.setdefault(label, []).append(session)
    labels = [
        LabelCount(
            label,
            len(own),
            round(float(durations[[row_of[session] for session in own]].sum()), 3),
            len({dataset.subjects[session] for session in own if session in dataset.subjects}),
            _example(own, table, row_of),
        )
        for label, own in by_label.items()
    ]
    labels.sort(key=lambda each: (-each.sessions, each.label))
    windows = {each.label: dataset.load(each.example) for each in labels}
    timed = (window for window in windows.values() if window.time_sec.size > 1 and np.isfinite(window.time_sec).all())
    rates = {float(f"{sampling_rate(window):.3g}") for window in timed}
    shortest, median, longest = (
        np.percentile(durations, (0, 50, 100)).round(3).tolist() if len(durations) else [0.0] * 3
    )
    people = Counter(dataset.subjects[session] for session in dataset.sessions if session in dataset.subjects)
    return Overview(
        dataset.name,
        dataset.title,
        dataset.synthetic,
        len(dataset.sessions),
        round(float(durations.sum()), 3),
        shortest,
        median,
        longest,
        dataset.channels,
        tuple(sorted(rates)),
        dict(sorted(people.items())),
        tuple(labels),
        tuple(recordings_of(dataset)),
        windows,
        sum(session not in row_of for session in dataset.sessions),
    )


def _example(sessions: Sequence[str], table: Table, row_of: Mapping[str, int]) -> str:
    """The session in the middle of those of a label, by how much its first signal moves."""
    names = [name for name in table.names if name.endswith(":std")]
    first = next((name for name in names if ".magnitude" in name), names[0] if names else DURATION)
    column = table.names.index(first)
    moving = sorted(
        sessions, key=lambda session: (float(np.nan_to_num(table.values[row_of[session], column])), session)
    )
    return moving[len(moving) // 2]


def overview_lines(overview: Overview, width: int) -> list[str]:
    """An overview as a person reads it, in `width` columns. Names in it are as they stand in the files, on one line."""
    sessions = counted(overview.sessions, "session")
    synthetic = ", synthetic" if overview.synthetic else ""
    rates = ", ".join(f"{rate:g}" for rate in overview.rates_hz)
    lines = [
        f"{one_line(overview.title, 80)}: {sessions}, {_long(overview.seconds)}{synthetic}",
        f"length    {_range(overview)}",
        f"rate      {rates + ' Hz' if rates else 'not known'}",
        *wrap(f"subjects  {_people(overview.subjects)}", width, subsequent_indent=" " * 10),
    ]
    if overview.recordings:
        some = ", ".join(one_line(name, 40) for name in overview.recordings[:4]) + (
            " …" if len(overview.recordings) > 4 else ""
        )
        lines.append(f"whole     {counted(len(overview.recordings), 'recording')}: {', '.join(some)}")
    if overview.unread:
        unread = counted(overview.unread, "session")
        lines.append(f"unread    {unread}; `sensorloom datasets check {one_line(overview.dataset, 80)}` says why")
    longest = max((len(one_line(each.label, 24)) for each in overview.labels), default=0)
    lines += ["", "labels"] if overview.labels else ["", "" if overview.unread else "no session has a label yet"]
    lines += [
        f"  {one_line(each.label, 24):<{longest}}  {counted(each.sessions, 'session'):>15}  {_long(each.seconds):>9}"
        f"  {counted(each.subjects, 'subject') if each.subjects else 'unknown subjects'}"
        for each in overview.labels
    ]
    room = max(8, width - longest - 4)
    for channel in overview.channels:
        if drawn := _drawn(overview, channel, longest, room):
            lines += ["", *drawn]
    return [line[:width].rstrip() for line in lines]


def _drawn(overview: Overview, channel: Channel, longest: int, room: int) -> list[str]:
    """A channel's head, and each label's example on one scale; the least 0.5 and the greatest 99.5 % reach over it."""
    of_label: dict[str, tuple[Samples, Samples]] = {}
    for label, window in overview.windows.items():
        if channel.name in window.names:
            of_label[label] = window.time_sec, window.values[window.names.index(channel.name)]
    every = np.concatenate([values[np.isfinite(values)] for _, values in of_label.values()] or [np.zeros(0)])
    if not every.size:
        return []
    low, high = np.percentile(every, (0.5, 99.5)).tolist()
    unit = f" {one_line(channel.unit, 12)}" if channel.unit else ""
    head = f"{one_line(channel.name, 40)}  {low:.3g} to {high:.3g}{unit}"
    rows = [f"  {one_line(label, 24):<{longest}}  {bars(*own, (low, high), room)}" for label, own in of_label.items()]
    return [head, *rows]


def _range(overview: Overview) -> str:
    short, middle, long = (f"{second:.4g}" for second in
                           (overview.shortest_sec, overview.median_sec, overview.longest_sec))  # fmt: skip
    return f"{middle} s" if short == long else f"{short} to {long} s, the middle one {middle} s"


def _people(subjects: Mapping[str, int]) -> str:
    if not subjects:
        return "not known"
    told = ", ".join(f"{one_line(name, 24)} ({count})" for name, count in subjects.items())
    return f"{len(subjects)}: {told}" if len(subjects) <= MAX_PEOPLE else f"{len(subjects)}"


def _long(seconds: float) -> str:
    """A length of time as people say it."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
