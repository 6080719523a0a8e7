"""Threads that say what another one says: exactly, or nearly by wording and tool path."""

from __future__ import annotations

from core.lint.finding import Finding
from core.thread.signature import Seen, Signature, signature
from core.thread.value import Thread, is_assistant

NAME = "duplicates"
ABOUT = "a thread that says what another says, exactly or nearly"
_FIX = "keep the better one; `sensorloom export --dedupe near` keeps the first"


def spoken_signature(thread: Thread) -> Signature | None:
    """What a thread is compared by; None when nothing was said yet.

    Branches repeat their parent's beginning and are compared like any other.
    """
    return signature(thread) if any(map(is_assistant, thread.messages)) else None


class Duplicates:
    """Compares each thread with those before it, by the order of their stems."""

    def __init__(self) -> None:
        self._seen = Seen()

    def find(self, stem: str, spoken: Signature | None) -> Finding | None:
        """What this thread repeats."""
        if spoken is None:
            return None
        if first := self._seen.exact(stem, spoken):
            return Finding(NAME, None, f"it says exactly what {first} says", _FIX)
        if near := self._seen.near(stem, spoken):
            other, share = near
            return Finding(NAME, None, f"its wording and tools are those of {other} ({share:.0%} the same)", _FIX)
        return None
