"""Rows of one sensor onto one rising clock: what repeats, comes late, pauses, or jumps in time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from statistics import median

from core.datasets.tables.joining import MAX_GAP_SEC, MAX_GAP_STEPS

SECOND = 1_000_000_000
LATE_NS = SECOND
"""A row that is this much older than the last one at most came out of order; an older one means another clock."""
AHEAD_NS = 86_400 * SECOND
"""Who goes on a day later was set right in between."""
JUMP_NS = SECOND
"""A jump of the clock is a gap of at least this, which no window crosses."""
_STEPS = 64


@dataclass(slots=True)
class Timeline:
    """The clock of one sensor. It never goes back: a source that is set back goes on where it was, after a gap."""

    absolute: bool
    """Whether the source counts since 1970; else its first row is now."""
    counts: Counter[str]
    """What was left out, and how often time paused or jumped, by what it is called."""
    last_ns: int | None = None
    """Time of the last row."""
    arrived_ns: int = 0
    """When that came."""
    lag_ns: int | None = None
    """The least time that a row was on its way, by which a moment here is a moment of the recording."""
    told: list[str] = field(default_factory=list[str])
    """What a person should hear of, a sentence each."""
    _shift: int | None = None
    _steps: deque[int] = field(default_factory=lambda: deque[int](maxlen=_STEPS))

    def time_of(self, source_ns: int, arrival_ns: int) -> int | None:
        """The time of a row, ns since 1970; None for a row that is left out.

        Args:
            source_ns: as the source counts.
            arrival_ns: when it came, since 1970.
        """
        if self._shift is None:
            self._shift = 0 if self.absolute else arrival_ns - source_ns
        time = source_ns + self._shift
        if self.last_ns is not None:
            step = time - self.last_ns
            if step == 0:
                self.counts["rows with a repeated timestamp"] += 1
                return None
            if -LATE_NS <= step < 0:
                self.counts["rows out of order in time"] += 1
                return None
            if step < 0 or step > AHEAD_NS:
                time = self._jumped(source_ns, step, arrival_ns)
            elif step > self.longest_step:
                self._paused(step)
            else:
                self._steps.append(step)
        lag = arrival_ns - time
        self.lag_ns = lag if self.lag_ns is None else min(lag, self.lag_ns)
        self.last_ns, self.arrived_ns = time, arrival_ns
        return time

    def counted(self, rate_hz: float, arrival_ns: int) -> int:
        """The time of the next of so many rows a second, of a source that has no clock. Where it paused, now."""
        if self.last_ns is None:
            time = arrival_ns
        else:
            time = self.last_ns + round(SECOND / rate_hz)
            if arrival_ns - time > JUMP_NS:
                self._paused(arrival_ns - self.last_ns)
                time = arrival_ns
        self._steps.append(round(SECOND / rate_hz))
        lag = arrival_ns - time
        self.lag_ns = lag if self.lag_ns is None else min(lag, self.lag_ns)
        self.last_ns, self.arrived_ns = time, arrival_ns
        return time

    @property
    def rate_hz(self) -> float:
        """Rows a second, by the usual step; 0 while it is not known."""
        return SECOND / median(self._steps) if self._steps else 0.0

    @property
    def longest_step(self) -> float:
        """Nanoseconds from row to row that are no gap yet; a first step is as long as it is."""
        if not self._steps:
            return float(10 * SECOND)
        return max(MAX_GAP_STEPS * median(self._steps), MAX_GAP_SEC * SECOND)

    @property
    def after_last(self) -> int:
        """The time half a step after the last row."""
        return (self.last_ns or 0) + (round(median(self._steps) / 2) if self._steps else 1)

    def now(self, at_ns: int) -> int:
        """The time on this clock at a moment of the computer's, at least that of the last row."""
        since = at_ns - (self.lag_ns or 0)
        return since if self.last_ns is None else max(since, self.last_ns + 1)

    def _paused(self, step: int) -> None:
        self.counts["gaps"] += 1
        if step > SECOND:
            self.told.append(f"a gap of {step / SECOND:.1f} s")

    def _jumped(self, source_ns: int, step: int, arrival_ns: int) -> int:
        """Go on after a jump of the source's clock, by what passed here."""
        assert self.last_ns is not None
        self.counts["jumps in time"] += 1
        where = "back" if step < 0 else "ahead"
        self.told.append(
            f"the source's clock jumped {_length(abs(step))} {where}; the recording goes on after a gap, on one clock"
        )
        time = self.last_ns + max(arrival_ns - self.arrived_ns, JUMP_NS)
        self._shift, self.lag_ns = time - source_ns, None
        return time


def _length(ns: int) -> str:
    seconds = ns / SECOND
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"
