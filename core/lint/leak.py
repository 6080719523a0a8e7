"""The truth, or something that gives it away, in a message the model saw.

Naming the label among the others is no leak: manifests list the label set, tools measure distances to every label
and show the labels of other people's windows, questions ask to choose. A leak says it of this session: under a key
such as `ground_truth`, in a statement that names no other label, or in a file name or id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from core.lint.finding import Check, Context, Finding
from core.lint.json_leaves import TELLING_KEYS, leaves, short, strings
from core.lint.label_set import answers_of, label_set
from core.lint.number_leak import WAY_OUT, number_leaks
from core.thread.labels import SYNONYMS, canonical
from core.thread.opening import opening_of
from core.thread.scoring import activity_in, asks_for_a_label, kind_in, scoring_of
from core.thread.value import Thread, text_of

_LABEL_KEYS = re.compile(r"(?:label|labels|activity|activities|class|category|annotation|answer|y)", re.IGNORECASE)
"""Keys whose value is the truth unless it is one of several things that are compared."""

_LABEL_CHANNEL = re.compile(
    r"(?:activity|class|label|target|annotation|ground_?truth)(?:_?(?:id|no|nr|num|number|code|label|index|class))?",
    re.IGNORECASE,
)
"""Channels that are the truth as a number, by their name."""

_LEVELS = frozenset({"mean", "min", "max"})
"""Features that hold a channel's own value, as `tools.features` names them."""

_ASSERTION = re.compile(
    r"ground[ _-]?truth|(?:true|correct|actual|real|right|expected) (?:label|answer|activity|class)"
    r"|label(?:l?ed)?(?: is| as|:|=)|annotated|recorded (?:while|during)|hint:|answer(?: is|:)"
    r"|(?:person|subject|user|participant|wearer) (?:is|was) ",
    re.IGNORECASE,
)
_OF_THIS = re.compile(r"\b(?:session|recording|window|segment|sample|clip|trial)s?\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?:[^.!?\n]|\.(?=\d))+[.!?]*")
_WORD = re.compile(r"[A-Za-z]+")
_NAME = re.compile(r"[\w\-]+(?:[/\\.][\w\-]+)*")


class _Labels:
    """Finds labels in text, the longest first: `walking_upstairs` is not `walking`."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._known: dict[str, str] = {}
        for label in labels:
            same = canonical(label)
            names = next((names for names in SYNONYMS if same in names), frozenset({same}))
            self._known.update(dict.fromkeys(names, same))
            self._known["".join(_WORD.findall(label.casefold()))] = same
        self._beginnings = {name[:end] for name in self._known for end in range(1, len(name) + 1)}
        self._longest = 4

    def named_in(self, text: str) -> set[str]:
        """The labels a text names, in comparable form."""
        words = [word.casefold() for word in _WORD.findall(text)]
        named: set[str] = set()
        position = 0
        while position < len(words):
            if words[position] not in self._beginnings:
                position += 1
                continue
            for length in range(min(self._longest, len(words) - position), 0, -1):
                same = self._known.get("".join(words[position : position + length]))
                if same is not None:
                    named.add(same)
                    position += length - 1
                    break
            position += 1
        return named


@lru_cache(maxsize=64)
def _labels(labels: tuple[str, ...]) -> _Labels:
    return _Labels(labels)


def names_only_the_truth(thread: Thread, context: Context, text: str) -> bool:
    """Whether a text names the thread's label and no other of the dataset's; what else may be true are words that come
    up in any text."""
    if not asks_for_a_label(kind_in(thread.metadata)):
        return False
    labels = _labels((*label_set(thread, context), thread.truth))
    return bool(thread.truth) and labels.named_in(text) == {canonical(thread.truth)}


def _leak(thread: Thread, context: Context) -> Iterator[Finding]:
    for truth, answers in _secrets(thread, context):
        yield from _given_away(thread, canonical(truth), _labels((*answers, truth)))
    if scoring_of(kind_in(thread.metadata)).tolerance is not None:
        yield from number_leaks(thread)


def _secrets(thread: Thread, context: Context) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What must not be given away, each with what it could be instead: the truth where it is in words, and the label of
    the session, which tells the truth of other questions as well."""
    scoring = scoring_of(kind_in(thread.metadata))
    answers = answers_of(thread, context)
    if thread.truth and (scoring.is_label or len(answers) > 1):
        yield thread.truth, answers
    if activity_in(thread.metadata) and not scoring.is_label and "activity" in thread.metadata:
        yield activity_in(thread.metadata), label_set(thread, context)


def _given_away(thread: Thread, truth: str, labels: _Labels) -> Iterator[Finding]:
    for index, message in enumerate(thread.messages):
        role = message.get("role")
        if role == "assistant":
            continue
        text = text_of(message)
        reason = _in_result(text, labels, truth) if role == "tool" else _in_question(text, labels, truth)
        reason = reason or _label_channel(text)
        if reason:
            yield Finding("leak", index, reason, WAY_OUT)
    for tool in thread.tools or ():
        for text in strings(tool):
            if _asserts(text, labels, truth):
                yield Finding("leak", None, f"a tool's schema says: {short(text)}", "take it out of the schema")


def _in_question(text: str, labels: _Labels, truth: str) -> str:
    """Why a user's message gives the truth away; empty when it does not."""
    opening = opening_of(text)
    question = text[opening.end if opening.question_at is None else opening.question_at :]
    before = opening.manifest if opening.manifest is not None else text[: len(text) - len(question)]
    if reason := _in_result(before, labels, truth):
        return reason
    for sentence in _SENTENCE.findall(question):
        if labels.named_in(sentence) != {truth}:
            continue
        asks = sentence.rstrip().endswith("?")
        if not asks or (_OF_THIS.search(sentence) and _attributes(sentence, labels, truth)):
            return f"the question names the truth and no other label: {short(sentence)}"
    return _in_names(question, labels, truth)


def _label_channel(text: str) -> str:
    """Why a manifest or a comparison shows a channel that is the label as a number; empty when none does.

    In a comparison such a channel never varies within either of the two labels, and tells them apart.
    """
    if '"channels"' in text and "Dataset Information:" in text[:40]:
        start = text.find("{")
        try:
            manifest, _ = json.JSONDecoder().raw_decode(text, start) if start >= 0 else ({}, 0)
        except (ValueError, RecursionError):
            return ""
        listed = manifest.get("channels") if isinstance(manifest, dict) else None
        for channel in listed if isinstance(listed, list | dict) else ():
            name = channel.get("name") if isinstance(channel, dict) else channel
            if isinstance(name, str) and _LABEL_CHANNEL.fullmatch(name):
                return f"the manifest offers a channel that is the label: {short(name)}"
    if '"telling_features"' in text:
        try:
            result = json.loads(text)
        except (ValueError, RecursionError):
            return ""
        features = result.get("telling_features") if isinstance(result, dict) else None
        for feature in features if isinstance(features, list) else ():
            if isinstance(feature, dict) and _never_varies(feature):
                return f"a comparison rests on a channel that is the label: {short(str(feature.get('feature')))}"
    return ""


def _never_varies(feature: Mapping[str, Any]) -> bool:
    """Whether a feature is a whole number, without spread within both labels, and another in each."""
    pairs = [value for value in feature.values() if isinstance(value, list) and len(value) == 2]
    if str(feature.get("feature")).rpartition(":")[2] not in _LEVELS or len(pairs) != 2:
        return False
    numbers = [level for level, spread in pairs if isinstance(level, int | float) and spread == 0]
    return len(numbers) == 2 and numbers[0] != numbers[1] and all(float(level).is_integer() for level in numbers)


def _attributes(sentence: str, labels: _Labels, truth: str) -> bool:
    """Whether the label stands right before `session`, `recording` …: "this walking session"."""
    return any(truth in labels.named_in(sentence[max(0, mention.start() - 30) : mention.start()]) and
               labels.named_in(sentence[: mention.start()].rstrip().rsplit(" ", 1)[-1]) == {truth}
               for mention in _OF_THIS.finditer(sentence))  # fmt: skip


def _in_result(text: str, labels: _Labels, truth: str) -> str:
    """Why a tool's result, or a manifest, gives the truth away."""
    if not labels.named_in(text) >= {truth}:
        return ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    for key, single, item in leaves(value):
        if not isinstance(item, str) or truth not in (named := labels.named_in(item)):
            continue
        plain = named == {truth} and len(_WORD.findall(item)) <= 4
        if plain and (TELLING_KEYS.fullmatch(key) or (single and _LABEL_KEYS.fullmatch(key))):
            return f"the result says `{key}`: {short(item)}"
        if _asserts(item, labels, truth):
            return f"the result says: {short(item)}"
        if name := _in_names(item, labels, truth):
            return name
    return ""


def _asserts(text: str, labels: _Labels, truth: str) -> bool:
    """Whether a sentence says of this session what it is: a word such as `ground truth`, and no other label."""
    return _ASSERTION.search(text) is not None and any(
        _ASSERTION.search(sentence) is not None and labels.named_in(sentence) == {truth}
        for sentence in _SENTENCE.findall(text)
    )


def _in_names(text: str, labels: _Labels, truth: str) -> str:
    """A file name, path or id that contains the label."""
    for mention in _NAME.finditer(text):
        name = mention[0]
        if (any(mark in name for mark in "/\\") or any(letter.isdigit() for letter in name)) and labels.named_in(
            name.replace("_", " ")
        ) == {truth}:
            return f"a name gives the truth away: {short(name)}"
    return ""


LEAK = Check("leak", "the truth in a message the model saw", _leak)
