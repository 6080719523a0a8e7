"""Cutting a recording into windows of one activity that cross no gap, and naming them without a hint.

Sessions of one subject are numbered in an order drawn from a hash, so that neither a session's number nor its
neighbours in a list say what was going on.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from core.datasets.plan import NewSession
from core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.datasets.plan import Values
    from tools.session import Samples

MAX_MISSING = 0.5
"""A window that lacks more than this share of its samples is dropped."""
_BLOCK_ROWS = 1 << 18


@dataclass(frozen=True, slots=True)
class Cut:
    """How windows are cut."""

    length_sec: float
    overlap: float
    rate_hz: float
    max_gap_sec: float
    """A longer pause between two rows, or a jump back in time, ends a stretch."""
    thinned: bool = False
    """Whether stretches that were recorded faster than the rate are thinned to it."""
    min_purity: float = 1.0
    """The least share of a window's rows that have its label; at 1 no window crosses a change of label."""
    least_rows: float = 0.9
    """A window with fewer than this share of the rows its length promises is dropped."""

    @property
    def step_sec(self) -> float:
        """From one window's start to the next one's."""
        return self.length_sec * (1 - self.overlap)

    def settings(self) -> dict[str, float]:
        """As recorded with the dataset."""
        return {"length_sec": self.length_sec, "overlap": self.overlap}


def checked_cut(default: Cut, length_sec: float | None, overlap: float | None) -> Cut:
    """`default` with the options that were given. Raises UsageError when no window could be cut that way."""
    cut = replace(
        default,
        length_sec=default.length_sec if length_sec is None else length_sec,
        overlap=default.overlap if overlap is None else overlap,
    )
    if not (math.isfinite(cut.length_sec) and 2 / cut.rate_hz <= cut.length_sec <= 3600):
        raise UsageError(f"--length {cut.length_sec:g}: from {2 / cut.rate_hz:g} to 3600 seconds are possible here")
    if not 0 <= cut.overlap <= 0.95:
        raise UsageError(f"--overlap {cut.overlap:g}: a share from 0 to 0.95 is needed")
    return cut


def cut_windows(
    cut: Cut, time_sec: Samples, labels: NDArray[np.integer], values: Values, dropped: Counter[str]
) -> Iterator[tuple[int, Samples, Values]]:
    """The windows of one subject's recording as (label, times from 0, values), in the order of the rows.

    Args:
        cut: length, overlap, rate and gap.
        time_sec: shape (n,), seconds, as recorded: repeats, jumps back and gaps are dealt with here.
        labels: shape (n,); rows with a negative label belong to no activity and part what is around them.
        values: shape (channels, n).
        dropped: rows and windows left out are counted here, by reason.
    """
    for label, rows, own in cut_rows(cut, time_sec, labels, lambda rows: values[:, rows], dropped):
        yield label, time_sec[rows] - time_sec[rows[0]], own


def cut_rows(
    cut: Cut,
    time_sec: Samples,
    labels: NDArray[np.integer],
    values: Callable[[NDArray[np.integer]], Values],
    dropped: Counter[str],
) -> Iterator[tuple[int, NDArray[np.integer], Values]]:
    """The windows as (label, rows, values), for samples that are not in memory: `values` gives those of some rows,
    shape (channels, rows). Else as `cut_windows`. Where the cut asks for less purity than all, windows are laid over
    changes of label, and each is of the label that most of its rows have.
    """
    pure = cut.min_purity >= 1
    for start, end in label_runs(labels) if pure else [(0, len(labels))]:
        if pure and labels[start] < 0:
            continue
        for piece in pieces_of(time_sec[start:end], cut.max_gap_sec, dropped):
            rows = piece if not start else start + piece
            if cut.thinned:
                rows = _thinned(time_sec, rows, cut.rate_hz, dropped)
            for window in _windows(cut, _at(time_sec, rows), dropped):
                own = rows[slice(*window)]
                label = int(labels[start]) if pure else _label_of(labels[own], cut.min_purity, dropped)
                if label < 0:
                    continue
                read = values(own)
                if np.isnan(read).mean() > MAX_MISSING:
                    dropped["windows with more than half of their samples missing"] += 1
                else:
                    yield label, own, read


def _label_of(labels: NDArray[np.integer], min_purity: float, dropped: Counter[str]) -> int:
    """The label that most rows of a window have, -1 where none has as many as wanted."""
    counts = np.bincount(labels + 1)
    most = int(counts.argmax()) - 1
    if most >= 0 and counts[most + 1] < min_purity * len(labels):
        most = -1
    if most < 0:
        dropped["windows with too little of one label"] += 1
    return most


def label_runs(labels: NDArray[np.integer]) -> Iterator[tuple[int, int]]:
    """First and last-plus-one row of each stretch of one label."""
    borders = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    edges = [0, *borders.tolist(), len(labels)]
    return ((first, last) for first, last in pairwise(edges) if last > first)


def pieces_of(times: Samples, max_gap: float, dropped: Counter[str]) -> Iterator[NDArray[np.integer]]:
    """The rows of each stretch without a gap, in rising time. A single row out of place parts nothing.

    Rows are int32, and differences are taken block by block: a day's recording has millions of rows.
    """
    rows = np.arange(len(times), dtype=np.int32)
    away = _away(times, max_gap)
    stray = np.flatnonzero(away[:-1] & away[1:])
    stray = stray[np.abs(times[stray + 2] - times[stray]) <= max_gap] + 1
    if len(stray):
        rows = np.delete(rows, stray)
        away = _away(times[rows], max_gap)
        dropped["rows out of order in time"] += len(stray)
    for piece in np.split(rows, np.flatnonzero(away) + 1):
        rising, repeated = _rising(_at(times, piece))
        dropped["rows with a repeated timestamp"] += repeated
        dropped["rows out of order in time"] += int((~rising).sum()) - repeated
        yield piece if rising.all() else piece[rising]


def _at(times: Samples, rows: NDArray[np.integer]) -> Samples:
    """The times of some rows, without a copy where they follow each other."""
    first, last = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    return times[first:last] if last - first == len(rows) else times[rows]


def _away(times: Samples, max_gap: float) -> NDArray[np.bool_]:
    """Whether each row is followed by one that is not near to it in time, shape (n - 1,)."""
    away = np.empty(max(len(times) - 1, 0), dtype=np.bool_)
    for at in range(0, len(away), _BLOCK_ROWS):
        away[at : at + _BLOCK_ROWS] = ~(np.abs(np.diff(times[at : at + _BLOCK_ROWS + 1])) <= max_gap)
    return away


def _rising(times: Samples) -> tuple[NDArray[np.bool_], int]:
    """Whether each row is later than every one before it, shape (n,), and how many repeat the latest before."""
    rising = np.ones(len(times), dtype=np.bool_)
    repeated, latest = 0, -math.inf
    for at in range(0, len(times), _BLOCK_ROWS):
        block = times[at : at + _BLOCK_ROWS]
        before = np.maximum.accumulate(np.concatenate(([latest], block)))
        steps = block - before[:-1]
        rising[at : at + _BLOCK_ROWS] = steps > 0
        repeated += int((steps == 0).sum())
        latest = float(before[-1])
    return rising, repeated


def _thinned(times: Samples, rows: NDArray[np.integer], rate_hz: float, dropped: Counter[str]) -> NDArray[np.integer]:
    """Of rows that come too fast those nearest to a steady beat; rows at the rate itself all stay."""
    period = 1 / rate_hz
    if not (np.diff(times[rows]) < 0.6 * period).any():
        return rows
    steady, due = list[int](), -math.inf
    for row, time in zip(rows.tolist(), times[rows].tolist(), strict=True):
        if time >= due - 0.2 * period:
            steady.append(row)
            due = max(due + 0.98 * period, time + 0.6 * period)
    dropped[f"rows recorded faster than the {rate_hz:g} a second of the rest"] += len(rows) - len(steady)
    return np.array(steady)


def _windows(cut: Cut, times: Samples, dropped: Counter[str]) -> Iterator[tuple[int, int]]:
    """First and last-plus-one row of each window of a stretch."""
    half = 0.5 / cut.rate_hz
    used = 0
    last_start = times[-1] - times[0] + 3 * half - cut.length_sec
    for number in range(math.floor(last_start / cut.step_sec) + 1):
        start = float(times[0]) + number * cut.step_sec
        first, last = np.searchsorted(times, (start - half, start + cut.length_sec - half))
        if last - first < cut.least_rows * cut.length_sec * cut.rate_hz:
            dropped["windows with too few rows"] += 1
        else:
            yield int(first), int(last)
        used = int(last)
    dropped["rows too few for a window, at the end of a stretch"] += len(times) - used


def numbered(
    subject: str,
    prefix: str,
    names: Sequence[str] | Mapping[int, str],
    channels: Sequence[tuple[str, ...]],
    windows: Sequence[tuple[int, Samples, Values]],
    facts: Sequence[Mapping[str, Any]] = (),
) -> list[NewSession]:
    """One subject's windows as sessions `<prefix>_0001` …, in an order that says nothing about the activity.

    Args:
        subject: whose they are.
        prefix: what the ids begin with.
        names: the label each window's number stands for.
        channels: the names of each window's values.
        windows: label, times and values, in recorded order.
        facts: what is known of each window beside its label; of none where it is empty.
    """

    sessions: list[NewSession] = []
    for number, index in enumerate(drawn_order(prefix, len(windows)), 1):
        label, times, values = windows[index]
        stated = facts[index] if facts else {}
        sessions.append(
            NewSession(f"{prefix}_{number:04d}", subject, names[label], times, channels[index], values, stated)
        )
    return sessions


def drawn_order(prefix: str, windows: int) -> list[int]:
    """The windows of one recording in the order of their sessions' numbers."""

    def drawn(number: int) -> bytes:
        return hashlib.sha256(f"{prefix}/{number}".encode()).digest()

    return sorted(range(windows), key=drawn)


def window_name(recording: str, start: float, length: float) -> str:
    """The session of a window of a recording that is kept whole, drawn from where it lies.

    Args:
        recording: its name.
        start: when the window begins in it, in seconds.
        length: the window's, in seconds.
    """
    drawn = hashlib.sha256(f"{recording}\0{start:.4f}\0{length:g}".encode()).hexdigest()
    return f"{recording[:180]}_{drawn[:8]}"
