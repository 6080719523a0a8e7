"""What a conversation is worth: parts from 0 to 1, and their mean by the weights of `[reward]` in `sensorloom.toml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.lint.grounding import quotes_of
from core.settings import RewardSettings
from core.thread.call_checks import Schemas, call_problems
from core.thread.value import DEFAULT_MAX_TURNS, Message, Thread, call_arguments, call_name, calls_of, count

SHORT = 4
"""Assistant messages that cost no brevity: three looks and the answer. The prompt asks for two to five calls, of which
several may go into one message."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a conversation is worth."""

    value: float
    """From 0 to 1: the weighted mean of the parts."""
    parts: Mapping[str, float]
    """`right`: the answer is right. `calls`: the share of calls that fit the tools' schemas. `grounded`: the share of
    quoted numbers that the conversation holds. `brevity`: 1 up to four messages, 0 from ten on. What was not done, a
    call, a number, an answer, is worth 0."""
    answer: str | None
    """The final answer; None where there is none."""


def score_of(messages: Sequence[Message], tools: Schemas, kind: str, truth: str, weights: RewardSettings) -> Score:
    """Score a whole conversation about a question of this kind, of which `truth` is the right answer."""
    metadata = {"ground_truth": truth, "question_kind": kind}
    thread = Thread({"id": "", "metadata": metadata, "messages": list(messages), "tools": list(tools)})
    counts = count(thread.messages, metadata)
    parts = {
        "right": float(counts.correct is True),
        "calls": _share(not call_problems(tools, call_name(call), call_arguments(call)) for call in _calls(messages)),
        "grounded": _share(is_held for _, _, _, is_held in quotes_of(thread)),
        "brevity": _brevity(counts.turns) if counts.answer else 0.0,
    }
    weighed: dict[str, float] = {name: getattr(weights, name) for name in parts}
    total = sum(weighed.values())
    value = sum(weighed[name] * part for name, part in parts.items()) / total if total else 0.0
    return Score(value, parts, counts.answer)


def _calls(messages: Sequence[Message]) -> Iterator[Mapping[str, Any]]:
    return (call for message in messages for call in calls_of(message))


def _share(good: Iterator[bool]) -> float:
    every = list(good)
    return sum(every) / len(every) if every else 0.0


def _brevity(turns: int) -> float:
    return min(1.0, max(0.0, (DEFAULT_MAX_TURNS - turns) / (DEFAULT_MAX_TURNS - SHORT)))
