"""`verl`: the chat rows of `hf` with messages and tools as JSON text, in Parquet, and the class that reads them.

verl's own dataset takes Parquet of nested columns, which fills the keys of every call and every tool's schema with
nulls into all the others, and knows no turn out of the loss. The class beside the export does both right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.export.profiles import hf
from core.export.profiles.conversation import compact
from core.export.profiles.profile import Making, Profile, Row, Written, train_and_held
from core.export.templates import TEMPLATE_FOLDER
from core.thread.value import Thread


def rows(thread: Thread, making: Making) -> list[Row]:
    """The thread as one row of texts. Raises RefusedError where a template would garble it."""
    (row,) = hf.rows(thread, making)
    messages, tools = compact(row["messages"]), row.get("tools", "")
    return [{"id": row["id"], "messages": messages, "tools": tools, "metadata": row["metadata"]}]


def snippets(stem: str, files: Sequence[Written], making: Making) -> Mapping[str, str]:
    """The dataset class, and the settings that load it."""
    train, held = (name.replace(".jsonl", ".parquet") for name in train_and_held(files))
    lines = [
        "# python -m verl.trainer.sft_trainer with these, and your model's settings",
        "data:",
        f"  train_files: {train}",
        *([f"  val_files: {held}"] if held else []),
        "  messages_key: messages",
        "  tools_key: tools",
        "  custom_cls:",
        f"    path: {stem}.verl_dataset.py",
        "    name: ThreadDataset",
        "  max_length: 16384",
        "  truncation: error  # a row that is too long stops the run instead of being cut",
    ]
    dataset = (TEMPLATE_FOLDER / "verl_dataset.py.txt").read_text(encoding="utf-8")
    return {f"{stem}.verl.yaml": "\n".join(lines) + "\n", f"{stem}.verl_dataset.py": dataset}


VERL = Profile(
    name="verl",
    about="verl: Parquet of JSON text, with the class that reads it",
    file_stem="training_data_verl",
    trainers=("verl",),
    rows=rows,
    snippets=snippets,
    parquet=True,
    options=frozenset(("split_calls", "rejected", "correct_only", "mask_bad", "with_system")),
)
