"""The limits on waits for a server's next bytes, which share one timer."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest

from core.model.stream import SilentError, Watch


async def soon() -> str:
    await asyncio.sleep(0)
    return "came"


async def test_each_wait_has_its_own_limit_and_a_late_one_cancels_nothing_else():
    task = asyncio.current_task()
    assert task is not None
    with closing(Watch()) as watch:
        assert await watch.within(soon(), 600) == "came"  # the first token may take long
        for _ in range(3):
            with pytest.raises(SilentError):
                await watch.within(asyncio.sleep(60), 0.01)
            assert task.cancelling() == 0
            assert await watch.within(soon(), 600) == "came"
        assert await watch.within(soon(), None) == "came"


async def test_the_timer_of_a_wait_that_is_over_ends_no_later_one():
    with closing(Watch()) as watch:
        assert await watch.within(soon(), 0.02) == "came"
        assert await watch.within(asyncio.sleep(0.06, "slow"), 60) == "slow"


async def test_who_stops_a_run_is_not_taken_for_a_silent_server():
    async def waiting() -> None:
        with closing(Watch()) as watch:
            await watch.within(asyncio.sleep(60), 60)

    task = asyncio.create_task(waiting())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
