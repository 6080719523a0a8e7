"""Carrying events from the runner's thread to the app, a few times a second."""

from __future__ import annotations

import threading

from textual.message import Message
from textual.message_pump import MessagePump

from core.runs.events import TurnEvent, merge_text

REDRAW_SECONDS = 1 / 12
"""Faster than reading, slow enough for a thin SSH link."""


class EventBridge:
    """A mailbox between threads. An idle one wakes nobody, and a full one costs one redraw."""

    class Ready(Message):
        """There is something to `take()`."""

    def __init__(self, target: MessagePump) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._events: list[TurnEvent] = []

    def put(self, event: TurnEvent) -> None:
        """Add an event, from any thread."""
        with self._lock:
            self._events.append(event)
            first = len(self._events) == 1
        if first:
            self._target.post_message(self.Ready())

    def take(self) -> list[TurnEvent]:
        """All events so far, neighbouring text joined."""
        with self._lock:
            events, self._events = self._events, []
        return merge_text(events)
