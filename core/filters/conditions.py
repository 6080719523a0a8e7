"""What the parts of a filter say of a thread.

Each is decided on its summary, or on the thread where that cannot know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import not_
from typing import TYPE_CHECKING

from core.errors import SensorloomError
from core.filters.call_terms import some_call
from core.filters.facts import Fact
from core.filters.grammar import Joined, Written, read_line
from core.filters.matching import has_any, matches_date, matches_number
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
    searched,
)
from core.filters.values import FilterError, check_date, choice, looks_numeric, nearest, number_range
from core.thread.value import Thread

if TYPE_CHECKING:
    from core.filters.workspace_terms import OfFolder
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
    of_folder: OfFolder | None = None
    """The test of a summary, where it wants to know the folder before it is asked."""
    ids: tuple[str, ...] = ()
    """The ids that it names, in the order they are written."""

    def decide(self, summary: Summary) -> bool | None:
        """Whether it holds; None where the summary cannot say."""
        return None if self.on_summary is None else self.on_summary(summary) is not self.negated

    def possible(self, some: Sequence[Summary]) -> Iterable[bool]:
        """Of each of these summaries, whether it does not speak against it."""
        if isinstance(self.on_summary, Fact):
            answers = self.on_summary.of_each(some)
            return map(not_, answers) if self.negated else answers
        return (self.decide(summary) is not False for summary in some)

    def holds(self, summary: Summary, thread: Thread) -> bool:
        """Whether it holds."""
        answer = self.on_thread(thread) if self.on_thread else self.on_summary is not None and self.on_summary(summary)
        return answer is not self.negated

    def leaves(self) -> Iterator[Condition]:
        """The terms it consists of."""
        yield self


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions of which all must hold, or one."""

    parts: tuple[Condition | Group, ...]
    either: bool
    negated: bool

    def decide(self, summary: Summary) -> bool | None:
        """Whether it holds; None where the summary cannot say. One part that settles it is enough."""
        undecided = False
        for part in self.parts:
            answer = part.decide(summary)
            if answer is self.either:
                return self.either is not self.negated
            undecided = undecided or answer is None
        return None if undecided else self.either is self.negated

    def possible(self, some: Sequence[Summary]) -> Iterable[bool]:
        """Of each of these summaries, whether it does not speak against it."""
        return (self.decide(summary) is not False for summary in some)

    def holds(self, summary: Summary, thread: Thread) -> bool:
        """Whether it holds."""
        answers = (part.holds(summary, thread) for part in self.parts)
        return (any(answers) if self.either else all(answers)) is not self.negated

    def leaves(self) -> Iterator[Condition]:
        """The terms it consists of."""
        for part in self.parts:
            yield from part.leaves()


def condition_of(
    part: Written | Joined, workspace: Workspace | None, within: frozenset[str] = frozenset()
) -> Condition | Group:
    """What a part of a line says; `within` names the saved filters that the line stands in. Raises FilterError with the
    place of a term or a value that is not known."""
    if isinstance(part, Joined):
        if part.of_call:
            return Condition(None, some_call(part), part.negated)
        return Group(tuple(condition_of(inner, workspace, within) for inner in part.parts), part.either, part.negated)
    if not part.name:
        return _text_condition(searched, part.value, part.negated)
    name = _known_name(part.name, part.start)
    if _of_its_workspace(name, part.value):
        return _of_workspace(name, part, workspace, within)
    return _condition(name, part)


def asks_workspace(part: Written | Joined) -> bool:
    """Whether reading what a part says may read the workspace's files."""
    if isinstance(part, Joined):
        return not part.of_call and any(map(asks_workspace, part.parts))
    return _of_its_workspace(ALIASES.get(part.name.lower(), part.name.lower()), part.value)


def _of_its_workspace(name: str, value: str) -> bool:
    """Whether a term asks for what a summary does not tell. Of forms it is only whether one is another by now."""
    term = TERMS.get(name)
    return bool(term and term.of_workspace and value) or (name, value) == ("form", "changed")


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


def _condition(name: str, part: Written) -> Condition:
    term, value, start, negated = TERMS[name], part.value, part.value_at, part.negated
    operator: Operator = ":" if part.operator == "=" else part.operator  # type: ignore[assignment]  # no other is read
    if not value:
        raise FilterError(start, f"`{name}` needs a value: {values_of(name, term)}")
    if name == "has":
        return _has(value, start, negated)
    if term.texts is not None and operator == ":":
        return _text_condition(term.texts, value, negated)
    if term.date is not None:
        return _date(name, term, operator, value, start, negated)
    if term.number is not None and (operator != ":" or term.words is None or looks_numeric(value)):
        return _number(name, term, operator, value, start, negated)
    if operator not in (":", "!="):
        raise FilterError(
            start - len(part.operator), f"`{name}` does not compare with `{operator}`; write `{name}:{value}`"
        )
    words = value.split(",")
    if term.derived is not None:
        derived, negated = term.derived, negated ^ (operator == "!=")
        return Condition(None, lambda thread: has_any(term, derived(thread), words), negated)
    if term.choices:
        words = [choice(name, term.choices, word, start) for word in words]
    negated ^= operator == "!="
    ids = tuple(words) if name == "id" and not negated else ()
    get = term.words
    assert get is not None
    if isinstance(get, Fact):
        return Condition(get.then(lambda held: has_any(term, held, words)), None, negated, ids=ids)
    return Condition(lambda summary: has_any(term, get(summary), words), None, negated, ids=ids)


def _of_workspace(name: str, part: Written, workspace: Workspace | None, within: frozenset[str]) -> Condition | Group:
    from core.filters import workspace_terms  # its imports are no part of the app's start

    start = part.value_at
    if workspace is None:
        raise FilterError(start, f"`{name}` can only be asked of a workspace's threads")
    if part.operator not in (":", "=", "!="):
        raise FilterError(start - len(part.operator), f"`{name}` does not compare with `{part.operator}`")
    negated = part.negated ^ (part.operator == "!=")
    if name == "saved":
        return _saved(part, negated, workspace, within)
    if name == "similar":
        if not _is_thread(workspace, part.value):
            raise FilterError(start, f"there is no thread `{part.value}` to be similar to; write its id")
        likeness = workspace_terms.SimilarTo(workspace, part.value)
        return Condition(likeness, None, negated, slow=True, of_folder=likeness)
    words = part.value.split(",")
    if name == "subject":
        return Condition(workspace_terms.subject(workspace, words), None, negated, slow=True)
    if name == "batch":
        return _batch(workspace, words, start, negated)
    choices = TERMS[name].choices or (() if name == "form" else workspace_terms.checks())
    words = [choice(name, choices, word, start) for word in words] if choices else words
    if (about := workspace_terms.BY_NAME.get(name)) is not None:
        return Condition(about(workspace, words), None, negated, slow=True)
    test = workspace_terms.FoundByChecks(workspace, words)
    return Condition(test, None, negated, slow=True, of_folder=test)


def _batch(workspace: Workspace, words: Sequence[str], start: int, negated: bool) -> Condition:
    from core.filters.workspace_terms import OfBatches

    try:
        return Condition(OfBatches(workspace, words), None, negated, slow=True)
    except SensorloomError as error:
        raise FilterError(start, str(error)) from error


def _is_thread(workspace: Workspace, stem: str) -> bool:
    from core.storage.thread_files import exists, is_stem

    return is_stem(stem) and exists(workspace.threads, stem)


def _saved(part: Written, negated: bool, workspace: Workspace, within: frozenset[str]) -> Group:
    """What a saved filter says."""
    from core.filters.saved import saved_filters

    texts = {saved.name.casefold(): saved.text for saved in saved_filters(workspace) if saved.name}
    name = part.value.casefold()
    text = texts.get(name)
    if text is None:
        hint = nearest(part.value, texts) if texts else "none has a name yet; f on the screen saves one"
        raise FilterError(part.value_at, f"no saved filter is called `{part.value}`; {hint}")
    if name in within:
        raise FilterError(part.value_at, f"the saved filter `{part.value}` names itself; write its terms instead")
    try:
        group = condition_of(read_line(text), workspace, within | {name})
    except FilterError as error:
        raise FilterError(part.value_at, f"in the saved filter `{part.value}`: {error.sentence}") from error
    assert isinstance(group, Group)
    return Group(group.parts, group.either, negated)


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
    return Condition(get.then(lambda held: matches_number(held, operator, low, high)), None, negated)


def _date(name: str, term: Term, operator: Operator, value: str, start: int, negated: bool) -> Condition:
    check_date(name, value, start)
    get = term.date
    assert get is not None
    return Condition(get.then(lambda held: matches_date(held, operator, value)), None, negated)


def values_of(name: str, term: Term) -> str:
    """What values a term takes, in a few words."""
    if term.choices:
        return ", ".join(term.choices)
    if term.number is not None:
        return f"`{name}>=2`"
    if term.date is not None:
        return f"`{name}>=2026-11-21`"
    if term.texts is not None or name in ("saved", "similar"):
        return f"such as `{term.example}`"
    return f"{name}:{NONE}, {name}:{ANY}, or {term.about}"
