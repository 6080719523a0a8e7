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


def manifest_of(dataset: MadeDataset) -> dict[str, Any]:
    channels = [
        {
            "name": channel.name,
            "description": channel.description,
            "unit": channel.unit,
            "sampling_rate_hz": channel.rate_hz,
        }
        for channel in dataset.channels
    ]
    return {"dataset_name": dataset.name, "activities": list(dataset.activities), "channels": channels}


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
            {"id": f"c{turn}_{at}", "type": "function", "function": {"name": each.name, "arguments": each.arguments}}
            for at, each in enumerate(reply.calls)
        ]
        messages.append({"role": "assistant", "content": reply.text} | ({"tool_calls": calls} if calls else {}))
        if not calls:
            return messages
        for each in calls:
            outcome = call(tools, context, each["function"]["name"], each["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": outcome.content})
    raise AssertionError("the analyst does not come to an end")


def calls_in(messages: Sequence[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (each["function"]["name"], json.loads(each["function"]["arguments"]))
        for message in messages
        for each in message.get("tool_calls", ())
    ]


def results_in(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(message["content"]) for message in messages if message["role"] == "tool"]
