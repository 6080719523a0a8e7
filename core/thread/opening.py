"""The message that opens a thread, and the prompts that are sent with it but never stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_PROMPTS = Path(__file__).parents[1] / "analyst" / "prompts"


@cache
def system_prompt() -> str:
    """What every model is told when it makes a turn."""
    return (_PROMPTS / "system.txt").read_text(encoding="utf-8").strip()


@cache
def question_prompt() -> str:
    """What a model is told when it proposes the user's question."""
    return (_PROMPTS / "question.txt").read_text(encoding="utf-8").strip()


_INFORMATION = "Dataset Information:"
_MARK = "User Query:"


def described(manifest: Mapping[str, Any], *, short: bool = False) -> str:
    """A dataset as a model reads of it: its manifest, as its own file has it; on one line where it is to be `short`."""
    return f"{_INFORMATION}\n{json.dumps(dict(manifest), indent=None if short else 2, ensure_ascii=False)}"


def first_message(manifest: Mapping[str, Any], question: str, *, short: bool = False) -> dict[str, str]:
    """The user message that opens a thread (FORMAT.md): the dataset's manifest and the question."""
    return {"role": "user", "content": f"{described(manifest, short=short)}\n\n{_MARK} {question}"}


class Opening(NamedTuple):
    """Where the parts of an opening message stand in its text."""

    manifest: str | None
    """The dataset's manifest, JSON when the message is whole; None where the text shows none."""
    end: int
    """Where what describes the dataset ends; 0 where nothing does."""
    question_at: int | None
    """Where the question begins; None where nothing marks it."""


def opening_of(text: str) -> Opening:
    """Take an opening message's text apart: the other way of `first_message`, for whatever somebody made of it."""
    if not text.startswith(_INFORMATION):
        return Opening(None, 0, _after_mark(text, text.rfind(_MARK)))
    at = text.find(f"\n\n{_MARK}")
    end = at if at >= 0 else len(text)
    return Opening(text[len(_INFORMATION) : end].strip(), end, _after_mark(text, at + 2) if at >= 0 else None)


def _after_mark(text: str, at: int) -> int | None:
    if at < 0:
        return None
    start = at + len(_MARK)
    return start + (text[start : start + 1] == " ")
