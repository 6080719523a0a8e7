"""How what a thread has is compared with what a filter wants: words, numbers and dates."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from core.filters.terms import ANY, NONE, Operator, Term
from core.thread.labels import canonical


def has_any(term: Term, words: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether one of the words is one of those wanted; `none` and `any` stand for themselves."""
    return any(has_word(term, words, word) for word in wanted)


def has_word(term: Term, words: Sequence[str], word: str) -> bool:
    """Whether one of the words is the wanted one, which may be a pattern, `none` or `any`."""
    plain = word.casefold()
    if plain == NONE:
        return not words
    if plain == ANY:
        return bool(words)
    if "*" in plain or "?" in plain:
        return any(fnmatchcase(held.casefold(), plain) for held in words)
    if term.label:
        return any(canonical(held) == canonical(word) for held in words)
    return any(held.casefold() == plain for held in words)


def matches_number(value: float, operator: Operator, low: float, high: float) -> bool:
    """Whether a number compares as asked; `:` takes the range from `low` to `high`, both included."""
    match operator:
        case "<":
            return value < low
        case "<=":
            return value <= low
        case ">":
            return value > low
        case ">=":
            return value >= low
        case "!=":
            return value != low
        case _:
            return low <= value <= high


def matches_date(value: str, operator: Operator, wanted: str) -> bool:
    """Whether an ISO 8601 time compares as asked with a date that may be cut short: `2026-11` is the whole month."""
    start = value[: len(wanted)]
    if not value:
        return operator == "!="
    match operator:
        case "<":
            return start < wanted
        case "<=":
            return start <= wanted
        case ">":
            return start > wanted
        case ">=":
            return start >= wanted
        case "!=":
            return start != wanted
        case _:
            return start == wanted
