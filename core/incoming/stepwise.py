"""Rows of process reward models: `prompt`, `completions` and `labels`, with calls and results in their tags."""

from __future__ import annotations

import re
from typing import Any

from core.incoming.conversation import (
    Conversation,
    Row,
    RowError,
    calls_in,
    conversation_of,
    with_ids_and_names,
)

_CALL = re.compile(r"\n?<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)
_RESULT = re.compile(r"<tool_response>\n(.*?)\n</tool_response>(?:\n|\Z)", re.DOTALL)


def conversation(row: Row) -> Conversation:
    """A row as a thread would have it, each turn labelled. Raises RowError."""
    prompt, completions, labels = row.get("prompt"), row.get("completions"), row.get("labels")
    if not isinstance(prompt, str) or not isinstance(completions, list) or not isinstance(labels, list):
        raise RowError("`prompt` is no text, or `completions` or `labels` is no list")
    if len(completions) != len(labels):
        raise RowError(f"{len(completions)} completions have {len(labels)} labels")
    messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
    for number, (step, label) in enumerate(zip(completions, labels, strict=True), 1):
        if not isinstance(step, str) or not isinstance(label, bool):
            raise RowError(f"step {number} is no text with a label of true or false")
        expected = len(messages[-1].get("tool_calls") or ())
        for _ in range(expected):
            result = _RESULT.match(step)
            if result is None:
                raise RowError(f"step {number} does not begin with the {expected} results of the calls before it")
            messages.append({"role": "tool", "content": result[1]})
            step = step[result.end() :]
        messages.append({**_turn(step, number), "label": "good" if label else "bad"})
    return conversation_of("TRL stepwise", with_ids_and_names(messages), row.get("tools"))


def _turn(step: str, number: int) -> dict[str, Any]:
    calls = [call for block in _CALL.findall(step) for call in calls_in(block, f"step {number}")]
    text = _CALL.sub("", step)
    if not calls and not text.strip():
        raise RowError(f"step {number} is empty")
    return {"role": "assistant", "content": text, "tool_calls": calls or None}
