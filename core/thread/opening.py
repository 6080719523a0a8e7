"""The message that opens a thread, and the prompts that are sent with it but never stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_PROMPTS = Path(__file__).parents[1] / "analyst" / "prompts"


@cache
def system_prompt() -> str:
    """What every model is told when it makes a turn."""
    return (_PROMPTS / "system.txt").read_text(encoding="utf-8").strip()


@cache
def query_prompt() -> str:
    """What a model is told when it proposes the user's question."""
    return (_PROMPTS / "query.txt").read_text(encoding="utf-8").strip()


def described(manifest: Mapping[str, Any]) -> str:
    """A dataset as a model reads of it: its manifest, as its own file has it."""
    return f"Dataset Information:\n{json.dumps(dict(manifest), indent=2, ensure_ascii=False)}"


def first_message(manifest: Mapping[str, Any], query: str) -> dict[str, str]:
    """The user message that opens a thread (FORMAT.md): the dataset's manifest and the question."""
    return {"role": "user", "content": f"{described(manifest)}\n\nUser Query: {query}"}
