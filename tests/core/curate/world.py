"""A small dataset, a few tools and threads made with them, for the tests of curation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core import curate
from core.curate.judging import Verdict, with_tags, with_verdict
from core.curate.steps import commit
from core.storage.store import Stored
from core.thread.proposal import Generation, Proposal
from core.thread.turns import call_id
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of
from core.workspace import Workspace, open_workspace
from tests.tools.made import MadeDataset
from tools.registry import Tool, ToolContext, ToolError, call, tool
from tools.session import Channel, Window


def ramp() -> MadeDataset:
    """A dataset whose one channel rises by 1 a second for 10 s at 10 Hz."""
    channels, time = (Channel("x", "a ramp", "m", 10.0),), np.arange(100) / 10
    session = {"a": Window(channels, time, time[None, :].copy())}
    return MadeDataset(
        "demo", "demo", "a ramp", ("walking", "laying"), channels, {"a": ["walking"]}, {"a": "s1"}, session
    )


@tool
def mean_of(context: ToolContext, artifact_id: str = "session") -> dict[str, Any]:
    """Mean of a window.

    Args:
        artifact_id: which window.
    """
    return {"artifact_id": artifact_id, "mean": round(float(context.window(artifact_id).values.mean()), 4)}


@tool(makes_artifact=True)
def crop(context: ToolContext, start_sec: float, end_sec: float, artifact_id: str = "session") -> dict[str, Any]:
    """Part of a window.

    Args:
        start_sec: from here.
        end_sec: to here.
        artifact_id: of this window.
    """
    window = context.window(artifact_id)
    inside = (window.time_sec >= start_sec) & (window.time_sec < end_sec)
    if not inside.any():
        raise ToolError("nothing in that stretch")
    cropped = Window(window.channels, window.time_sec[inside], window.values[:, inside])
    return {"artifact_id": context.keep(cropped), "samples": int(inside.sum())}


TOOLS: tuple[Tool, ...] = (mean_of, crop)
SCHEMAS = [offered.schema for offered in TOOLS]


def make_workspace(root: Path) -> Workspace:
    dataset = root / "data" / "demo"
    dataset.mkdir(parents=True)
    (dataset / "manifest.json").write_text('{"dataset_name": "demo", "activities": ["walking", "laying"]}')
    (dataset / "labels.json").write_text('{"a": ["walking"]}')
    return open_workspace(str(root), environ={})


def context_at(thread: Thread, index: int) -> ToolContext:
    """A context with the windows that the calls before message `index` make."""
    context = ToolContext(ramp(), "a")
    for message in thread.messages[:index]:
        for asked in calls_of(message):
            call(TOOLS, context, call_name(asked), call_arguments(asked))
    return context


def tools_at(thread: Thread, index: int) -> tuple[Sequence[Tool], ToolContext]:
    """What an edit carries its calls out with."""
    return TOOLS, context_at(thread, index)


def assistant(text: str, *calls: tuple[str, dict[str, Any]], thread: str = "t", turn: int = 1) -> dict[str, Any]:
    if not calls:
        return {"role": "assistant", "content": text, "tool_calls": None}
    return {
        "role": "assistant",
        "content": text,
        "tool_calls": [
            {
                "id": call_id(thread, turn, number),
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for number, (name, arguments) in enumerate(calls)
        ],
    }


def proposal_for(thread: Thread, text: str, *calls: tuple[str, dict[str, Any]]) -> Proposal:
    """A turn as a model would propose it at the thread's end, its calls carried out."""
    number = sum(message["role"] == "assistant" for message in thread.messages) + 1
    message = assistant(text, *calls, thread=thread.id, turn=number)
    context = context_at(thread, len(thread.messages))
    results = [
        {
            "role": "tool",
            "tool_call_id": asked["id"],
            "name": call_name(asked),
            "content": call(TOOLS, context, call_name(asked), call_arguments(asked)).content,
        }
        for asked in calls_of(message)
    ]
    return Proposal(len(thread.messages), (message, *results), Generation("scripted", 0.5, 7))


def add_turn(workspace: Workspace, stored: Stored, text: str, *calls: tuple[str, dict[str, Any]]) -> Stored:
    return curate.accept(workspace, stored, proposal_for(stored.thread, text, *calls), SCHEMAS)


def artifact_of(message: Mapping[str, Any]) -> str:
    return str(json.loads(message["content"])["artifact_id"])


FINAL = "It rises.\n\nConfidence: high\nFinal Answer: walking"


def make_finished(workspace: Workspace) -> Stored:
    """question · crop → A · mean_of(A) and mean_of(session) · final answer: eight messages.

    Messages: 0 question, 1 crop, 2 result, 3 two means, 4 and 5 results, 6 thought, 7 final.
    """
    stored = curate.create_thread(workspace, "demo", "a", "what is it?")
    stored = add_turn(workspace, stored, "cut it", ("crop", {"start_sec": 0, "end_sec": 5}))
    artifact = artifact_of(stored.thread.messages[2])
    stored = add_turn(workspace, stored, "two means", ("mean_of", {"artifact_id": artifact}), ("mean_of", {}))
    stored = add_turn(workspace, stored, "it seems to rise")
    return add_turn(workspace, stored, FINAL)


def stale(thread: Thread) -> list[int]:
    return [index for index, message in enumerate(thread.messages) if message.get("stale")]


def set_verdict(workspace: Workspace, stored: Stored, verdict: Verdict | None, note: str | None = None) -> Stored:
    """A step on one thread that was read: a verdict."""
    return commit(workspace, stored, with_verdict(stored.thread, verdict, note), f"verdict {verdict}")


def set_tags(workspace: Workspace, stored: Stored, tags: Iterable[str]) -> Stored:
    """A step on one thread that was read: other tags."""
    return commit(workspace, stored, with_tags(stored.thread, tags), "tags")


def without_call(message: Message, number: int) -> Message:
    """An assistant message without its call `number` (from 0)."""
    calls = [call for position, call in enumerate(calls_of(message)) if position != number]
    return {**message, "tool_calls": calls or None}
