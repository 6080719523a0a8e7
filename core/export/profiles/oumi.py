"""`oumi`: a conversation of Oumi's own form, with its id and metadata.

Oumi's collator masks by the template's marks alone, so that a turn out of the loss cannot be said, and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.export.profiles import hf
from core.export.profiles.conversation import UNTRAINED, compact, require_end, require_tools, untrained
from core.export.profiles.profile import Making, Profile, RefusedError, Row, Written, train_and_held
from core.thread.call_ids import with_neutral_ids
from core.thread.value import Thread


def rows(thread: Thread, making: Making) -> list[Row]:
    """The thread as one row. Raises RefusedError where Oumi would train what is not to be learned."""
    require_end(thread)
    tools = require_tools(thread)
    if count := untrained(thread.messages):
        raise RefusedError(UNTRAINED, f"{count} of its turns are out of the loss, which Oumi cannot do")
    chat = [_message(message) for message in hf.messages(with_neutral_ids(thread.messages), making)]
    metadata = dict(thread.metadata)
    return [
        {"conversation_id": thread.id, "messages": chat, **({"tools": tools} if tools else {}), "metadata": metadata}
    ]


def _message(message: Row) -> Row:
    """A message of `hf` with its calls' arguments as the text that Oumi keeps."""
    calls = [
        {**call, "function": {**call["function"], "arguments": compact(call["function"]["arguments"])}}
        for call in message.get("tool_calls", ())
    ]
    return {**message, "tool_calls": calls} if calls else message


def snippets(stem: str, files: Sequence[Written], making: Making) -> Mapping[str, str]:
    """A YAML for `oumi train`."""
    train, held = train_and_held(files)
    lines = [
        f"# oumi train -c {stem}.oumi.yaml --model.model_name MODEL --training.output_dir OUT   (in this folder)",
        "data:",
        *_split("train", train),
        *(_split("validation", held) if held else ()),
        "model:",
        "  model_max_length: 16384  # a row that is longer is cut: count them with `sensorloom prove --model`",
    ]
    return {f"{stem}.oumi.yaml": "\n".join(lines) + "\n"}


def _split(name: str, file: str) -> list[str]:
    return [
        f"  {name}:",
        "    collator_name: text_completions_only_with_padding",
        "    train_target: ALL_ASSISTANT_TURNS",
        "    datasets:",
        "      - dataset_name: text_sft_jsonl",
        f"        dataset_path: {file}",
    ]


OUMI = Profile(
    name="oumi",
    about="Oumi, its own conversations",
    file_stem="training_data_oumi",
    trainers=("oumi",),
    rows=rows,
    snippets=snippets,
    options=frozenset(("split_calls", "rejected", "correct_only", "with_system")),
)
