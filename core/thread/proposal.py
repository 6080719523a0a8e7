"""A turn that a model proposed and nobody has accepted yet, and what becomes of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from core.thread.updates import with_alternatives, with_messages, with_metadata, with_part
from core.thread.value import Message, Thread, is_assistant, timestamp


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
    endpoint: str = ""
    fingerprint: str = ""
    """What the server calls its configuration; of the built-in analyst, its manner."""
    asked: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """How else it was asked for: values of `ASKED`."""
    cost: float | None = None
    """What it cost, by the endpoint's prices or as the server said."""


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


ASKED = (
    "top_p", "top_k", "min_p", "stop", "tool_choice", "parallel_tool_calls", "response_format", "extra_body",
    "system_role", "dropped",
)  # fmt: skip
"""What may have been asked for beside the temperature, the seed and the limit; `dropped` is what the server refuses."""
ORIGIN = ("model", "endpoint", "fingerprint", "temperature", "seed", "max_tokens", *ASKED)
"""What `made_by` tells of how a turn was made; in a thread it is left out where it is as the thread's own."""


def marked_with(message: Message, generation: Generation, *, timed: bool = True, **more: Any) -> Message:
    """An assistant's message that tells what made it: who, how it was sampled, in how many seconds, and the tokens as
    the server counted them. What is not known is left out; so is, unless `timed`, the time: the built-in analyst's says
    nothing, and the same seed gives the same thread."""
    counted: dict[str, float | None] = {
        "prompt_tokens": generation.prompt_tokens,
        "completion_tokens": generation.completion_tokens,
    }
    counted["cost"] = None if generation.cost is None else float(f"{generation.cost:.6g}")
    usage = {key: count for key, count in counted.items() if count is not None}
    values = {key: generation.asked.get(key) if key in ASKED else getattr(generation, key) for key in ORIGIN}
    own = {key: value for key, value in values.items() if value not in (None, "")}
    made_by = {**own, **({"seconds": round(generation.seconds, 3)} if timed else {}), **more}
    return {**message, **({"usage": usage} if usage else {}), "made_by": made_by}


def origin_of(thread: Thread, message: Message) -> Mapping[str, Any]:
    """What is known of how a message of a thread was made: the thread's `made_by`, and what the message has else."""
    return {**_made_by(thread.metadata), **_made_by(message)}


def _made_by(part: Mapping[str, Any]) -> Mapping[str, Any]:
    made_by = part.get("made_by")
    return cast("Mapping[str, Any]", made_by) if isinstance(made_by, dict) else {}


def _with_origin(thread: Thread, messages: Sequence[Message]) -> tuple[Thread, list[Message]]:
    """The thread, and a turn for it that tells only where it was made otherwise than the thread. The first turn says
    how the thread is made."""
    told = list(messages)
    spoken = next((at for at, message in enumerate(told) if is_assistant(message)), None)
    if spoken is None or not (own := _made_by(told[spoken])):
        return thread, told
    whole = _made_by(thread.metadata)  # which may tell more than who: a hint, say
    if not any(key in whole for key in ORIGIN) and not any(map(is_assistant, thread.messages)):
        if shared := {key: own[key] for key in ORIGIN if key in own}:
            thread = with_metadata(thread, made_by={**whole, **shared})
    common = {key: value for key, value in _made_by(thread.metadata).items() if key in ORIGIN}
    other = {key: value for key, value in own.items() if key not in common or common[key] != value}
    other |= {key: None for key in common if key not in own}
    plain = {key: value for key, value in told[spoken].items() if key != "made_by"}
    told[spoken] = {**plain, **({"made_by": other} if other else {})}
    return thread, told


def accept(thread: Thread, proposal: Proposal, tools: Sequence[Mapping[str, Any]] | None = None) -> Thread:
    """The thread with the proposed turn at its end; what generated it is recorded in the metadata.

    Raises:
        ValueError: the thread has moved on since the proposal was made.
    """
    if proposal.position != len(thread.messages):
        raise ValueError("the thread changed since this turn was proposed")
    thread, turn = _with_origin(thread, proposal.messages)
    longer = with_messages(thread, [*thread.messages, *turn])
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


MARKS = ("train", "weight", "label", "stale", "edited")
"""Keys of a message that say something about it and are no part of the conversation."""


def _without_origin(message: Message) -> Iterator[tuple[str, Any]]:
    """A message's keys without what tells how it was made, which says nothing of what was said."""
    for key, value in message.items():
        if key == "made_by" and isinstance(value, dict):
            if tool_text := value.get("tool_text"):  # was all there was in it at first, and counted
                yield key, {"tool_text": tool_text}
        elif key != "usage":
            yield key, value


def context_hash(messages: Sequence[Message]) -> str:
    """A short hash of the messages that a turn follows, independent of key order and of our marks on them."""
    plain = [{key: value for key, value in _without_origin(message) if key not in MARKS} for message in messages]
    data = json.dumps(plain, sort_keys=True, ensure_ascii=True).encode()
    return hashlib.sha256(data).hexdigest()[:16]
