"""Work that goes on by itself: on a thread and an event loop of its own, begun, stopped, waited for."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

from core.errors import SensorloomError

CLOSE_TIMEOUT_SEC = 5.0
"""How long `close` waits for what came to be saved."""

_log = logging.getLogger(__name__)


class Background:
    """One such work. All methods may be called from any thread."""

    def __init__(self, name: str, work: Callable[[], Awaitable[object]], ended: Callable[[str], object]) -> None:
        """Args:
        name: what it is, for a sentence: `the evaluation`.
        work: does it; called in the loop.
        ended: called on its thread when it is over, with what went wrong, in a sentence, or nothing.
        """
        self._name = name
        self._do = work
        self._ended = ended
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self.stopping = False
        """Whether it was asked to stop."""
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Cancel it."""
        self.stopping = True
        if not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._cancel)
            except RuntimeError:  # it ended just now
                return

    def close(self) -> None:
        """Stop it, and wait until what came is saved."""
        if self._thread.is_alive():
            self.stop()
            self._thread.join(CLOSE_TIMEOUT_SEC)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _done(self) -> None:
        await self._do()

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        problem = ""
        try:
            self._task = self._loop.create_task(self._done())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            self.stopping = True
        except SensorloomError as error:
            problem = str(error)
        except Exception as error:
            _log.exception("%s failed", self._name)
            problem = f"{self._name} failed unexpectedly: {type(error).__name__}: {error}"
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
        self._ended(problem)
