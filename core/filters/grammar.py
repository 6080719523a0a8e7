"""The grammar of the filter language: a line becomes terms, joined by `and` (a space), `OR` and parentheses.

    line  = side ("OR" side)*          side = part+
    part  = ["-"] ( "(" line ")" | "call(" line ")" | [name operator] value )

Nothing here knows which terms there are. Parentheses and `OR` in quotes are text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.filters.values import FilterError

HEAD = re.compile(r"(?P<name>[A-Za-z_]+)(?P<operator><=|>=|!=|[:=<>])")
CALL = "call("
MAX_DEPTH = 50
"""Parentheses inside one another: more than anybody writes, and fewer than what reads them can take."""
_OR = re.compile(r"OR(?=[\s()]|$)")
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Written:
    """One term as it stands in the line; `name` is empty for a text that is looked for."""

    name: str
    operator: str
    value: str
    negated: bool
    start: int
    """Where it begins, after its minus."""
    value_at: int
    plain: bool = True
    """Whether no part of the value is in quotes."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts of which all must hold, or one."""

    parts: tuple[Written | Joined, ...]
    either: bool = False
    negated: bool = False
    of_call: bool = False
    """Whether they are about one and the same call."""
    start: int = 0
    """Where they begin, after their minus."""


def read_line(text: str) -> Joined:
    """The parts of a line. Raises FilterError, with the place, for a quote or a parenthesis that is not closed or was
    never opened, and for an `OR` that stands between nothing."""
    return _Reader(text).line(None)


class _Reader:
    """Reads a line from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def line(self, opened_at: int | None) -> Joined:
        """What stands up to the end of the text, or of the parenthesis that was opened at a place."""
        sides: list[list[Written | Joined]] = [[]]
        or_at = 0
        while not self._ended(opened_at is not None):
            if word := _OR.match(self._text, self._at):
                if not sides[-1]:
                    raise FilterError(self._at, '`OR` needs a term before it; to look for it as text, write "OR"')
                or_at, self._at = self._at, word.end()
                sides.append([])
            else:
                sides[-1].append(self._part(opened_at is not None))
        if opened_at is not None:
            if self._at == len(self._text):
                raise FilterError(
                    opened_at, "the parenthesis is not closed; add a ) at its end, or put it in quotes to look for it"
                )
            self._at += 1
            if sides == [[]]:
                raise FilterError(opened_at, "there is nothing between the parentheses")
        if len(sides) == 1:
            return Joined(tuple(sides[0]))
        if not sides[-1]:
            raise FilterError(or_at, '`OR` needs a term after it; to look for it as text, write "OR"')
        return Joined(tuple(side[0] if len(side) == 1 else Joined(tuple(side)) for side in sides), either=True)

    def _ended(self, inside: bool) -> bool:
        space = _SPACE.match(self._text, self._at)
        assert space is not None
        self._at = space.end()
        return self._at == len(self._text) or (inside and self._text[self._at] == ")")

    def _part(self, inside: bool) -> Written | Joined:
        text, start = self._text, self._at
        negated = text[start] == "-" and start + 1 < len(text) and not text[start + 1].isspace()
        self._at = start = start + negated
        of_call = text.startswith(CALL, start)
        if of_call or text[start] == "(":
            opened_at = start + len(CALL) - 1 if of_call else start
            self._at = opened_at + 1
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise FilterError(opened_at, f"parentheses stand inside one another more than {MAX_DEPTH} times")
            group = self.line(opened_at)
            self._depth -= 1
            return Joined(group.parts, group.either, negated, of_call, start)
        head = HEAD.match(text, start)
        value_at = self._at = head.end() if head else start
        value, plain = self._value(inside)
        name, operator = (head["name"], head["operator"]) if head else ("", ":")
        return Written(name, operator, value, negated, start, value_at, plain)

    def _value(self, inside: bool) -> tuple[str, bool]:
        """The value that begins here, quotes taken off, and whether there were none.

        In a parenthesis it ends where that does; one of its own, as in `f(x)`, belongs to it.
        """
        parts: list[str] = []
        plain, depth = True, 0
        while self._at < len(self._text) and not (character := self._text[self._at]).isspace():
            if character == '"':
                end = self._text.find('"', self._at + 1)
                if end < 0:
                    raise FilterError(self._at, 'the quote is not closed; add a " at its end')
                parts.append(self._text[self._at + 1 : end])
                plain, self._at = False, end + 1
                continue
            depth += (character == "(") - (character == ")")
            if depth < 0:
                if inside:
                    break
                raise FilterError(self._at, "this parenthesis was never opened; leave it out, or put it in quotes")
            parts.append(character)
            self._at += 1
        return "".join(parts), plain
