"""Threads that rest on nothing: most of their calls failed, and the answer is a guess however it reads."""

from __future__ import annotations

from collections.abc import Iterator

from core.lint.finding import Check, Context, Finding
from core.thread.turns import is_error
from core.thread.value import Thread, text_of

LEAST_CALLS = 2
"""A single call that failed is a recovery or a beginning, not a thread's ground."""


def _failed_calls(thread: Thread, context: Context) -> Iterator[Finding]:
    results = [message for message in thread.messages if message.get("role") == "tool"]
    failed = sum(is_error(text_of(message)) for message in results)
    if len(results) >= LEAST_CALLS and 2 * failed > len(results):
        sentence = f"{failed} of {len(results)} calls failed, so the answer rests on little that was measured"
        yield Finding("failed_calls", None, sentence, "see `sensorloom datasets check`, run it anew, or reject it")


FAILED_CALLS = Check("failed_calls", "a thread most of whose calls failed", _failed_calls)
