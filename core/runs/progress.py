"""How far a run of many threads is, as a value: what is running, done and failed, how fast it goes, how long yet.

`heard` makes of a progress and an event the next progress. The command's line, the screen of batches and the file that
other processes read (`core.runs.batch_live`) all show the same value.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from core.runs.events import TurnAccepted, TurnEvent, TurnMade
from core.runs.job import Ran
from core.settings import BUILTIN_MODEL
from core.thread.cost import tokens_in
from core.thread.value import Thread, is_assistant

if TYPE_CHECKING:
    from core.runs.pace import Pace

MARK_SEC, MARKS = 5.0, 24
"""Rates are of the last two minutes: a mark each five seconds, so many of them."""
TURN_MARKS = 6
"""Of turns and tokens the last half minute counts: threads take longer than turns."""
SOON_SEC = 1.0
"""Before so much time there is no rate."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """What was there at a moment."""

    at: float
    over: int
    turns: int
    tokens: int


class Progress(msgspec.Struct, frozen=True):
    """How far it is at the moment `at`."""

    of: int
    """Threads in all."""
    done: int = 0
    """Those that came to their end: finished, or at their limit of turns."""
    failed: int = 0
    """Those that broke off with an error; going on tries them again."""
    running: int = 0
    """Threads in flight."""
    asking: int = 0
    """Those of them whose turn is being made; the others wait for room, or until a pause ends."""
    limit: int = 0
    """How many are in flight at most, by what the server takes now (`core.runs.pace`); 0 where nothing runs."""
    turns: int = 0
    tokens: int = 0
    """What the model wrote, as its server counted."""
    paused: bool = False
    problem: str = ""
    """What failed last, in a sentence."""
    at: float = 0.0
    """Seconds since 1970, as the marks have them."""
    marks: tuple[Mark, ...] = ()

    @property
    def left(self) -> int:
        """Threads that are not over."""
        return max(0, self.of - self.done - self.failed)

    @property
    def turns_a_second(self) -> float | None:
        """Turns of late; None where that cannot be said yet."""
        return self._rate("turns", TURN_MARKS)

    @property
    def tokens_a_second(self) -> float | None:
        """Tokens of late; None where the server counts none."""
        return self._rate("tokens", TURN_MARKS) if self.tokens else None

    @property
    def threads_a_minute(self) -> float | None:
        """Threads of late that came to their end."""
        rate = self._rate("over", MARKS)
        return None if rate is None else 60 * rate

    @property
    def left_sec(self) -> float | None:
        """For how long it goes on yet at the rate of late."""
        rate = None if self.paused else self._rate("over", MARKS)
        return self.left / rate if rate else None

    def _rate(self, what: str, marks: int) -> float | None:
        if not self.marks:
            return None
        since = self.marks[-marks:][0]
        now = Mark(self.at, self.done + self.failed, self.turns, self.tokens)
        seconds = now.at - since.at
        return (getattr(now, what) - getattr(since, what)) / seconds if seconds >= SOON_SEC else None


def heard(progress: Progress, event: TurnEvent | Ran, now: float) -> Progress:
    """The progress after an event of one of its threads."""
    match event:
        case TurnAccepted():
            return turn_made(progress, tokens_of_turn(event.stored.thread), now)
        case TurnMade():
            return turn_made(progress, event.tokens, now)
        case Ran() if not event.cancelled:
            return thread_over(progress, event.error, now)
        case _:
            return progress


def tokens_of_turn(thread: Thread) -> int:
    """What the model wrote in a thread's last turn, as its server counted; of the built-in analyst, which counts words,
    nothing."""
    spoken = [message for message in thread.messages[-8:] if is_assistant(message)]
    return 0 if thread.metadata.get("model") == BUILTIN_MODEL else tokens_in(spoken[-1:])[1]


def turn_made(progress: Progress, tokens: int, now: float) -> Progress:
    """The progress after a turn, for which the model wrote so much."""
    return _marked(progress, now, turns=progress.turns + 1, tokens=progress.tokens + tokens)


def thread_over(progress: Progress, error: str, now: float) -> Progress:
    """The progress after a thread, which failed where there is an error."""
    if error:
        return _marked(progress, now, failed=progress.failed + 1, problem=error)
    return _marked(progress, now, done=progress.done + 1)


def _marked(progress: Progress, now: float, **changes: object) -> Progress:
    """The progress with changes, after a mark of what was before where it is time for one."""
    marks = progress.marks
    if not marks or now - marks[-1].at >= MARK_SEC:
        mark = Mark(now if not marks else progress.at, progress.done + progress.failed, progress.turns, progress.tokens)
        marks = (*marks, mark)[-MARKS:]
    return msgspec.structs.replace(progress, marks=marks, at=now, **changes)


class Meter:
    """Keeps the progress of a run up to date, and paces it. Lives where the run does."""

    def __init__(self, pace: Pace, of: int, done: int = 0, *, clock: Callable[[], float] = time.time) -> None:
        """Args: `of` threads in all, `done` of them before this run."""
        self.pace = pace
        self.stopped = False
        """Whether somebody stopped it, before or after a thread of it was over."""
        self._clock = clock
        now = clock()
        self._progress = Progress(of, done, at=now, marks=(Mark(now, done, 0, 0),))

    @property
    def progress(self) -> Progress:
        """How far it is now."""
        pace = self.pace
        now = {"running": pace.running, "asking": pace.turns, "limit": pace.limit, "paused": pace.paused}
        return _marked(self._progress, self._clock(), **now)

    def hear(self, event: TurnEvent | Ran) -> None:
        """Take what a thread reports."""
        self.stopped = self.stopped or (isinstance(event, Ran) and event.cancelled)
        self._progress = heard(self._progress, event, self._clock())


def told(progress: Progress) -> list[str]:
    """The progress in words, the most wanted first: `212 of 5,000 done`, `3 failed`, `48 of 64 in flight`, …"""
    parts = [f"{progress.done:,} of {progress.of:,} done"]
    parts += [f"{progress.failed:,} failed"] if progress.failed else []
    if progress.paused:
        parts.append(f"pausing, {progress.asking} finish their turn" if progress.asking else "paused")
    elif progress.running > progress.limit:
        parts.append(f"{progress.running} in flight, slowed to {progress.limit}")
    elif progress.limit:
        parts.append(f"{progress.running} of {progress.limit} in flight")
    parts += [f"{duration(progress.left_sec)} left"] if progress.left and progress.left_sec is not None else []
    for rate, unit in (
        (progress.turns_a_second, "turns/s"), (progress.threads_a_minute, "threads/min"),
        (progress.tokens_a_second, "tokens/s"),
    ):  # fmt: skip
        if rate and not progress.paused:
            parts.append(f"{rounded(rate)} {unit}")
    return parts


def rounded(rate: float) -> str:
    """A rate in so many digits as say something: `0.42`, `4.2`, `42`, `4,200`."""
    digits = 0 if rate >= 10 or rate <= 0 else 1 if rate >= 1 else 2
    return f"{rate:,.{digits}f}"


def duration(seconds: float) -> str:
    """How long in at most two units: `40 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    whole = math.ceil(seconds)
    for size, unit, smaller, name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            more = whole % size // smaller
            return f"{whole // size:,} {unit}" + (f" {more} {name}" if more else "")
    return f"{whole} s"
