"""What people said of a thread: its verdict with note and reasons, and its tags. Read leniently: a file may hold
anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.thread.value import Thread


def review_of(thread: Thread) -> Mapping[str, Any]:
    """The verdict with what was said beside it, as stored; empty where nobody judged."""
    review = thread.metadata.get("review")
    return review if isinstance(review, dict) else {}


def verdict_of(thread: Thread) -> str:
    """`accept`, `reject`, `skip`, or empty."""
    return _word(review_of(thread).get("verdict"))


def truth_hidden(verdict: str, *, blind: bool) -> bool:
    """Whether a session's label is not to be shown: to who judges blind, until the thread has its verdict."""
    return blind and not verdict


def note_of(thread: Thread) -> str:
    """Why it was judged so, in somebody's words."""
    return _word(review_of(thread).get("note"))


def judge_of(thread: Thread) -> str:
    """Who gave the verdict, where that was kept."""
    return _word(review_of(thread).get("by"))


def reasons_of(thread: Thread) -> tuple[str, ...]:
    """Why it was judged so, in words from a workspace's list."""
    return _words(review_of(thread).get("reasons"))


def tags_of(thread: Thread) -> tuple[str, ...]:
    """The thread's tags."""
    return _words(thread.metadata.get("tags"))


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(value: object) -> tuple[str, ...]:
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()
