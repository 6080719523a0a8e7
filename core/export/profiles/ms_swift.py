"""`ms_swift`: the chat rows of `hf` with the loss in ms-swift's own field.

ms-swift drops `train` and `weight` without a word and trains those turns; it reads `loss` on each assistant message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.export.profiles import hf
from core.export.profiles.conversation import (
    compact,
    count_reasoning,
    merged_users,
    one_call_a_turn,
    require_end,
    require_tools,
    untrained,
    without_bad_turns,
)
from core.export.profiles.profile import Making, Profile, Row, Written, train_and_held
from core.thread.call_ids import with_neutral_ids
from core.thread.value import Message, Thread


def rows(thread: Thread, making: Making) -> list[Row]:
    """The thread as one row. Raises RefusedError where the loader would garble it."""
    require_end(thread)
    tools = require_tools(thread)
    count_reasoning(thread.messages, making)
    chat = messages(with_neutral_ids(thread.messages), making)
    return [{"id": thread.id, "messages": chat, **({"tools": compact(tools)} if tools else {}),
             "metadata": compact(thread.metadata)}]  # fmt: skip


def messages(stored: Sequence[Message], making: Making) -> list[Row]:
    """Stored messages as ms-swift reads them: `loss` on each of the assistant's, in every thread alike."""
    stored = without_bad_turns(stored, making)
    if making.split_calls:
        stored = one_call_a_turn(stored, making)
    if count := untrained(stored):
        making.changes["turns out of the loss, as `loss: false`"] += count
    return [_message(message) for message in merged_users(stored, making)]


def _message(message: Message) -> Row:
    row = hf.message_of(message, flagged=True)
    if "train" in row:
        row["loss"] = row.pop("train")
    row.pop("reasoning_content", None)
    return row


def snippets(stem: str, files: Sequence[Written], making: Making) -> Mapping[str, str]:
    """A YAML for `swift sft`."""
    train, held = train_and_held(files)
    lines = [
        f"# swift sft {stem}.ms_swift.yaml --model MODEL --output_dir OUT   (in this folder)",
        f"dataset: [{train}]",
        *([f"val_dataset: [{held}]"] if held else []),
        "agent_template: hermes  # how Qwen writes calls; other families have their own",
        "loss_scale: default",
        "max_length: 16384",
        "truncation_strategy: delete  # a row that is too long is left out, not cut",
    ]
    return {f"{stem}.ms_swift.yaml": "\n".join(lines) + "\n"}


MS_SWIFT = Profile(
    name="ms_swift",
    about="ms-swift; its own field for turns out of the loss",
    file_stem="training_data_ms_swift",
    trainers=("ms_swift",),
    rows=rows,
    snippets=snippets,
    options=frozenset(("split_calls", "rejected", "correct_only", "mask_bad", "with_system")),
)
