"""A number that is the truth, such as a count of steps, in a message the model saw.

Tools may well print it, as it is theirs to find. Given away it is where the question states it, or where a result or a
manifest has it under a key such as `ground_truth`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from core.lint.finding import Finding
from core.lint.json_leaves import TELLING_KEYS, leaves, short
from core.lint.label_set import manifest_of
from core.thread.scoring import is_right, kind_in
from core.thread.value import Thread, is_assistant, text_of

WAY_OUT = "take it out of the message, and run again what rests on it"
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\w)")
_FACT_KEYS = re.compile(
    r"(?:true_|known_|stated_)?(?:steps?|step_count|changes_sec|change_sec|changed_at)", re.IGNORECASE
)
"""Keys under which a dataset states such a number; a manifest that shows them gives it away."""


def number_leaks(thread: Thread) -> Iterator[Finding]:
    """Where a message that is not the assistant's states the number that is asked for."""
    for index, message in enumerate(thread.messages):
        if is_assistant(message):
            continue
        if message.get("role") == "tool":
            if key := _told(thread, text_of(message)):
                yield Finding("leak", index, f"the result says `{key}`: {thread.truth}", WAY_OUT)
        elif index == 0 and (key := next(_keys(thread, manifest_of(thread), facts=True), "")):
            yield Finding("leak", index, f"the manifest says `{key}`: {thread.truth}", WAY_OUT)
    if any(is_right(kind_in(thread.metadata), number, thread.truth) for number in _NUMBER.findall(thread.question)):
        yield Finding("leak", 0, f"the question states the truth, {thread.truth}: {short(thread.question)}", WAY_OUT)


def _told(thread: Thread, text: str) -> str:
    try:
        return next(_keys(thread, json.loads(text), facts=False), "")
    except (ValueError, RecursionError):
        return ""


def _keys(thread: Thread, value: object, *, facts: bool) -> Iterator[str]:
    for key, _, leaf in leaves(value):
        names_it = TELLING_KEYS.fullmatch(key) or (facts and _FACT_KEYS.fullmatch(key))
        if names_it and not isinstance(leaf, bool) and is_right(kind_in(thread.metadata), str(leaf), thread.truth):
            yield key
