"""Which role's text each trained token is of. Runs inside a trainer's environment, so it needs nothing but Python.

A row's messages are looked for in the text its tokens decode to, one after another: what is not found was lost
on the way, what is found tells whose words a token carries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Piece = tuple[str, str, bool]
"""Whose words, the words, and whether they are to be trained."""


def pieces_of_messages(messages: Sequence[Mapping[str, Any]], trained: Sequence[bool] | None = None) -> list[Piece]:
    """The texts of chat messages in order: contents, and of each call its name and its arguments' values."""
    pieces: list[Piece] = []
    for position, message in enumerate(messages):
        role = str(message.get("role"))
        learn = role == "assistant" and message.get("train") is not False
        if trained is not None:
            learn = trained[position]
        for text in (message.get("reasoning_content"), message.get("content")):
            if isinstance(text, str) and text.strip():
                pieces.append((role, text.strip(), learn))
        for call in message.get("tool_calls") or []:
            pieces.append((role, str(call["function"]["name"]), learn))
            arguments = call["function"]["arguments"]
            value = json.loads(arguments) if isinstance(arguments, str) else arguments
            pieces += [(role, text, learn) for text in leaves(value)]
    return pieces


def leaves(value: Any) -> list[str]:
    """The keys and values of JSON, as they stand inside a template's JSON."""
    if isinstance(value, Mapping):
        return [text for key, item in value.items() for text in (str(key), *leaves(item))]
    if isinstance(value, list):
        return [text for item in value for text in leaves(item)]
    if isinstance(value, str):
        return [value] if value else []
    return [json.dumps(value)]


def tool_names(tools: Any) -> list[str]:
    """The names and descriptions of the tools on offer."""
    listed = json.loads(tools) if isinstance(tools, str) and tools else tools or []
    functions = [tool.get("function", tool) for tool in listed]
    return [str(tool[key]) for tool in functions for key in ("name", "description") if tool.get(key)]


def measure(
    text: str,
    trained: Sequence[bool],
    starts: Sequence[int],
    ends: Sequence[int],
    pieces: Sequence[Piece],
    tools: Sequence[str],
) -> dict[str, Any]:
    """Count one row's trained tokens by whose words they carry, and list what of its texts is missing.

    Args:
        text: what the row's tokens decode to.
        trained: for each token whether it has a label.
        starts: where each token begins in `text`.
        ends: where each token ends in `text`.
        pieces: what should be there, in order.
        tools: what of the tools should be there, anywhere.
    """
    owner: list[str] = [""] * len(text)
    lost: list[str] = []
    position = 0
    for role, piece, learn in pieces:
        start, length = _find(text, piece, position)
        if start < 0:
            lost.append(f"{role}: {piece[:80]}")
            continue
        name = role if learn or role != "assistant" else "context"
        owner[start : start + length] = [name] * length
        position = start + length
    lost += [f"tool schema: {description[:80]}" for description in tools if _find(text, description, 0)[0] < 0]
    counts: dict[str, int] = {}
    left_out = 0
    for learn, start, end in zip(trained, starts, ends, strict=True):
        whose = next((name for name in owner[start:end] if name), "")
        if learn:
            counts[whose or "markup"] = counts.get(whose or "markup", 0) + 1
        elif whose == "assistant":
            left_out += 1
    return {"trained": counts, "assistant_left_out": left_out, "lost": lost, "tokens": len(trained)}


def _find(text: str, piece: str, start: int) -> tuple[int, int]:
    """Where a piece stands at or after `start`, as it is or with JSON escapes; -1 when nowhere."""
    forms = (piece, json.dumps(piece, ensure_ascii=False)[1:-1], json.dumps(piece)[1:-1])
    hits = [(text.find(form, start), len(form)) for form in forms]
    there = [hit for hit in hits if hit[0] >= 0]
    return min(there) if there else (-1, 0)


def offsets(decode: Callable[[Sequence[int]], str], ids: Sequence[int]) -> tuple[str, list[int], list[int]]:
    """The text of token ids, and where each token begins and ends in it.

    Tokens that hold part of a character are decoded together with those that hold the rest.
    """
    text = ""
    starts: list[int] = []
    ends: list[int] = []
    waiting: list[int] = []
    for token in ids:
        waiting.append(token)
        part = decode(waiting)
        if part.endswith("\ufffd") and len(waiting) < 8:
            continue
        for _ in waiting:
            starts.append(len(text))
            ends.append(len(text) + len(part))
        text += part
        waiting = []
    for _ in waiting:
        starts.append(len(text))
        ends.append(len(text))
    return text, starts, ends


def measure_ids(
    decode: Callable[[Sequence[int]], str],
    ids: Sequence[int],
    labels: Sequence[int],
    pieces: Sequence[Piece],
    tools: Sequence[str],
) -> dict[str, Any]:
    """`measure` of a row of token ids and labels, -100 standing for no label."""
    text, starts, ends = offsets(decode, ids)
    return measure(text, [label != -100 for label in labels], starts, ends, pieces, tools)


def total(rows: Sequence[Mapping[str, Any]], rows_in: int, loaded: int) -> dict[str, Any]:
    """The rows' figures added up."""
    trained: dict[str, int] = {}
    for row in rows:
        for role, count in row["trained"].items():
            trained[role] = trained.get(role, 0) + count
    return {
        "rows_in": rows_in,
        "rows_loaded": loaded,
        "rows_measured": len(rows),
        "tokens": sum(row["tokens"] for row in rows),
        "lengths": [row["tokens"] for row in rows],
        "trained": trained,
        "assistant_left_out": sum(row["assistant_left_out"] for row in rows),
        "text_lost": [text for row in rows for text in row["lost"]][:50],
        "texts_lost": sum(len(row["lost"]) for row in rows),
    }
