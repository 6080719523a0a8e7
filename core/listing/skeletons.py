"""What is said in other words: sentences with numbers, names, labels and channels taken out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from core.lint import label_set
from core.thread.conclusion import CONCLUDING
from core.thread.value import Thread, call_name, calls_of, is_assistant, text_of
from tools.sensors import positions_of, sensors_of
from tools.session import Channel

_NUMBER = re.compile(r"(?<![\w#])[-−+±]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_LISTED = re.compile(r"(#|<\w+>)(?:(?:, and |, or |, | and | or )\1)+")


def skeleton(sentence: str, names: Mapping[str, str]) -> str:
    """A sentence with numbers and names taken out, lists of them made one.

    Args:
        sentence: what was said.
        names: for each name in lower case what stands in its place: `{"walking": "<label>"}`.
    """
    text = sentence.casefold()
    if names:
        text = _pattern(tuple(sorted(names, key=lambda name: (-len(name), name)))).sub(
            lambda match: names[match[0]], text
        )
    return _LISTED.sub(r"\1", _NUMBER.sub("#", text)).strip()


def sentences_of(text: str) -> list[str]:
    """The sentences of a message, without the lines that close a thread."""
    parts = _SENTENCE_END.split(CONCLUDING.sub("", text))
    return [part for part in map(str.strip, parts) if any(character.isalpha() for character in part)]


def skeletons_of(thread: Thread, results: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The skeleton of each of the assistant's sentences; `results` are the tools' names and what they answered."""
    names = _names(thread, results)
    for message in thread.messages:
        if is_assistant(message):
            for sentence in sentences_of(text_of(message)):
                yield skeleton(sentence, names)


def _names(thread: Thread, results: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What is a name in this thread: its dataset's labels, channels, sensors and places, features, tools."""
    manifest = label_set.manifest_of(thread)
    rows = manifest.get("channels")
    names = [row["name"] if isinstance(row, dict) else row for row in rows] if isinstance(rows, list) else []
    channels = tuple(Channel(name, "", "") for name in names if isinstance(name, str))
    slots: dict[str, str] = {}
    for _, text in results:
        _collect(as_object(text), slots)
    for tool in {call_name(call) for message in thread.messages for call in calls_of(message)}:
        slots[tool.casefold()] = slots[tool.replace("_", " ").casefold()] = "<tool>"
    for position in positions_of(channels):
        slots[position.casefold()] = "<position>"
    for name in (*(channel.name for channel in channels), *(sensor.name for sensor in sensors_of(channels))):
        slots[name.casefold()] = "<channel>"
    listed = manifest.get("activities")
    for label in (*(listed.values() if isinstance(listed, dict) else listed or ()), thread.truth):
        if isinstance(label, str):
            slots[label.casefold()] = slots[label.replace("_", " ").casefold()] = "<label>"
    return {name: slot for name, slot in slots.items() if name.strip()}


def _collect(value: Any, slots: dict[str, str]) -> None:
    """The names of features and labels that a result holds, wherever it holds them."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "feature" and isinstance(part, str):
                slots[part.casefold()] = "<feature>"
            elif key in ("features", "ranges", "telling_features") and isinstance(part, dict):
                slots.update((str(name).casefold(), "<feature>") for name in part)
            elif key in ("distances", "votes") and isinstance(part, dict):
                slots.update((str(name).casefold(), "<label>") for name in part)
            _collect(part, slots)
    elif isinstance(value, list):
        for part in value:
            _collect(part, slots)


@lru_cache(maxsize=64)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")


def as_object(text: str) -> dict[str, Any]:
    """A result as an object; empty when it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
