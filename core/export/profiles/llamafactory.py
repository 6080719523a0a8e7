"""`llamafactory`: ShareGPT turns, the one form in which LLaMA-Factory keeps the text beside a call.

Its loader skips a row that breaks the order human|observation, function_call|gpt without an error, so the
order is made here and checked before a row leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.export.profiles.conversation import (
    UNTRAINED,
    arguments_of,
    compact,
    count_reasoning,
    merged_users,
    one_call_a_turn,
    require_end,
    require_tools,
    untrained,
)
from core.export.profiles.profile import Making, Profile, RefusedError, Row, Written
from core.thread.value import Message, Thread, call_name, calls_of, is_assistant, text_of

_QWEN_JOINT = "\n</tool_response>\n<tool_response>\n"
TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
"""Spelled out: the loader's defaults have no tags for tool turns."""


def rows(thread: Thread, making: Making) -> list[Row]:
    """The thread as one row. Raises RefusedError where the loader would skip it or change it."""
    require_end(thread)
    tools = require_tools(thread)
    if count := untrained(thread.messages):
        raise RefusedError(
            UNTRAINED, f"{count} of its turns are out of the loss (examples count), which LLaMA-Factory cannot do"
        )
    turns = conversation(thread.messages, making)
    check_order(turns, last_by_model=True)
    return [{"conversations": turns, "tools": compact(tools) if tools else ""}]


def conversation(stored: Sequence[Message], making: Making) -> list[Row]:
    """Stored messages as ShareGPT turns."""
    count_reasoning(stored, making)
    if making.split_calls:
        stored = one_call_a_turn(stored, making)
    turns: list[Row] = []
    observed: list[str] = []
    for message in merged_users(stored, making):
        if message.get("role") == "tool":
            observed.append(text_of(message))
            continue
        if observed:
            turns.append({"from": "observation", "value": _joined(observed, making)})
            observed = []
        if is_assistant(message) and turns and turns[-1]["from"] == "gpt":
            making.changes["assistant messages joined with the one before"] += 1
            before = turns.pop()["value"]
            message = {**message, "content": f"{before}\n\n{text_of(message)}"}
        turns.append(turn_of(message))
    if observed:
        turns.append({"from": "observation", "value": _joined(observed, making)})
    return turns


def turn_of(message: Message) -> Row:
    """One message of the user or the assistant."""
    text = text_of(message)
    if not is_assistant(message):
        return {"from": "system" if message.get("role") == "system" else "human", "value": text}
    calls = calls_of(message)
    if not calls:
        if not text.strip():
            raise RefusedError("an empty message", "an assistant message without calls is empty")
        return {"from": "gpt", "value": text}
    if "<tool_call>" in text:
        raise RefusedError(
            "a call mark in the text", "the text beside a call holds `<tool_call>`, which the loader cuts at"
        )
    block = compact([{"name": call_name(call), "arguments": arguments_of(call)} for call in calls])
    before = f"{text}\n" if text and not text.endswith("\n") else text
    return {"from": "function_call", "value": f"{before}<tool_call>{block}</tool_call>"}


def check_order(turns: Sequence[Row], *, last_by_model: bool) -> None:
    """Refuse what the loader would skip without an error."""
    asking, answering = ("human", "observation"), ("function_call", "gpt")
    for position, turn in enumerate(turns[1:] if turns and turns[0]["from"] == "system" else turns):
        if turn["from"] not in (answering if position % 2 else asking):
            raise RefusedError("order of messages", f"message {position + 1} ({turn['from']}) is out of turn")
    if not turns or (turns[-1]["from"] in answering) is not last_by_model:
        raise RefusedError("order of messages", "the conversation ends on the wrong side")


def _joined(observed: Sequence[str], making: Making) -> str:
    if len(observed) == 1:
        return observed[0]
    return _QWEN_JOINT.join(observed) if making.template == "qwen" else compact(list(observed))


def dataset_entry(file_name: str, **columns: str) -> dict[str, Any]:
    """An entry of `dataset_info.json`."""
    return {"file_name": file_name, "formatting": "sharegpt", "columns": columns, "tags": dict(TAGS)}


def snippets(stem: str, files: Sequence[Written], making: Making) -> Mapping[str, str]:
    """The entries for `dataset_info.json`, which LLaMA-Factory looks for beside the data, and a training YAML."""
    entries = {
        dataset_name(stem, file): dataset_entry(file.name, messages="conversations", tools="tools") for file in files
    }
    return {"dataset_info.json": compact(entries), f"{stem}.llamafactory.yaml": training_yaml("sft", list(entries))}


def dataset_name(stem: str, file: Written) -> str:
    """What a file is called in `dataset_info.json`."""
    return f"{stem}_{file.split}" if file.split else stem


def training_yaml(stage: str, names: Sequence[str]) -> str:
    """The data part of a training config."""
    held = [name for name in names if name.endswith("_val")]
    lines = [
        f"stage: {stage}",
        "dataset_dir: .  # the folder of dataset_info.json",
        f"dataset: {next(name for name in names if name not in held)}",
        *([f"eval_dataset: {held[0]}"] if held else []),
        "template: qwen3_nothink  # of the model you train; for Qwen2.5 `qwen`",
        "cutoff_len: 16384",
    ]
    return "\n".join(lines) + "\n"


LLAMAFACTORY = Profile(
    name="llamafactory",
    about="LLaMA-Factory, ShareGPT form",
    file_stem="training_data_llamafactory",
    trainers=("llamafactory",),
    rows=rows,
    snippets=snippets,
    options=frozenset(("split_calls", "template", "rejected", "correct_only", "with_system")),
)
