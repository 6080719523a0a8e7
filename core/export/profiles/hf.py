"""`hf`: chat messages that any Hugging Face template renders. TRL, Unsloth, Axolotl.

Arguments are objects (Qwen2.5, Llama-3 and gpt-oss double-encode strings, newer templates fail on them), every
content is a string, no key is null, and what differs from row to row (`tools`, `metadata`) is a JSON string,
because Arrow settles a column's type on the first rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

from core.export.profiles.conversation import (
    UNTRAINED,
    arguments_of,
    compact,
    merged_users,
    one_call_a_turn,
    require_end,
    require_tools,
    untrained,
    without_bad_turns,
)
from core.export.profiles.profile import Making, Profile, Row, Written, train_and_held
from core.export.templates import TEMPLATE_FOLDER
from core.thread.call_ids import with_neutral_ids
from core.thread.value import Message, Thread, call_name, calls_of, in_loss, is_assistant, text_of

TOOLS_TEMPLATE = "chatml.jinja"
"""A template with tools that marks what the assistant says."""


def rows(thread: Thread, making: Making) -> list[Row]:
    """The thread as one row. Raises RefusedError where a template would garble it."""
    require_end(thread)
    tools = require_tools(thread)
    return [
        {
            "id": thread.id,
            "messages": messages(with_neutral_ids(thread.messages), making),
            **({"tools": compact(tools)} if tools else {}),
            "metadata": compact(thread.metadata),
        }
    ]


def messages(stored: Sequence[Message], making: Making) -> list[Row]:
    """Stored messages in the form that templates render."""
    stored = without_bad_turns(stored, making)
    if making.split_calls:
        stored = one_call_a_turn(stored, making)
    stored = merged_users(stored, making)
    flagged = untrained(stored) > 0
    if flagged:
        making.changes[f"{UNTRAINED}: Axolotl reads `train`, TRL only through the script beside"] += untrained(stored)
    beside = sum(1 for message in stored if calls_of(message) and text_of(message).strip())
    if beside:
        making.changes["turns with text beside a call, which templates of Llama-3 and gpt-oss drop"] += beside
    return [message_of(message, flagged=flagged) for message in stored]


def message_of(message: Message, *, flagged: bool) -> Row:
    """One message; `flagged` puts `train` on each of the assistant's."""
    row: Row = {"role": message["role"], "content": text_of(message)}
    if isinstance(reasoning := message.get("reasoning_content"), str) and reasoning:
        row["reasoning_content"] = reasoning
    if calls := calls_of(message):
        row["tool_calls"] = [_call(call) for call in calls]
    if message.get("role") == "tool":
        row["name"] = str(message.get("name") or "")
        row["tool_call_id"] = str(message.get("tool_call_id") or "")
    if flagged and is_assistant(message):
        row["train"] = in_loss(message)
    return row


def _call(call: Mapping[str, Any]) -> Row:
    function = {"name": call_name(call), "arguments": arguments_of(call)}
    return {"id": str(call.get("id") or ""), "type": "function", "function": function}


def axolotl_snippet(stem: str, files: Sequence[Written], making: Making) -> Mapping[str, str]:
    """A YAML that Axolotl loads the files with, the loss flag included."""
    train, held = train_and_held(files)
    entry = (TEMPLATE_FOLDER / "axolotl_dataset.yaml").read_text(encoding="utf-8")
    text = "datasets:\n" + Template(entry).substitute(path=train)
    if held:
        text += "test_datasets:\n" + Template(entry).substitute(path=held)
    return {f"{stem}.axolotl.yaml": text + "chat_template: tokenizer_default\n"}


def snippets(stem: str, files: Sequence[Written], making: Making) -> Mapping[str, str]:
    """The Axolotl YAML, a runnable TRL script, and the template it needs for models whose own drops tools."""
    train, held = train_and_held(files)
    script = Template((TEMPLATE_FOLDER / "trl_sft.py.txt").read_text(encoding="utf-8"))
    return {
        **axolotl_snippet(stem, files, making),
        f"{stem}.trl.py": script.substitute(
            train=repr(train), val=repr(held), template=repr(f"{stem}.{TOOLS_TEMPLATE}")
        ),
        f"{stem}.{TOOLS_TEMPLATE}": (TEMPLATE_FOLDER / TOOLS_TEMPLATE).read_text(encoding="utf-8"),
    }


HF = Profile(
    name="hf",
    about="TRL with any template, Unsloth, Axolotl",
    file_stem="training_data_hf",
    trainers=("trl", "axolotl", "unsloth"),
    rows=rows,
    snippets=snippets,
    options=frozenset(("split_calls", "rejected", "correct_only", "mask_bad", "with_system")),
)
