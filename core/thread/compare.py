"""How two conversations differ: which messages belong together, where they first part, and in which words.

Call ids and our marks on messages are no difference: a branch has ids of its own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any

from core.thread.proposal import MARKS
from core.thread.value import Message, call_arguments, call_name, calls_of, text_of

Span = tuple[int, int]
"""Start and end of a stretch of characters."""

MOST_COMPARISONS = 300_000
"""Pairs of equal words or lines that one comparison may have: about a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Row:
    """Two messages side by side, by their indexes; None where one side has none."""

    left: int | None
    right: int | None
    same: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two conversations side by side."""

    rows: tuple[Row, ...]
    first: int | None
    """The first row that differs; None when there is none."""


def compare(left: Sequence[Message], right: Sequence[Message]) -> Comparison:
    """Align two conversations, message by message.

    Where a stretch differs, messages of the same role are put side by side, in their order.
    """
    left_keys, right_keys = [_key(message) for message in left], [_key(message) for message in right]
    rows: list[Row] = []
    for tag, a, b, c, d in SequenceMatcher(None, left_keys, right_keys, autojunk=False).get_opcodes():
        if tag == "equal":
            rows += [Row(a + step, c + step, True) for step in range(b - a)]
        else:
            rows += _side_by_side(left, right, (a, b), (c, d))
    return Comparison(tuple(rows), next((at for at, row in enumerate(rows) if not row.same), None))


def first_difference(left: Sequence[Message], right: Sequence[Message]) -> int | None:
    """The index of the first message in which two conversations part; None when they are the same."""
    for index, (left_message, right_message) in enumerate(zip(left, right, strict=False)):
        if left_message is not right_message and _key(left_message) != _key(right_message):
            return index
    return None if len(left) == len(right) else min(len(left), len(right))


def _side_by_side(left: Sequence[Message], right: Sequence[Message], left_span: Span, right_span: Span) -> list[Row]:
    rows: list[Row] = []
    a, c = left_span[0], right_span[0]
    while a < left_span[1] and c < right_span[1]:
        if left[a].get("role") == right[c].get("role"):
            rows.append(Row(a, c, False))
            a, c = a + 1, c + 1
        elif _has_role(left[a + 1 : left_span[1]], right[c]):
            rows.append(Row(a, None, False))
            a += 1
        else:
            rows.append(Row(None, c, False))
            c += 1
    rows += [Row(index, None, False) for index in range(a, left_span[1])]
    return rows + [Row(None, index, False) for index in range(c, right_span[1])]


def _has_role(messages: Sequence[Message], like: Message) -> bool:
    return any(message.get("role") == like.get("role") for message in messages)


def _key(message: Message) -> str:
    """What makes a message what it is, as a string: two are the same when their keys are."""
    plain: dict[str, Any] = {
        key: value
        for key, value in message.items()
        if key not in (*MARKS, "usage", "made_by", "tool_calls", "tool_call_id")
    }
    plain["content"] = text_of(message)
    plain["calls"] = [(call_name(call), _arguments(call)) for call in calls_of(message)]
    return json.dumps(plain, sort_keys=True)


def _arguments(call: Mapping[str, Any]) -> Any:
    text = call_arguments(call)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def word_spans(left: str, right: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The stretches of each text that the other does not have, in whole words.

    Long texts are compared by lines first and by words where the lines differ; a stretch in which so much repeats
    that the comparison would be slow is marked whole.
    """
    pairs = list(_differing(left, right, _words))
    return _joined(left_span for left_span, _ in pairs), _joined(right_span for _, right_span in pairs)


def _differing(left: str, right: str, split: Callable[[str], list[str]]) -> Iterator[tuple[Span, Span]]:
    left_parts, right_parts = split(left), split(right)
    head = 0
    while head < min(len(left_parts), len(right_parts)) and left_parts[head] == right_parts[head]:
        head += 1
    tail = 0
    while tail < min(len(left_parts), len(right_parts)) - head and left_parts[-1 - tail] == right_parts[-1 - tail]:
        tail += 1
    start = sum(map(len, left_parts[:head]))
    left_parts, right_parts = left_parts[head : len(left_parts) - tail], right_parts[head : len(right_parts) - tail]
    if not left_parts and not right_parts:
        return
    texts = "".join(left_parts), "".join(right_parts)
    if _cost(left_parts, right_parts) <= MOST_COMPARISONS:
        codes = SequenceMatcher(None, left_parts, right_parts, autojunk=False).get_opcodes()
    elif split is _words:
        for first, second in _differing(*texts, _lines):
            stretch = texts[0][slice(*first)], texts[1][slice(*second)]
            inner = ((first, second),) if stretch == texts else _shifted(_differing(*stretch, _words), first, second)
            yield from _shifted(inner, (start, 0), (start, 0))
        return
    else:
        codes = [("replace", 0, len(left_parts), 0, len(right_parts))]
    ends_one, ends_other = [0, *accumulate(map(len, left_parts))], [0, *accumulate(map(len, right_parts))]
    for tag, a, b, c, d in codes:
        if tag != "equal":
            yield (start + ends_one[a], start + ends_one[b]), (start + ends_other[c], start + ends_other[d])


def _cost(left_parts: Sequence[str], right_parts: Sequence[str]) -> int:
    """How many pairs of equal parts there are: what SequenceMatcher's time grows with."""
    counts = Counter(right_parts)
    return sum(count * counts[part] for part, count in Counter(left_parts).items())


def _shifted(pairs: Iterable[tuple[Span, Span]], left_span: Span, right_span: Span) -> Iterator[tuple[Span, Span]]:
    """Pairs of spans that were counted from where `one` and `other` begin."""
    for (a, b), (c, d) in pairs:
        yield (a + left_span[0], b + left_span[0]), (c + right_span[0], d + right_span[0])


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order without empty ones, touching ones as one."""
    joined: list[Span] = []
    for start, end in spans:
        if start == end:
            continue
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
