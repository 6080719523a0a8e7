"""Which sessions of a dataset are looked for: by label, subject, length, use so far, or a part of the name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from core.errors import UsageError
from core.thread.labels import canonical

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset

TERMS = (
    "label:walking  subject:s01  >10  <5 (seconds)  fresh  used  part of a name; -before turns one round, "
    "OR between takes either"
)
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


def session_facts(
    dataset: StandardDataset, sessions: Sequence[str], threads: Mapping[tuple[str, str], int]
) -> list[SessionFacts]:
    """What is known of these sessions at once; how long they are, `lengths` says.

    Args:
        dataset: whose they are.
        sessions: their names.
        threads: how many threads there are about each, by dataset and session.
    """
    return [
        SessionFacts(
            session,
            dataset.labels.get(session, ()),
            dataset.subjects.get(session, ""),
            None,
            threads.get((dataset.name, session), 0),
        )
        for session in sessions
    ]


def lengths(dataset: StandardDataset) -> dict[str, float]:
    """How many seconds each session is long, from the feature table. Raises DatasetError where one cannot be read."""
    from tools.features import DURATION

    table = dataset.features()
    if DURATION not in table.names:
        return {}
    return dict(zip(table.sessions, table.values[:, table.names.index(DURATION)].tolist(), strict=True))


def sessions_like(
    dataset: StandardDataset,
    text: str,
    among: Sequence[str],
    labels: Collection[str],
    used: Callable[[], Mapping[tuple[str, str], int]],
) -> list[str]:
    """The sessions that a filter lets through, in their order; what no word of it asks for is not read.

    Args:
        dataset: whose they are.
        text: the filter.
        among: the sessions it chooses from.
        labels: those of all datasets that are looked through with it, so that one word means the same in each.
        used: says how many threads there are about each, by dataset and session; called where a word asks for it.

    Raises:
        UsageError: a word says nothing that can be looked for.
        DatasetError: a length is asked for, and a session cannot be read.
    """
    holds = session_filter(text, labels)
    words = {word.lstrip("-").casefold() for word in text.split()}
    threads = used() if words & {"fresh", "used"} else {}
    long = lengths(dataset) if any(word.startswith(("<", ">")) for word in words) else {}
    facts = session_facts(dataset, among, threads)
    return [each.session for each in facts if holds(replace(each, seconds=long.get(each.session)))]


Holds = Callable[[SessionFacts], bool]


def labels_in(several: Iterable[Iterable[str]]) -> frozenset[str]:
    """Every label of some sessions, each of which may have several."""
    return frozenset(label for labels in several for label in labels)


def session_filter(text: str, labels: Collection[str], *, blind: bool = False) -> Holds:
    """A test that a session passes where every word of `text` holds for it, or every one on one side of an `OR`.
    Letters' case is all one otherwise.

    Args:
        text: words parted by blanks.
        labels: those there are. After `label:` the whole name of one, as people write it, means that one, as
            in a filter of threads: `walking` is not `walking_upstairs`. Anything else is a part of names, or a pattern
            with `*` and `?`.
        blind: labels are hidden, so that none can be looked for.

    Raises:
        UsageError: a word says nothing that can be looked for.
    """
    ways: list[list[Holds]] = [[]]
    for word in text.split():
        if word == "OR":
            ways.append([])
        else:
            ways[-1].append(_condition(word, labels, blind))
    there = [way for way in ways if way] or [[]]
    return lambda facts: any(all(holds(facts) for holds in way) for way in there)


def _condition(word: str, labels: Collection[str], blind: bool) -> Holds:
    if word.startswith("-") and len(word) > 1:
        other = _condition(word[1:], labels, blind)
        return lambda facts: not other(facts)
    term, colon, value = word.partition(":")
    value = value.casefold()
    if colon and term.casefold() == "label":
        if blind:
            raise UsageError("labels are hidden, so none can be looked for")
        meant = _labels_meant(value, labels)
        return lambda facts: not meant.isdisjoint(facts.labels)
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


def _labels_meant(value: str, labels: Collection[str]) -> frozenset[str]:
    if whole := frozenset(label for label in labels if canonical(label) == canonical(value)):
        return whole
    if "*" in value or "?" in value:
        return frozenset(label for label in labels if fnmatchcase(label.casefold(), value))
    return frozenset(label for label in labels if value in label.casefold())
