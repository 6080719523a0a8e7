"""What could follow in a filter line that is being written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from core.filters.call_terms import FIELDS, STATES
from core.filters.explaining import word_at
from core.filters.facts import Fact
from core.filters.grammar import CALL
from core.filters.terms import ALIASES, ANY, NONE, TERMS
from core.filters.values import term as written

if TYPE_CHECKING:
    from core.thread.summary import Summary
    from core.workspace import Workspace

Values = Mapping[str, Sequence[str]]
"""The words that the threads of a folder have, by term."""

_AT_ONCE = 5_000
"""Threads whose words are gathered without a pause."""
_MOST = 500
"""Words of one term that are kept: more cannot be chosen from by eye."""


def completions(before: str, values: Values | None = None) -> list[str]:
    """What the word that ends at the cursor could become: names of terms, or a term's words.

    Args:
        before: the filter up to the cursor.
        values: the words that occur, see `values_in`.
    """
    known = values or {}
    word = word_at(before, len(before))
    name, colon, value = word.text.partition(":")
    if word.in_call:
        return _of_call(name, bool(colon), value, known)
    if not colon:
        return [each for each in (*(f"{name}:" for name in TERMS), CALL) if each.startswith(name)]
    own = ALIASES.get(name, name)
    term = TERMS.get(own)
    if term is None or not (term.choices or term.words or term.of_workspace):
        return []
    choices = _checks() if own == "lint" else term.choices or known.get(own, ())
    with_both = choices if own in ("has", "saved", "similar") else (*choices, NONE, ANY)
    return _words(name, value, with_both)


def values_in(workspace: Workspace, summaries: Iterable[Summary]) -> Values:
    """The words that occur in a folder, by term, and the names of the saved filters. Opens datasets for their subjects:
    belongs in a worker."""
    from core.datasets.subjects import Subjects
    from core.filters.saved import saved_filters
    from core.runs.batches import batches

    facts = {name: term.words for name, term in TERMS.items() if isinstance(term.words, Fact) and not term.choices}
    held: dict[str, set[Any]] = {name: set() for name in facts}
    sessions: set[tuple[str, str]] = set()
    left = iter(summaries)
    while some := list(islice(left, _AT_ONCE)):
        sessions.update(map(attrgetter("dataset", "session"), some))
        for name, fact in facts.items():
            held[name].update(fact.values(some))
    counts = {name: {word for value in held[name] for word in fact.read(value)} for name, fact in facts.items()}
    subjects = Subjects(workspace)
    people = {subjects.of(*session) for session in sessions if session[1]}
    saved = [saved.name for saved in saved_filters(workspace) if saved.name]
    listed = {**counts, "subject": people}
    words = {name: sorted(filter(None, words))[:_MOST] for name, words in listed.items()}
    return {**words, "saved": saved, "batch": batches(workspace)[:_MOST]}


def _of_call(name: str, is_field: bool, value: str, known: Values) -> list[str]:
    if not is_field:
        first = (*known.get("tools", ()), *STATES, *(f"{field}:" for field in FIELDS))
        return [each for each in first if each.startswith(name)]
    return _words(name, value, known.get("tools", ()) if name == "tool" else STATES if name == "is" else ())


def _words(name: str, value: str, choices: Iterable[str]) -> list[str]:
    """The term with its last word completed, quoted where a word needs it."""
    before, comma, last = value.rpartition(",")
    plain = last.strip('"').casefold()
    fitting = [choice for choice in choices if choice.casefold().startswith(plain)]
    if comma:
        return [f"{name}:{before},{choice}" for choice in fitting if " " not in choice]
    return [f"{name}:{choice}" if choice in (NONE, ANY) else written(name, choice) for choice in fitting]


def _checks() -> tuple[str, ...]:
    from core.filters.workspace_terms import checks

    return checks()
