"""Rows of process reward models: `prompt`, `completions` and `labels`, with calls and results in their tags."""

from __future__ import annotations

import re
from typing import Any

from core.incoming.conversation import (
    Conversation,
    Row,
    RowError,
    call_of,
    parsed,
    require_turns,
    tools_of,
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
    chat = tuple(with_ids_and_names(messages))
    require_turns(chat)
    return Conversation("TRL stepwise", chat, tools_of(row.get("tools")))


def _turn(step: str, number: int) -> dict[str, Any]:
    calls: list[dict[str, Any]] = []
    for match in _CALL.finditer(step):
        called = parsed(match[1], f"step {number}")
        if not isinstance(called, dict):
            raise RowError(f"step {number} has a `<tool_call>` that is no object")
        calls.append(call_of(called.get("name"), called.get("arguments")))
    text = _CALL.sub("", step)
    if not calls and not text.strip():
        raise RowError(f"step {number} is empty")
    return {"role": "assistant", "content": text, "tool_calls": calls or None}
