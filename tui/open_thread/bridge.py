"""Carrying events from the runner's thread to the app, a few times a second."""

from __future__ import annotations

import threading
from collections.abc import Callable

from core.runs.events import TurnEvent, merge_text

REDRAW_SECONDS = 1 / 12
"""Faster than reading, slow enough for a thin SSH link."""


class EventBridge:
    """A mailbox between threads. An idle one wakes nobody, and a full one costs one redraw."""

    def __init__(self, wake: Callable[[], object]) -> None:
        """Args: `wake` is called, on any thread, when there is something to `drain()` where nothing was."""
        self._wake = wake
        self._lock = threading.Lock()
        self._events: list[TurnEvent] = []

    def put(self, event: TurnEvent) -> None:
        """Add an event, from any thread."""
        with self._lock:
            self._events.append(event)
            first = len(self._events) == 1
        if first:
            self._wake()

    def drain(self) -> list[TurnEvent]:
        """All events so far, neighbouring text joined."""
        with self._lock:
            events, self._events = self._events, []
        return merge_text(events)
