"""How many threads are in flight: found out from the server's refusals and its latency, up to a ceiling.

Additive increase, multiplicative decrease (Chiu and Jain, "Analysis of the Increase and Decrease Algorithms for
Congestion Avoidance in Computer Networks", 1989), with TCP's slow start and its one decrease a round (RFC 5681, RFC
6582); a limit that nothing leant on is not raised (RFC 7661). A refusal is a 429, 503 or 529; latency is the time to a
message's first token, which grows by as long as a server has requests wait.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from core.model.endpoints import ModelChoice
from core.model.reply import CallAdded, TextAdded, Waiting
from core.runs.events import TurnEvent, TurnStarted
from core.settings_tables import CONCURRENCY

MOST = 256
"""The ceiling where nobody named one."""
HALF, GENTLY = 0.5, 0.9
"""By what a refusal, and latency, multiply the limit."""
SETTLED = 8
"""Answers until the usual latency is known; each counts for one of so many in the mean (as RFC 6298 smooths)."""
SLOW_TIMES, SLOW_SEC = 4.0, 1.0
"""A mean latency over so many times the lowest one, and over so many seconds, is a queue at the server."""
DRIFT = 1.05
"""Threads grow, and so does what is read before each first token: the lowest latency is raised by this where lowering
the limit was tried."""
PATIENCE_PART = 0.25
"""A mean latency over this part of what is waited at most is a queue too."""


@dataclass(slots=True)
class Gate:
    """A number of places. Those who wait come in their order."""

    inside: int = 0
    waiting: deque[asyncio.Future[None]] | None = None

    async def enter(self, has_room: Callable[[], bool]) -> None:
        """Wait until there is room, and take it."""
        queue = self.waiting = self.waiting or deque()
        if has_room() and not queue:
            self.inside += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had its place by then, which is the next one's
                self.inside -= 1
                self.let_in(has_room)
            raise

    def let_in(self, has_room: Callable[[], bool]) -> None:
        """Let in whom there is room for."""
        while self.waiting and has_room():
            turn = self.waiting.popleft()
            if not turn.done():
                self.inside += 1
                turn.set_result(None)


class Pacing(Protocol):
    """What a job needs of a pace."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Make a turn: wait until there is room for it."""
        ...

    def hear(self, event: TurnEvent) -> None:
        """Learn from what a run reports."""
        ...


class Pace:
    """Decides when a thread may begin, and when a turn. Lives in one event loop."""

    def __init__(
        self,
        ceiling: int,
        *,
        begin: int | None = None,
        by_latency: bool = False,
        patience_sec: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        ceiling: how many threads run at once at most.
        begin: with how many it begins; the ceiling unless told.
        by_latency: whether latency lowers the limit, down to `begin`, beside refusals, which lower it to 1.
        patience_sec: how long a first token is waited for at most; 0 for ever.
        clock: seconds.
        """
        self._ceiling = ceiling
        self._floor = min(begin or ceiling, ceiling)
        self._limit = float(self._floor)
        self._by_latency = by_latency
        self._patience_sec = patience_sec
        self._clock = clock
        self._threads, self._turns = Gate(), Gate()
        self._paused = False
        self._quiet_until = 0.0
        """Until when the server asked for no requests at all."""
        self._alarm: asyncio.TimerHandle | None = None
        self._asked: dict[str, float] = {}
        """When each run's message was asked for whose first token has not come."""
        self._lowered_at = float("-inf")
        self._doubling = True
        """Whether the limit still doubles each round, as it does until the first sign that it is too high."""
        self._mean: float | None = None
        self._lowest = float("inf")
        self._answers = 0

    @property
    def limit(self) -> int:
        """How many threads run at once by what is known now."""
        return int(self._limit)

    @property
    def running(self) -> int:
        """How many threads are in flight."""
        return self._threads.inside

    @property
    def turns(self) -> int:
        """How many turns are being made."""
        return self._turns.inside

    @property
    def paused(self) -> bool:
        """Whether nothing new is begun."""
        return self._paused

    def pause(self, paused: bool = True) -> None:
        """Begin no further thread and no further turn, those under way finish theirs; or go on."""
        self._paused = paused
        self._let_in()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Make a turn: wait until there is room for another one."""
        await self._turns.enter(self._room_for_turn)
        try:
            yield
        finally:
            self._turns.inside -= 1
            self._let_in()

    async def begin_thread(self) -> None:
        """Wait until there is room for another thread, and take it."""
        await self._threads.enter(self._room_for_thread)

    def end_thread(self) -> None:
        """A thread is over."""
        self._threads.inside -= 1
        self._let_in()

    def hear(self, event: TurnEvent) -> None:
        """Learn from what a run reports."""
        now = self._clock()
        match event:
            case TurnStarted():
                self._asked[event.run] = now
            case TextAdded() | CallAdded():
                if (asked := self._asked.pop(event.run, None)) is not None:
                    self._answered(now - asked, asked, now)
            case Waiting():
                asked = self._asked.get(event.run, now)
                self._asked[event.run] = now + event.seconds
                if event.busy:
                    self._refused(event, asked, now)
            case _:
                pass

    def _answered(self, seconds: float, asked: float, now: float) -> None:
        self._answers += 1
        self._mean = seconds if self._mean is None else self._mean + (seconds - self._mean) / SETTLED
        if self._answers >= SETTLED:
            self._lowest = min(self._lowest, self._mean)
        if self._by_latency and self._is_slow(self._mean):
            self._doubling = False
            if asked >= self._lowered_at and self._limit > self._floor:
                self._limit = max(float(self._floor), self._limit * GENTLY)
                self._lowered_at = now
                self._lowest *= DRIFT
        elif self._threads.inside >= self.limit:  # else it was not the limit that held anything back
            more = 1.0 if self._doubling else 1.0 / self._limit
            self._limit = min(float(self._ceiling), self._limit + more)
            self._let_in()

    def _is_slow(self, mean: float) -> bool:
        queueing = self._answers > SETTLED and mean > max(SLOW_SEC, SLOW_TIMES * self._lowest)
        return queueing or 0 < self._patience_sec * PATIENCE_PART < mean

    def _refused(self, event: Waiting, asked: float, now: float) -> None:
        self._doubling = False
        if asked >= self._lowered_at:  # of the requests that were out by then, one lowers it
            self._limit = max(1.0, self._limit * HALF)
            self._lowered_at = now
        if event.asked_to and now + event.seconds > self._quiet_until:
            self._quiet_until = now + event.seconds
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = asyncio.get_running_loop().call_later(event.seconds, self._let_in)

    def _let_in(self) -> None:
        self._turns.let_in(self._room_for_turn)
        self._threads.let_in(self._room_for_thread)

    def _may_ask(self) -> bool:
        return not self._paused and self._clock() >= self._quiet_until

    def _room_for_turn(self) -> bool:
        return self._may_ask() and self._turns.inside < self.limit

    def _room_for_thread(self) -> bool:
        return self._may_ask() and self._threads.inside < self.limit


def pace_for(choice: ModelChoice, parallel: int | None = None) -> Pace:
    """How a batch is paced: a number that a person named, or the endpoint's `concurrency`, is the ceiling and the
    beginning, which the server's refusals lower; without, it begins with few and finds out. The built-in analyst
    refuses nothing."""
    named = parallel or choice.settings.concurrency
    if named or choice.endpoint.builtin:
        return Pace(named or CONCURRENCY)
    return Pace(MOST, begin=CONCURRENCY, by_latency=True, patience_sec=choice.settings.first_token_sec)
