"""The filter language: what selects threads in the list, in exports and on the command line.

Terms are joined by spaces and must all hold. `name:value` takes words (`a,b` for either, `*` for any
letters, `none`, `any`), `name>=2` compares numbers and dates, a word or a "quoted phrase" alone is looked for
in the texts, and `-` before any of them negates it.

    status:finished correct:false dataset:uci_har tools>=2 turns<6 -verdict:reject answer:"walking upstairs" peak
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ThreadError
from core.filters.terms import (
    ALIASES,
    ANY,
    HAS_ON_SUMMARY,
    HAS_ON_THREAD,
    NONE,
    TERMS,
    OnSummary,
    OnThread,
    Operator,
    Term,
    matches_date,
    matches_number,
    matches_words,
    searched,
)
from core.filters.values import FilterError, check_date, choice, looks_numeric, nearest, number_range, quoted
from core.thread.value import Thread

if TYPE_CHECKING:
    from core.filters.workspace_terms import FoundByChecks
    from core.thread.summary import Summary
    from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Condition:
    """One term as written. Exactly one of the tests is set."""

    on_summary: OnSummary | None
    on_thread: OnThread | None
    negated: bool
    needle: str = ""
    """The text a free-text condition looks for, casefolded; a file without it need not be decoded."""
    slow: bool = False
    """Whether the test of a summary may read files."""
    by_checks: FoundByChecks | None = None
    """The test of a summary, where it wants to know the folder before it is asked."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was read; an empty one selects every thread."""

    text: str
    conditions: tuple[Condition, ...] = ()

    @property
    def needs_file(self) -> bool:
        """Whether summaries alone cannot decide."""
        return any(condition.on_summary is None for condition in self.conditions)

    @property
    def slow(self) -> bool:
        """Whether deciding may read files, the tests of summaries included."""
        return self.needs_file or any(condition.slow for condition in self.conditions)

    @property
    def needs_folder(self) -> bool:
        """Whether `prepare` has something to find out."""
        return bool(self._tests_by_checks)

    @property
    def _tests_by_checks(self) -> list[FoundByChecks]:
        return [condition.by_checks for condition in self.conditions if condition.by_checks]

    def on_summary(self, summary: Summary) -> bool:
        """Whether everything holds that a summary can decide."""
        for condition in self.conditions:
            if condition.on_summary is not None and condition.on_summary(summary) is condition.negated:
                return False
        return True

    def without_folder(self) -> Filter:
        """The same without what `prepare` is for."""
        return Filter(self.text, tuple(condition for condition in self.conditions if not condition.by_checks))

    def prepare(
        self,
        every: Sequence[Summary],
        progress: Callable[[int, int], object] = lambda _done, _total: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Find out of the whole folder what the tests of summaries need, if anything; False when it was cancelled.

        Who does not call it waits in `on_summary`, without being told how far it is.
        """
        return all(
            condition.by_checks.prepare(every, progress, cancelled)
            for condition in self.conditions
            if condition.by_checks
        )

    def on_thread(self, thread: Thread) -> bool:
        """Whether everything holds that only the thread can decide."""
        return all(
            condition.on_thread(thread) is not condition.negated
            for condition in self.conditions
            if condition.on_thread is not None
        )

    def on_file(self, path: Path) -> bool:
        """`on_thread` of a file; what is no thread holds no text."""
        from core.storage.thread_files import read_bytes
        from core.thread.json_form import decode

        try:
            data = read_bytes(path)
            if self._lacks(data):
                return False
            return self.on_thread(decode(data, path.name))
        except ThreadError:
            return False

    def _lacks(self, data: bytes) -> bool:
        """Whether the bytes show that a text is missing: only where they are plain enough to be sure."""
        needles = [condition.needle for condition in self.conditions if condition.needle and not condition.negated]
        if not needles or not data.isascii() or b"\\u" in data or b'"text"' in data:
            return False  # escapes, letters that fold into ASCII, or a content in parts
        lowered = data.lower()
        return any(needle.encode() not in lowered for needle in needles)


def parse(text: str, workspace: Workspace | None = None) -> Filter:
    """Read a filter.

    Args:
        text: the filter as written.
        workspace: whose threads are chosen from; `exported`, `heldout` and `lint` cannot be asked without one. What
            it has exported is read when the filter first asks for it, and not again.

    Raises:
        FilterError: a term or a value is not known, or a quote is open; the message has the place, and the
            nearest right word.
        WorkspaceError: what is held out is asked for, and cannot be read.
    """
    return Filter(text, tuple(_conditions(text, workspace)))


def select(
    folder: Path,
    listing: Iterable[Summary],
    wanted: Filter,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Summary]:
    """The summaries that a filter selects; files are read only for what summaries do not hold."""
    for summary in listing:
        if cancelled():
            return
        if wanted.on_summary(summary) and (not wanted.needs_file or wanted.on_file(folder / f"{summary.stem}.json")):
            yield summary


_TERM = re.compile(r"(?P<name>[A-Za-z_]+)(?P<operator><=|>=|!=|[:=<>])")
_SPACE = re.compile(r"\s+")


def _conditions(text: str, workspace: Workspace | None) -> Iterator[Condition]:
    position = 0
    while position < len(text):
        if space := _SPACE.match(text, position):
            position = space.end()
            continue
        negated = text[position] == "-" and position + 1 < len(text) and not text[position + 1].isspace()
        position += negated
        head = _TERM.match(text, position)
        if head is None:
            value, position = quoted(text, position)
            yield _text_condition(searched, value, negated)
            continue
        name = _known_name(head["name"], position)
        start = head.end()
        value, position = quoted(text, start)
        if TERMS[name].of_workspace and value:
            yield _of_workspace(name, head["operator"], value, start, negated, workspace)
        else:
            yield _condition(name, head["operator"], value, start, negated)


def _known_name(written: str, position: int) -> str:
    name = ALIASES.get(written.lower(), written.lower())
    if name in TERMS:
        return name
    hint = nearest(name, (*TERMS, *ALIASES))
    raise FilterError(position, f"there is no term `{written}`; {hint}; to look for it as text, put it in quotes")


def _text_condition(texts: Callable[[Thread], Iterator[str]], value: str, negated: bool) -> Condition:
    wanted = value.casefold()
    # inside JSON a quote or a backslash is escaped, so only other text can be looked for in the bytes
    plain = wanted.isascii() and wanted.isprintable() and '"' not in wanted and "\\" not in wanted
    return Condition(
        None,
        lambda thread: any(wanted in text.casefold() for text in texts(thread)),
        negated,
        wanted if plain else "",
    )


def _condition(name: str, written: str, value: str, start: int, negated: bool) -> Condition:
    term = TERMS[name]
    operator: Operator = ":" if written == "=" else written  # type: ignore[assignment]  # the pattern allows no other
    if not value:
        raise FilterError(start, f"`{name}` needs a value: {_values(name, term)}")
    if name == "has":
        return _has(value, start, negated)
    if term.texts is not None and operator == ":":
        return _text_condition(term.texts, value, negated)
    if term.date is not None:
        return _date(name, term, operator, value, start, negated)
    if term.number is not None and (operator != ":" or term.words is None or looks_numeric(value)):
        return _number(name, term, operator, value, start, negated)
    if operator not in (":", "!="):
        raise FilterError(start - len(written), f"`{name}` does not compare with `{written}`; write `{name}:{value}`")
    words = value.split(",")
    if term.choices:
        words = [choice(name, term.choices, word, start) for word in words]
    return Condition(lambda summary: matches_words(term, words, summary), None, negated ^ (operator == "!="))


def _of_workspace(
    name: str, operator: str, value: str, start: int, negated: bool, workspace: Workspace | None
) -> Condition:
    from core.filters import workspace_terms  # its imports are no part of the app's start

    if workspace is None:
        raise FilterError(start, f"`{name}` can only be asked of a workspace's threads")
    if operator not in (":", "=", "!="):
        raise FilterError(start - len(operator), f"`{name}` does not compare with `{operator}`")
    choices = TERMS[name].choices or workspace_terms.checks()
    words = [choice(name, choices, word, start) for word in value.split(",")]
    negated ^= operator == "!="
    if name == "exported":
        return Condition(workspace_terms.left(workspace, words), None, negated, slow=True)
    if name == "heldout":
        return Condition(workspace_terms.held_out(workspace, words), None, negated, slow=True)
    test = workspace_terms.FoundByChecks(workspace, words)
    return Condition(test, None, negated, slow=True, by_checks=test)


def _has(value: str, start: int, negated: bool) -> Condition:
    plain = value.casefold()
    if plain in HAS_ON_SUMMARY:
        return Condition(HAS_ON_SUMMARY[plain], None, negated)
    if plain in HAS_ON_THREAD:
        return Condition(None, HAS_ON_THREAD[plain], negated)
    raise FilterError(start, f"`has:{value}` is not known; {nearest(plain, TERMS['has'].choices)}")


def _number(name: str, term: Term, operator: Operator, value: str, start: int, negated: bool) -> Condition:
    low, high = number_range(name, operator, value, start)
    get = term.number
    assert get is not None
    return Condition(lambda summary: matches_number(get(summary), operator, low, high), None, negated)


def _date(name: str, term: Term, operator: Operator, value: str, start: int, negated: bool) -> Condition:
    check_date(name, value, start)
    get = term.date
    assert get is not None
    return Condition(lambda summary: matches_date(get(summary), operator, value), None, negated)


def _values(name: str, term: Term) -> str:
    if term.choices:
        return ", ".join(term.choices)
    if term.number is not None:
        return f"`{name}>=2`"
    if term.date is not None:
        return f"`{name}>=2026-11-21`"
    return f"{name}:{NONE}, {name}:{ANY}, or {term.about}"
