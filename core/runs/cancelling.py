"""Being cancelled without losing anything: what a task has begun is finished, what came is reported."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar, cast

T = TypeVar("T")


async def in_full(function: Callable[..., T], *arguments: object) -> tuple[T, bool]:
    """Run a function in a thread to its end, and say whether the task was cancelled meanwhile."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    cancelled = False
    while True:
        try:
            return await asyncio.shield(work), cancelled
        except asyncio.CancelledError:
            if work.cancelled():
                raise
            stay_alive()
            cancelled = True


async def aside(function: Callable[..., T], *arguments: object) -> T:
    """Run a function in a thread that nothing waits for: neither cancelling nor leaving the program does.

    For code of other people, which may never return.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if outcome.cancelled():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(cast("T", result))

    def work() -> None:
        result, error = None, None
        try:
            result = function(*arguments)
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody is waiting any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name="tool", daemon=True).start()
    return await outcome


def stay_alive() -> None:
    """The task's cancellation is dealt with: what it awaits from here on is not cancelled."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


class UnderWay:
    """Work that is under way in one loop, until all of it is told to stop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopped = False

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of this. Raises asyncio.CancelledError: it was stopped, or all was before it began."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        if self._stopped:
            task.cancel()
        try:
            return await task
        finally:
            self._tasks.discard(task)

    def stop(self) -> None:
        """Cancel what is under way, and whatever is still to come."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
