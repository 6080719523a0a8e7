"""Cutting a recording into windows of one activity that cross no gap, and naming them without a hint.

Sessions of one subject are numbered in an order drawn from a hash, so that neither a session's number nor its
neighbours in a list say what was going on.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
    cut: Cut, time_sec: Samples, labels: NDArray[np.int64], values: Values, dropped: Counter[str]
) -> Iterator[tuple[int, Samples, Values]]:
    """The windows of one subject's recording as (label, times from 0, values), in the order of the rows.

    Args:
        cut: length, overlap, rate and gap.
        time_sec: shape (n,), seconds, as recorded: repeats, jumps back and gaps are dealt with here.
        labels: shape (n,); rows with a negative label belong to no activity and part what is around them.
        values: shape (channels, n).
        dropped: rows and windows left out are counted here, by reason.
    """
    for start, end in _runs(labels):
        label = int(labels[start])
        if label < 0:
            continue
        for piece in _pieces(time_sec[start:end], cut.max_gap_sec, dropped):
            rows = start + piece
            if cut.thinned:
                rows = _thinned(time_sec, rows, cut.rate_hz, dropped)
            yield from ((label, *window) for window in _windows(cut, time_sec[rows], values[:, rows], dropped))


def _runs(labels: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First and last-plus-one row of each stretch of one label."""
    borders = np.flatnonzero(np.diff(labels)) + 1
    edges = [0, *borders.tolist(), len(labels)]
    return ((first, last) for first, last in pairwise(edges) if last > first)


def _pieces(times: Samples, max_gap: float, dropped: Counter[str]) -> Iterator[NDArray[np.int64]]:
    """The rows of each stretch without a gap, in rising time. A single row out of place parts nothing."""
    rows = np.arange(len(times))
    away = ~(np.abs(np.diff(times)) <= max_gap)
    stray = away[:-1] & away[1:] & (np.abs(times[2:] - times[:-2]) <= max_gap)
    rows = np.delete(rows, np.flatnonzero(stray) + 1)
    dropped["rows out of order in time"] += int(stray.sum())
    breaks = np.flatnonzero(~(np.abs(np.diff(times[rows])) <= max_gap)) + 1
    for piece in np.split(rows, breaks):
        steps = times[piece[1:]] - np.maximum.accumulate(times[piece])[:-1]
        rising = np.concatenate(([True], steps > 0))
        repeated = int((steps == 0).sum())
        dropped["rows with a repeated timestamp"] += repeated
        dropped["rows out of order in time"] += int((~rising).sum()) - repeated
        yield piece[rising]


def _thinned(times: Samples, rows: NDArray[np.int64], rate_hz: float, dropped: Counter[str]) -> NDArray[np.int64]:
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


def _windows(cut: Cut, times: Samples, values: Values, dropped: Counter[str]) -> Iterator[tuple[Samples, Values]]:
    half = 0.5 / cut.rate_hz
    used = 0
    last_start = times[-1] - times[0] + 3 * half - cut.length_sec
    for number in range(math.floor(last_start / cut.step_sec) + 1):
        start = float(times[0]) + number * cut.step_sec
        first, last = np.searchsorted(times, (start - half, start + cut.length_sec - half))
        if last - first < cut.least_rows * cut.length_sec * cut.rate_hz:
            dropped["windows with too few rows"] += 1
        elif np.isnan(values[:, first:last]).mean() > MAX_MISSING:
            dropped["windows with more than half of their samples missing"] += 1
        else:
            yield times[first:last] - times[first], values[:, first:last]
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

    def drawn(number: int) -> bytes:
        return hashlib.sha256(f"{prefix}/{number}".encode()).digest()

    order = sorted(range(len(windows)), key=drawn)
    sessions: list[NewSession] = []
    for number, index in enumerate(order, 1):
        label, times, values = windows[index]
        stated = facts[index] if facts else {}
        sessions.append(
            NewSession(f"{prefix}_{number:04d}", subject, names[label], times, channels[index], values, stated)
        )
    return sessions
