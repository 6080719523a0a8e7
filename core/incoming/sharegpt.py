"""ShareGPT rows: `conversations` of `from` and `value`, calls and results as LLaMA-Factory has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from core.incoming.conversation import (
    Conversation,
    Row,
    RowError,
    calls_in,
    conversation_of,
    objects,
    parsed,
    result_text,
    with_ids_and_names,
)

SIDES = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "function_call": "assistant",
    "observation": "tool", "tool": "tool", "system": "system",
}  # fmt: skip
"""Whose a turn is, by its `from`."""
_BLOCK = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
_QWEN_JOINT = "\n</tool_response>\n<tool_response>\n"
"""How several results stand in one observation for Qwen's templates."""


def conversation(row: Row) -> Conversation:
    """A row as a thread would have it. Raises RowError."""
    system = row.get("system")
    opening = [{"from": "system", "value": system}] if isinstance(system, str) and system else []
    turns = [*opening, *objects(row.get("conversations"), "conversations")]
    return conversation_of("ShareGPT", messages(turns), row.get("tools"))


def messages(turns: Sequence[Row]) -> list[dict[str, Any]]:
    """ShareGPT turns in the form that threads have. Raises RowError."""
    listed: list[dict[str, Any]] = []
    for number, turn in enumerate(turns, 1):
        side, value = SIDES.get(str(turn.get("from"))), turn.get("value")
        if side is None:
            raise RowError(f"turn {number} is from {turn.get('from')!r}; known are {', '.join(SIDES)}")
        if not isinstance(value, str):
            raise RowError(f"the `value` of turn {number} is no text")
        if side == "tool":
            listed += _results(value, len(listed[-1].get("tool_calls") or ()) if listed else 0, number)
        else:
            listed.append(message_of(turn, number) if side == "assistant" else {"role": side, "content": value})
    return with_ids_and_names(listed)


def message_of(turn: Row, number: int) -> dict[str, Any]:
    """A turn of the model: its text, and its calls."""
    value = str(turn["value"])
    if turn.get("from") != "function_call":
        if not value.strip():
            raise RowError(f"turn {number} is the model's, and empty")
        return {"role": "assistant", "content": value, "tool_calls": None}
    blocks = [match[1] for match in _BLOCK.finditer(value)]
    text = _BLOCK.sub("", value) if blocks else ""
    calls = [call for block in blocks or [value] for call in calls_in(block, f"value of turn {number}")]
    text = text.rstrip("\n") if len(blocks) > 1 else text.removesuffix("\n")
    return {"role": "assistant", "content": text, "tool_calls": calls}


def _results(value: str, count: int, number: int) -> list[dict[str, Any]]:
    """One observation as a result for each call of the turn before it."""
    if count == 1:
        return [{"role": "tool", "content": value}]
    parts: list[Any] = value.split(_QWEN_JOINT)
    if len(parts) != count and value.lstrip().startswith("["):
        listed = parsed(value, f"value of turn {number}")
        parts = listed if isinstance(listed, list) else parts
    if len(parts) != count or not count:
        raise RowError(f"turn {number} observes {len(parts)} results, and {count} calls stand before it")
    return [{"role": "tool", "content": result_text(part)} for part in parts]
