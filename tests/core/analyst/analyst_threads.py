"""Running whole threads with the built-in analyst, as the tests look at them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from core.analyst.policy import reply_to
from core.thread.opening import first_message, system_prompt
from tests.tools.made import MadeDataset
from tools.builtin import BUILTIN
from tools.registry import Tool, ToolContext, call
from tools.session import Dataset

PLAIN = "What activity is being performed?"


def manifest_of(made: MadeDataset) -> dict[str, Any]:
    channels = [
        {
            "name": channel.name,
            "description": channel.description,
            "unit": channel.unit,
            "sampling_rate_hz": channel.rate_hz,
        }
        for channel in made.channels
    ]
    return {"dataset_name": made.name, "activities": list(made.activities), "channels": channels}


def run_thread(
    dataset: Dataset,
    manifest: dict[str, Any],
    session: str,
    question: str = PLAIN,
    seed: int = 0,
    tools: Sequence[Tool] = BUILTIN,
) -> list[dict[str, Any]]:
    """The messages of a thread, the system prompt first, up to the message without calls."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": system_prompt()},
        dict(first_message(manifest, question)),
    ]
    context = ToolContext(dataset, session)
    for turn in range(12):
        reply = reply_to({"messages": messages, "tools": [tool.schema for tool in tools]}, seed)
        calls: list[dict[str, Any]] = [
            {"id": f"c{turn}_{at}", "type": "function", "function": {"name": one.name, "arguments": one.arguments}}
            for at, one in enumerate(reply.calls)
        ]
        messages.append({"role": "assistant", "content": reply.text} | ({"tool_calls": calls} if calls else {}))
        if not calls:
            return messages
        for one in calls:
            outcome = call(tools, context, one["function"]["name"], one["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": one["id"], "content": outcome.content})
    raise AssertionError("the analyst does not come to an end")


def calls_in(messages: Sequence[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (one["function"]["name"], json.loads(one["function"]["arguments"]))
        for message in messages
        for one in message.get("tool_calls", ())
    ]


def results_in(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(message["content"]) for message in messages if message["role"] == "tool"]
