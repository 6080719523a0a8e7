"""The card of a dataset repository: what is in it, what made it of whose data, what was checked, how it is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.text import counted, one_line

SIDES = {"": "train", "train": "train", "val": "validation", "test": "test"}
"""What a side of a split is called where datasets are shared."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_HOW = """## How to load it

```python
from datasets import load_dataset
rows = load_dataset({name!r})  # datasets>=5: messages are lists, as chat templates render them
texts = load_dataset("parquet", data_files="parquet/train.parquet")  # any version: every column is JSON text
```

`tools` and `metadata` are JSON text in both, since they differ from row to row. Arguments of calls are objects, call ids
say nothing, and `train: false` on a turn of the assistant means that it is context, not to be trained.

| trainer | how |
|---|---|
| TRL, Unsloth | `SFTTrainer` on the rows with `assistant_only_loss=True`, or the script that `sensorloom export --profile hf` writes, which also heeds `train` |
| Axolotl | `path: data/train.jsonl`, `ds_type: json`, `type: chat_template`, `field_messages: messages`, `message_field_training: train`, `roles_to_train: [assistant]` |
| LLaMA-Factory, ms-swift, verl, OpenRLHF, Oumi, torchtune, OpenAI | `sensorloom import-threads data/train.jsonl`, then `sensorloom export --profile llamafactory` (`ms_swift`, `verl`, `openrlhf`, `oumi`, `torchtune`, `openai`), with the configuration that it writes |
"""  # noqa: E501 - a table's line cannot be broken


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset whose sessions the threads are about."""

    name: str
    description: str
    origin: str
    licence: str
    """Empty where nobody says."""
    threads: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card tells."""

    name: str
    licence: str
    """Of the threads, as an id that the hub knows; empty where it was not told."""
    manifest: Mapping[str, Any]
    """The export's own manifest."""
    sources: Sequence[Source]
    findings: Mapping[str, int]
    """How many threads each check found something in."""
    checked: int
    labels: Mapping[str, Mapping[str, int]]
    """Threads by side and label."""


def card(facts: Facts) -> str:
    """`README.md`, whole."""
    return "\n".join([*_front(facts), "", *_body(facts), _HOW.format(name=facts.name)])


def _front(facts: Facts) -> Iterator[str]:
    sides = [SIDES[side] for side in facts.labels]
    count = sum(sum(labels.values()) for labels in facts.labels.values())
    yield "---"
    yield f"pretty_name: {_quoted(facts.name)}"
    if facts.licence:
        yield f"license: {_quoted(facts.licence)}"
    yield "task_categories: [text-generation]"
    yield "tags: [tool-use, agent, time-series, human-activity-recognition, sensorloom]"
    yield f"size_categories: [{next((name for most, name in _SIZES if count < most), 'n>1M')}]"
    yield "configs:"
    yield "- config_name: default"  # alone: `datasets` reads all configurations of a repository in one format
    yield "  data_files:"
    for side in sides:
        yield f"  - split: {side}"
        yield f"    path: data/{side}.jsonl"
    yield "---"


def _body(facts: Facts) -> Iterator[str]:
    manifest = facts.manifest
    yield f"# {one_line(facts.name)}"
    yield ""
    yield "Conversations in which a language model reads motion sensors with tools, and names what was done. No"
    yield "recording is in here, only what the tools answered about it. Each row's metadata say who judged the thread."
    yield from ("", "## What is in it", "", "| split | threads | labels |", "|---|---|---|")
    for side, labels in facts.labels.items():
        named = ", ".join(f"{_cell(label) or 'none known'} {count}" for label, count in labels.items())
        yield f"| {SIDES[side]} | {sum(labels.values())} | {named} |"
    if split := manifest.get("split"):
        yield from ("", f"No {split['group']} stands on two sides of the split.")
    yield from ("", "## Where the measurements are from", "")
    yield from ("| dataset | threads | what | source | licence |", "|---|---|---|---|---|")
    for source in facts.sources:
        licence = _cell(source.licence) or "not stated; ask its publishers before you pass it on"
        parts = (source.name, str(source.threads), source.description, source.origin)
        yield f"| {' | '.join(map(_cell, parts))} | {licence} |"
    yield from ("", "## What made it", "")
    for model, count in manifest["by_model"].items():
        yield f"- {_cell(model) or 'no model is recorded'}: {counted(count, 'thread')}"
    versions = ", ".join(f"{library} {version}" for library, version in manifest["versions"].items())
    wanted = manifest["request"].get("filter") or "every finished thread that nobody rejected"
    yield f"- chosen by: `{one_line(str(wanted))}`; made with {versions}"
    yield from ("", "## What was checked", "")
    yield f"{counted(facts.checked, 'thread')} looked at for leaks of the label, numbers without a source, calls that"
    yield "fit no schema, secrets and the like."
    if not facts.findings:
        yield "Nothing was found."
    for check, count in facts.findings.items():
        yield f"- {check}: {counted(count, 'thread')}"
    for warning in manifest["warnings"]:
        yield f"- {one_line(str(warning), 400)}"
    yield from ("", "`manifest.json` has a SHA-256 of every thread and file.", "")


def _cell(text: str) -> str:
    return one_line(text, 300).replace("|", "\\|").replace("<", "&lt;")


def _quoted(text: str) -> str:
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
