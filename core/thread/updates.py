"""A thread with a part of it replaced: its metadata, its messages, what was rejected.

Nothing here changes a document: every function returns a new thread that shares what did not change, its keys in the
places they had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.thread.value import Message, Thread, counted, timestamp

_METADATA_ORDER = (
    "dataset", "session", "ground_truth", "status", "num_turns", "num_tool_calls", "num_responds", "is_correct",
    "confidence", "user_query", "schema_version", "created_at", "last_modified", "final_answer", "model",
    "temperature", "seed", "max_tokens", "made_by", "parent_id", "branched_at", "review", "tags", "max_turns",
)  # fmt: skip
_TOP_ORDER = ("id", "metadata", "messages", "tools", "alternatives")
_ASKED_OF_MESSAGES = ("faithfulness", "judgements")
"""Metadata that a model was asked for about the messages as they stand."""


def _placed(old: Mapping[str, Any], changes: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """`old` with `changes`: keys that are there keep their place, new ones come where `order` has them."""
    keys = list(old)
    for key in changes:
        if key not in old:
            before = order[: order.index(key)] if key in order else keys
            keys.insert(max((keys.index(earlier) for earlier in before if earlier in keys), default=-1) + 1, key)
    merged = {**old, **changes}
    return {key: merged[key] for key in keys if merged[key] is not ...}


def with_metadata(thread: Thread, **changes: Any) -> Thread:
    """The thread with metadata keys set; a value of `...` removes the key."""
    metadata = _placed(thread.metadata, changes, _METADATA_ORDER)
    return Thread({**thread.document, "metadata": metadata})


def with_part(thread: Thread, key: str, value: Any) -> Thread:
    """The thread with one top-level key set; a value of `...` removes the key."""
    return Thread(_placed(thread.document, {key: value}, _TOP_ORDER))


def with_messages(thread: Thread, messages: Iterable[Message]) -> Thread:
    """The thread with other messages and its counts taken anew. What was asked of its messages as they were, and would
    be said of others now, is taken out."""
    changed = Thread({**thread.document, "messages": list(messages)})
    outdated = [key for key in _ASKED_OF_MESSAGES if key in thread.metadata]
    if outdated and _spoken(changed) != _spoken(thread):
        changed = with_metadata(changed, **dict.fromkeys(outdated, ...))
    return recount(changed)


def _spoken(thread: Thread) -> list[tuple[Any, ...]]:
    """What the messages say, without marks on them."""
    keys = ("role", "content", "tool_calls")
    return [tuple(message.get(key) for key in keys) for message in thread.messages]


def with_alternatives(thread: Thread, alternatives: Iterable[Mapping[str, Any]]) -> Thread:
    """The thread with these alternatives; the key is left out when there are none."""
    return with_part(thread, "alternatives", list(alternatives) or ...)


def recount(thread: Thread) -> Thread:
    """The thread with everything in its metadata that is counted from its messages counted anew."""
    counts = counted(thread.messages, thread.metadata)
    if counts["final_answer"] is None:
        counts["final_answer"] = None if thread.metadata.get("final_answer") is not None else ...
    return with_metadata(thread, **counts)


def touched(thread: Thread) -> Thread:
    """The thread as it is to be saved now: counted anew, with `last_modified` set."""
    return with_metadata(recount(thread), last_modified=timestamp())
