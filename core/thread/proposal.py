"""A turn that a model proposed and nobody has accepted yet, and what becomes of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.thread.value import Message, Thread, timestamp, with_alternatives, with_messages, with_metadata, with_part


@dataclass(frozen=True, slots=True)
class Generation:
    """How a turn was made."""

    model: str
    temperature: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """One assistant message with the results of its calls, ready to stand after `position` messages."""

    position: int
    messages: tuple[Message, ...]
    generation: Generation
    reasoning: str = ""
    complete: bool = True
    """False when the message was stopped or broke off: it can be edited or kept, not run on from."""
    edited: bool = False


Reason = Literal["retried", "discarded", "sampled", "edited", "superseded"]


def accept(thread: Thread, proposal: Proposal, tools: Sequence[Mapping[str, Any]] | None = None) -> Thread:
    """The thread with the proposed turn at its end; what generated it is recorded in the metadata.

    Raises:
        ValueError: the thread has moved on since the proposal was made.
    """
    if proposal.position != len(thread.messages):
        raise ValueError("the thread changed since this turn was proposed")
    longer = with_messages(thread, [*thread.messages, *proposal.messages])
    if tools is not None and longer.tools is None:
        longer = with_part(longer, "tools", list(tools))
    generation = proposal.generation
    return with_metadata(
        longer,
        model=generation.model,
        **{
            key: value
            for key, value in (
                ("temperature", generation.temperature),
                ("seed", generation.seed),
                ("max_tokens", generation.max_tokens),
            )
            if value is not None
        },
    )


def set_aside(thread: Thread, proposal: Proposal, reason: Reason) -> Thread:
    """The thread with the proposal kept among its alternatives; nothing that was generated is thrown away."""
    return with_alternatives(thread, [*thread.alternatives, alternative(thread, proposal, reason)])


def alternative(thread: Thread, proposal: Proposal, reason: Reason) -> dict[str, Any]:
    """An entry of a thread's `alternatives`.

    `position` is the index its first message would have; `context` is the hash of the messages before it,
    so that a preference pair is only made while what led there still stands.
    """
    return {
        "position": proposal.position,
        "context": context_hash(thread.messages[: proposal.position]),
        "reason": reason,
        "model": proposal.generation.model,
        "created_at": timestamp(),
        "messages": list(proposal.messages),
        **({} if proposal.complete else {"complete": False}),
    }


MARKS = ("train", "weight", "stale", "edited")
"""Keys of a message that say something about it and are no part of the conversation."""


def context_hash(messages: Sequence[Message]) -> str:
    """A short hash of the messages that a turn follows, independent of key order and of our marks on them."""
    plain = [{key: value for key, value in message.items() if key not in MARKS} for message in messages]
    data = json.dumps(plain, sort_keys=True, ensure_ascii=True).encode()
    return hashlib.sha256(data).hexdigest()[:16]
