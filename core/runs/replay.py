"""Executing a stored thread's calls again and comparing what they give with what is stored.

Tools are pure, so a stored result that differs was tampered with, or the data or the tools changed since.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import DatasetError
from core.runs.toolbox import (
    artifact_in,
    has_leading_artifact,
    in_form,
    learn_alias,
    new_context,
    open_toolbox,
    stored_calls,
)
from core.thread.form import form_of
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of, text_of
from core.workspace import Workspace
from tools.registry import Tool, ToolContext, call

Comparison = Literal["same", "differs", "edited", "cannot"]


@dataclass(frozen=True, slots=True)
class ReplayedCall:
    """One stored call, executed again."""

    message: int
    """Index of the assistant message that made it."""
    call_id: str
    name: str
    arguments: str
    """As stored."""
    status: Comparison
    """`same`; `differs`; `edited`: it differs, and the result is marked as edited by hand; `cannot`: see `reason`."""
    stored: str = ""
    """The stored result as text."""
    now: str = ""
    """The result of now; empty where there is none."""
    reason: str = ""
    """Why it could not be executed, or what else there is to know; one sentence or empty."""

    @property
    def diff(self) -> str:
        """From the stored result to that of now, line by line; empty when they are the same."""
        if self.status in ("same", "cannot"):
            return ""
        old, new = _laid_out(self.stored), _laid_out(self.now)
        return "\n".join(difflib.unified_diff(old, new, "stored", "now", lineterm="", n=1))


def replay(workspace: Workspace, thread: Thread, tools: Sequence[Tool] | None = None) -> tuple[ReplayedCall, ...]:
    """Execute every stored call of a thread again, in order. Changes nothing and never raises for bad data.

    Artifact ids of threads made elsewhere are random: they are mapped to the ids that the same windows have here.
    """
    pairs = list(_placed(thread))
    if not pairs:
        return ()
    offered = _as_offered(thread, in_form(open_toolbox(workspace) if tools is None else tools, form_of(thread)))
    try:
        context = new_context(workspace, thread)
        context.dataset.load(thread.session)
    except DatasetError as error:
        return tuple(_cannot(index, calling, answer, str(error)) for index, calling, answer in pairs)
    elsewhere = thread.tools is None or has_leading_artifact(thread)
    replayed: list[ReplayedCall] = []
    for number, (index, calling, answer) in enumerate(pairs):
        later = [call_arguments(other) for _, other, _ in pairs[number + 1 :]]
        replayed.append(_replayed(context, offered, index, calling, answer, elsewhere, later))
    return tuple(replayed)


def _placed(thread: Thread) -> list[tuple[int, Mapping[str, Any], Message | None]]:
    """Every call with the index of its message and the message that answers it."""
    answers = iter(stored_calls(thread))
    return [(index, *next(answers)) for index, message in enumerate(thread.messages) for _ in calls_of(message)]


def _as_offered(thread: Thread, tools: Sequence[Tool]) -> Sequence[Tool]:
    """The tools that the thread was offered, as far as they are there: an error result lists them."""
    if thread.tools is None:
        return tools
    names = [str((tool.get("function") or {}).get("name")) for tool in thread.tools]
    by_name = {tool.name: tool for tool in tools}
    return [by_name[name] for name in names if name in by_name]


def _replayed(
    context: ToolContext,
    tools: Sequence[Tool],
    index: int,
    calling: Mapping[str, Any],
    answer: Message | None,
    elsewhere: bool,
    later: Sequence[str],
) -> ReplayedCall:
    outcome = call(tools, context, call_name(calling), call_arguments(calling))
    if answer is None:
        return _cannot(index, calling, None, "the call was never answered")
    theirs = artifact_in(answer.get("content"))
    used = bool(theirs) and any(f'"{theirs}"' in arguments for arguments in later)
    if elsewhere or used:
        learn_alias(context, outcome.artifact_id, answer)
    stored, now = text_of(answer), outcome.content
    same = _same(stored, now, context.aliases)
    missing = call_name(calling) not in {tool.name for tool in tools}
    if not same and missing:
        return _cannot(index, calling, answer, f"there is no tool {call_name(calling)!r} here")
    status: Comparison = "same" if same else "edited" if answer.get("edited") is True else "differs"
    reason = "" if same else "the result is marked as edited by hand" if status == "edited" else ""
    if status == "differs" and answer.get("stale") is True:
        reason = "the result is marked stale: it rests on something that changed since"
    return ReplayedCall(
        index, str(calling.get("id", "")), call_name(calling), call_arguments(calling), status, stored, now, reason
    )  # fmt: skip


def _cannot(index: int, calling: Mapping[str, Any], answer: Message | None, reason: str) -> ReplayedCall:
    stored = text_of(answer) if answer is not None else ""
    return ReplayedCall(
        index, str(calling.get("id", "")), call_name(calling), call_arguments(calling), "cannot", stored, "", reason
    )  # fmt: skip


def _same(stored: str, now: str, aliases: Mapping[str, str]) -> bool:
    """Whether two results say the same: key order and layout don't count, nor ids that only go by other names."""
    if stored == now:
        return True
    theirs, ours = _parsed(stored), _parsed(now)
    return theirs is not None and _mapped(theirs, aliases) == _mapped(ours, aliases)


def _mapped(value: Any, aliases: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _mapped(item, aliases) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, aliases) for item in value]
    if isinstance(value, bool):
        return ("bool", value)  # JSON's true is not 1
    return aliases.get(value, value) if isinstance(value, str) else value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _laid_out(text: str) -> list[str]:
    parsed = _parsed(text)
    return (text if parsed is None else json.dumps(parsed, indent=2, ensure_ascii=False)).splitlines()
