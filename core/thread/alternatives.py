"""What becomes of turns that a thread no longer holds: entries of its `alternatives`.

`core.thread.proposal` makes those of proposals that were never accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.thread.proposal import Reason, context_hash
from core.thread.turns import Turn
from core.thread.updates import with_alternatives
from core.thread.value import Message, Thread, timestamp


def with_turn_kept(changed: Thread, before: Thread, turn: Turn, reason: Reason) -> Thread:
    """`made` with a turn of `before`, from which it was made, among its alternatives; once, however often."""
    messages = before.messages[turn.start : turn.end]
    alternative = entry(before, turn.start, messages, reason, context_hash(before.messages[: turn.start]))
    keys = ("position", "context", "reason", "messages")
    if any(all(alternative[key] == other.get(key) for key in keys) for other in changed.alternatives):
        return changed
    return with_alternatives(changed, [*changed.alternatives, alternative])


def entry(thread: Thread, position: int, messages: Sequence[Message], reason: Reason, context: str) -> dict[str, Any]:
    """An entry for messages that stood in the thread at `position`, in the form of `proposal.alternative`.

    `context` is the hash of the messages before them; empty when they were generated after others, so that no
    preference pair is made of them.
    """
    return {
        "position": position,
        "context": context,
        "reason": reason,
        "model": str(thread.metadata.get("model") or ""),
        "created_at": timestamp(),
        "messages": [{key: value for key, value in message.items() if key != "stale"} for message in messages],
    }


def shifted(thread: Thread, start: int, by: int) -> Thread:
    """The thread with alternatives from `start` on moved along with the turns they stand at."""
    if not by or not thread.alternatives:
        return thread

    def moved(alternative: Mapping[str, Any]) -> Mapping[str, Any]:
        position = alternative.get("position")
        return (
            {**alternative, "position": position + by}
            if isinstance(position, int) and position >= start
            else alternative
        )

    return with_alternatives(thread, map(moved, thread.alternatives))
