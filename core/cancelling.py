"""Being cancelled without losing anything: what a task has begun is finished, what came is reported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

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


def stay_alive() -> None:
    """The task's cancellation is dealt with: what it awaits from here on is not cancelled."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
