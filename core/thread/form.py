"""The form of a task: what a model is shown of it when a thread is made, and again when a tuned model is asked.

A thread keeps its form in its metadata, so that every later turn, its replay, its evaluation and its export go by the
one it was begun with, whatever the settings say by then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from core.thread.value import Message, Thread

Size = Literal["full", "short"]
FULL_NAME, COMPACT_NAME = "full", "compact"
USUAL, NONE = "usual", "none"
"""Words in the place of a prompt's file: the program's own, and none."""
KEY = "form"
"""Of a thread's metadata."""
SHOWN = "shown"
"""Of what is under it: the threads that were shown as examples, each with its checksum."""


class Ahead(NamedTuple):
    """What is sent before a thread's messages."""

    system: str
    """The system prompt; empty for none."""
    examples: tuple[Message, ...] = ()
    """The messages of the threads that are shown as examples."""

    def shown(self, *, tools: bool) -> tuple[Message, ...]:
        """The examples that go with a request, and into its row: none where no tools are offered, since examples call
        them."""
        return self.examples if tools else ()


class TaskForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One form of a task. What is not said is as in the full form."""

    name: str = FULL_NAME
    tools: tuple[str, ...] = ()
    """The names of the tools that are offered, of those that the thread's evidence allows; all where none is named."""
    schemas: Size = "full"
    """What is said of a tool and its parameters: all, or one sentence with the parameters that matter."""
    manifest: Size = "full"
    """What the opening message says of the dataset: its manifest as it stands, or channels, units, rate and labels."""
    results: Size = "full"
    """What a tool's result holds: all, or the few numbers that tell most."""
    system: str = USUAL
    """The system prompt: `usual`, `none`, or a file in `prompts/`."""
    question: str = USUAL
    """What a model is told that proposes the question: likewise."""
    few_shot: int | tuple[str, ...] = 0
    """Accepted threads that are shown before a new one: so many, or those of these ids."""


FULL = TaskForm()
COMPACT = TaskForm(
    COMPACT_NAME,
    ("show_channel_stats", "detect_periodicity", "compare_to_reference", "look_up_ranges"),
    "short",
    "short",
    "short",
    NONE,
)
"""Three tools, whichever way of evidence it is, and at most about 900 tokens a thread: for small models."""
BUILTIN_FORMS: Mapping[str, TaskForm] = {form.name: form for form in (FULL, COMPACT)}


def form_in(metadata: Mapping[str, Any]) -> TaskForm:
    """The form that a thread's metadata keep; the full one for what was made before there was a choice. Keys that are
    not known, or say nothing, are passed over."""
    recorded = metadata.get(KEY)
    if not isinstance(recorded, dict):
        return FULL
    fields = TaskForm.__struct_fields__
    known = {key: value for key, value in recorded.items() if key in fields and value is not None}
    try:
        return msgspec.convert(known, TaskForm)
    except msgspec.ValidationError:
        return FULL


def form_of(thread: Thread) -> TaskForm:
    """The form that a thread was begun with."""
    return form_in(thread.metadata)


def record_of(form: TaskForm, texts: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a thread keeps of its form: what it says, and a checksum of that and of the prompts behind it.

    Args:
        form: the form.
        texts: the prompts by what they are for, as they are sent.
    """
    definition = _definition(form)
    return {"name": form.name, **definition, "sha256": checksum({"form": definition, "texts": dict(texts or {})})}


def without_examples(form: TaskForm) -> TaskForm:
    """The form of a task that is played, not told of: examples are shown before a thread alone."""
    return msgspec.structs.replace(form, few_shot=0)


def row_of(form: TaskForm) -> dict[str, Any]:
    """What a row of a data set says under `form`, which `form_in` reads again."""
    return {"name": form.name, **_definition(without_examples(form))}


def _definition(form: TaskForm) -> dict[str, Any]:
    """What a form says beside the full one. msgspec leaves a text out only where it is the default's very object: one
    that was read from a file would have another checksum."""
    told = {name: getattr(form, name) for name in TaskForm.__struct_fields__}
    return {name: msgspec.to_builtins(value) for name, value in told.items() if value != getattr(FULL, name)}


def checksum(value: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a value's JSON text."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def checksum_in(metadata: Mapping[str, Any]) -> str:
    """The checksum of the form that a thread's metadata keep; empty where they keep none."""
    recorded = metadata.get(KEY)
    value = recorded.get("sha256") if isinstance(recorded, dict) else None
    return value if isinstance(value, str) else ""
