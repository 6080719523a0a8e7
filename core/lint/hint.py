"""Traces of a hint in what a teacher wrote that was told the truth: its words, a mention of it, a label out of nothing.

A label that is named before any result, without another beside it, comes out of nothing: nobody who has to find out
writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.lint.finding import Check, Context, Finding
from core.lint.leak import LEAK, names_only_the_truth
from core.thread.hint import HINT, UNCHECKED, hint_of
from core.thread.value import Message, Thread, call_arguments, calls_of, is_assistant, text_of

_MENTION = re.compile(
    r"\bhint(?:s|ed)?\b|\b(?:i|we) (?:was|were|am|are|have been|'ve been) (?:told|given|informed|instructed)\b"
    r"|\b(?:you|they|user) (?:told|said|gave|mentioned|stated|revealed)\b|\bas (?:you )?(?:told|stated|instructed)\b"
    r"|\b(?:known|given|provided|stated|true|actual|correct|secret|expected) (?:label|answer|activity|class|truth)\b"
    r"|\bground[ _-]?truth\b|\balready know|\bbetween us\b|\blabel(?:l?ed) (?:as|this)\b|\bsupposed to (?:be|find)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]+")
_RUN = 5
"""So many words in a row of the hint are no chance."""


def hint_trace(thread: Thread, context: Context | None = None, hints: Sequence[str] = ()) -> str:
    """Why a thread shows that its teacher was given a hint, in one sentence; empty when nothing does. `hints` are what
    was said besides the truth."""
    words_of_hints = _HINTS_RUNS.union(*map(_runs, hints))
    context = context or Context()
    for finding in LEAK.find(thread, context):
        return finding.sentence
    for text in _written(thread):
        if mention := _MENTION.search(text):
            return f"it speaks of what it was told: {mention[0]!r}"
        if words := _runs(text) & words_of_hints:
            return f"it repeats the hint: {' '.join(min(words))!r}"
    results = [index for index, message in enumerate(thread.messages) if message.get("role") == "tool"]
    first = results[0] if results else len(thread.messages)
    for turn in (thread.messages, *_alternatives(thread, first)):
        for message in turn:
            if message.get("role") == "tool":
                break
            if is_assistant(message) and names_only_the_truth(thread, context, " ".join(_texts(message))):
                return "it names the truth, and no other label, before any result"
    return ""


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return {tuple(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1)}


_HINTS_RUNS = _runs(HINT.replace("{truth}", "this session is labelled the right answer is"))


def _written(thread: Thread) -> Iterator[str]:
    """Every text that the teacher wrote, set aside turns among them."""
    for turn in (thread.messages, *_alternatives(thread)):
        for message in turn:
            if is_assistant(message):
                yield from _texts(message)


def _texts(message: Message) -> Iterator[str]:
    yield text_of(message)
    if isinstance(reasoning := message.get("reasoning_content"), str):
        yield reasoning
    yield from map(call_arguments, calls_of(message))


def _alternatives(thread: Thread, until: int | None = None) -> Iterator[Sequence[Message]]:
    """The messages of each turn that was set aside; with `until`, of those that stood at or before that message."""
    for alternative in thread.alternatives:
        messages: Any = alternative.get("messages")
        position = alternative.get("position")
        early = until is None or not isinstance(position, int) or position <= until
        if isinstance(messages, list) and early:
            yield [message for message in messages if isinstance(message, Mapping)]


def _unchecked(thread: Thread, context: Context) -> Iterator[Finding]:
    if hint_of(thread) == UNCHECKED:
        trace = hint_trace(thread, context)
        sentence = f"its teacher was given a hint: {trace}" if trace else (
            "its teacher was given a hint, and whether that shows was not checked yet"
        )  # fmt: skip
        yield Finding("hint", None, sentence, "`sensorloom run` it to its end, which checks it, or reject it")


HINT_CHECK = Check("hint", "a thread made with a hint that was not checked", _unchecked)
