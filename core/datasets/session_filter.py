"""Which sessions of a dataset are looked for: by label, subject, length, use so far, or a part of the name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import UsageError

TERMS = "label:walking  subject:s01  >10  <5 (seconds)  fresh  used  part of a name; -before turns one round"
"""What can be looked for, in a line."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a session is chosen by."""

    session: str
    labels: Sequence[str]
    subject: str
    """Empty where it is not known."""
    seconds: float | None
    """None while it is not known."""
    threads: int
    """How many there are about it."""


Holds = Callable[[SessionFacts], bool]


def session_filter(text: str, *, blind: bool = False) -> Holds:
    """A test that a session passes where every word of `text` holds for it. Letters' case is all one.

    Args:
        text: words parted by blanks.
        blind: labels are hidden, so that none can be looked for.

    Raises:
        UsageError: a word says nothing that can be looked for.
    """
    conditions = [_condition(word, blind) for word in text.split()]
    return lambda facts: all(holds(facts) for holds in conditions)


def _condition(word: str, blind: bool) -> Holds:
    if word.startswith("-") and len(word) > 1:
        other = _condition(word[1:], blind)
        return lambda facts: not other(facts)
    term, colon, value = word.partition(":")
    value = value.casefold()
    if colon and term.casefold() == "label":
        if blind:
            raise UsageError("labels are hidden, so none can be looked for")
        return lambda facts: any(value in label.casefold() for label in facts.labels)
    if colon and term.casefold() == "subject":
        return lambda facts: facts.subject.casefold() == value or (not value and not facts.subject)
    if word[0] in "<>":
        match = re.fullmatch(r"(\d+(?:\.\d+)?)s?", word[1:])
        if match is None:
            raise UsageError(f"{word}: a number of seconds goes after {word[0]}, such as {word[0]}10")
        limit, longer = float(match[1]), word[0] == ">"
        return lambda facts: facts.seconds is not None and (facts.seconds > limit) == longer
    if word.casefold() in ("fresh", "used"):
        return lambda facts: (facts.threads > 0) == (word.casefold() == "used")
    if colon:
        raise UsageError(f"{term}: is no word here; there are {TERMS}")
    return lambda facts: word.casefold() in facts.session.casefold()
