"""What a filter line says where the cursor is: the term that is being written, in one line."""

from __future__ import annotations

from dataclasses import dataclass

from core.filters.call_terms import FIELDS, STATES
from core.filters.grammar import CALL, HEAD
from core.filters.terms import ALIASES, TERMS


@dataclass(frozen=True, slots=True)
class Word:
    """What stands without a space around a place in a line, less a minus and the parentheses before it."""

    text: str
    start: int
    in_call: bool
    """Whether it is about one call."""


def word_at(line: str, cursor: int) -> Word:
    """The word that is being written at the cursor; it ends there."""
    start, quoted = 0, False
    groups: list[bool] = []
    """Of each parenthesis that is open, whether it is a call's."""
    for at, character in enumerate(line[:cursor]):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character.isspace() or (character in "-(" and at == start):
            if character == "(":
                groups.append(bool(groups) and groups[-1])
            start = at + 1
        elif character == "(" and line[start : at + 1] == CALL:
            groups.append(True)
            start = at + 1
        elif character == ")" and groups:
            groups.pop()
    return Word(line[start:cursor], start, bool(groups) and groups[-1])


def explained(line: str, cursor: int) -> str:
    """The term under the cursor, explained; how to find out more where there is none."""
    end = cursor
    while end < len(line) and not line[end].isspace() and line[end] not in "()":
        end += 1
    word = word_at(line, end)
    head = HEAD.match(word.text)
    name = head["name"].lower() if head else word.text.lower()
    if not word.text:
        return "in call( ): a tool, a text, error, or a field" if word.in_call else "? lists every field"
    if word.in_call:
        return _of_call(name, bool(head))
    name = ALIASES.get(name, name)
    if head and name in TERMS:
        term = TERMS[name]
        values = f": {', '.join(term.choices)}" if term.choices else f", as {term.example}"
        return f"{name}: {term.about}{values}"
    if word.text == "OR":
        return "OR: one of both sides holds; a space binds more closely"
    text = word.text.strip('"')
    return "" if head else f"looks for {text} in every text; a field ends with a colon"


def _of_call(name: str, is_field: bool) -> str:
    if is_field:
        return f"{name}: {FIELDS.get(name, 'a value of this name in the arguments or the result of one call')}"
    if name in STATES:
        return f"{name}: {STATES[name][0]}"
    return f"{name}: the tool of this name, or this text in the call"
