"""Several ways at one session: where a wrong one parts from a right one, and what is kept of it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.thread.alternatives import entry
from core.thread.compare import first_difference
from core.thread.proposal import context_hash
from core.thread.turns import turn_at, with_ids_of
from core.thread.updates import with_alternatives, with_metadata
from core.thread.value import Thread, is_assistant


def parting(right: Thread, wrong: Thread) -> int | None:
    """The index of the first message in which two threads differ, where both are assistant turns there; None where
    they part at anything else, so that neither can be preferred."""
    index = first_difference(right.messages, wrong.messages)
    if index is None or index >= min(len(right.messages), len(wrong.messages)):
        return None
    return index if is_assistant(right.messages[index]) and is_assistant(wrong.messages[index]) else None


def with_wrong_way(right: Thread, wrong: Thread) -> Thread:
    """The right thread with the turn in which the wrong one parts from it among its alternatives, which preference
    profiles make a pair of; unchanged where there is no such turn."""
    index = parting(right, wrong)
    if index is None:
        return right
    turn = turn_at(wrong, index)
    messages = with_ids_of(right, wrong.messages[index : turn.end])
    alternative = entry(wrong, index, messages, "sampled", context_hash(right.messages[:index]))
    alternative["led_to"] = str(wrong.metadata.get("final_answer") or "")
    return with_alternatives(right, [*right.alternatives, alternative])


def with_wrong_ways(right: Mapping[str, Thread], wrong: Sequence[Thread]) -> dict[str, Thread]:
    """The right threads, by stem, with each wrong one's turn kept in the thread it went along with the longest; of
    several such, in the one that holds the fewest, and of those in the first."""
    paired = dict(right)
    added = dict.fromkeys(right, 0)
    for thread in wrong:
        ways = {stem: index for stem, other in right.items() if (index := parting(other, thread)) is not None}
        if not ways:
            continue
        stem = min(ways, key=lambda stem: (-ways[stem], added[stem]))
        paired[stem] = with_wrong_way(paired[stem], thread)
        added[stem] += 1
    return paired


def with_pass_rate(thread: Thread, right: int, of: int, model: str) -> Thread:
    """The thread with how often its session was answered right when it was made."""
    return with_metadata(thread, pass_rate={"right": right, "of": of, "model": model})


def made_by(thread: Thread) -> dict[str, Any]:
    """What is recorded of how the thread was made, beside the model: a hint, a paraphrase …"""
    origin = thread.metadata.get("made_by")
    return dict(origin) if isinstance(origin, Mapping) else {}


def with_made_by(thread: Thread, **changes: Any) -> Thread:
    """The thread with more recorded of how it was made; a value of `...` takes a record away."""
    merged = {**made_by(thread), **changes}
    return with_metadata(thread, made_by={key: value for key, value in merged.items() if value is not ...} or ...)
