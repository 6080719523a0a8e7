"""What a selection of threads amounts to: how balanced it is, what was taken for what, and which ways led there.

Everything is counted from summaries; no thread's file is read.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import msgspec

from core.listing.agreement import Agreement, agreement
from core.settings import BUILTIN_MODEL
from core.thread.labels import canonical
from core.thread.scoring import KINDS, asks_for_a_label

if TYPE_CHECKING:
    from core.thread.summary import Summary
    from core.workspace import Workspace

Key = TypeVar("Key", bound=Hashable)
State = tuple[str, bool | None, str]
"""A thread's status, whether its answer is right, and its verdict."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many threads there are of one kind, how far they are, and how they were judged."""

    name: str = ""
    """What they have in common; empty for threads that lack it."""
    threads: int = 0
    finished: int = 0
    right: int = 0
    wrong: int = 0
    accepted: int = 0
    rejected: int = 0
    ready: int = 0
    """Finished and not rejected: what an export takes."""
    missing: int = 0
    """Of a label: how many more ready ones would make it as frequent as the most frequent of its dataset."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How often threads of one label were answered in one way."""

    truth: str
    answer: str
    threads: int
    right: bool


@dataclass(frozen=True, slots=True)
class Path:
    """Threads that used the same tools in the same order of first use."""

    tools: tuple[str, ...]
    count: Count


@dataclass(frozen=True, slots=True)
class DatasetStatistics:
    """One dataset's threads."""

    name: str
    total: Count
    labels: tuple[Count, ...]
    """In the order of the dataset's own list of labels, others after them by name."""
    answers: tuple[Answered, ...]
    """Every pair of label and answer, the most frequent first."""
    by_answer: tuple[Count, ...]
    """By what was answered, whatever is true, the most frequent first; nothing in it tells a thread's label."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """All of it."""

    total: Count
    unreadable: int
    """Files that are no threads, older ones among them; they count nowhere else."""
    datasets: tuple[DatasetStatistics, ...]
    confidence: tuple[Count, ...]
    """Finished threads by the confidence they state: high, medium, low, others."""
    turns: tuple[Count, ...]
    """By the number of assistant messages, which is the name; likewise the next two."""
    calls: tuple[Count, ...]
    kinds: tuple[Count, ...]
    """By how many different tools were called."""
    tools: tuple[Count, ...]
    """By tool, the most used first; a thread counts for each tool it called."""
    paths: tuple[Path, ...]
    """The most frequent first."""
    reasons: tuple[Count, ...] = ()
    """By reason given at the verdict, the most frequent first; a thread counts for each that it has. Likewise the next.
    """
    tags: tuple[Count, ...] = ()
    questions: tuple[Count, ...] = ()
    """By kind of question, in the order of `core.thread.scoring.KINDS`; others after them."""
    judge: Agreement | None = None
    """How well a judge model and the person agree; None where no thread was judged by both."""
    tokens_read: int = 0
    """What models were sent, in tokens as the servers counted them; the built-in analyst counts words, which are not in
    it. Likewise what they wrote."""
    tokens: int = 0
    cost: float | None = None
    """What all turns cost; None where none says."""


def statistics(summaries: Iterable[Summary], labels: Mapping[str, Sequence[str]] | None = None) -> Statistics:
    """Count threads.

    Args:
        summaries: which ones.
        labels: for each dataset the labels to list even when no thread has them.
    """
    every = summaries if isinstance(summaries, Sequence) else list(summaries)
    there = [summary for summary in every if not summary.problem]
    asked = [summary for summary in there if summary.model != BUILTIN_MODEL]
    costs = [summary.cost for summary in there if summary.cost is not None]
    cells = Counter(
        (
            summary.dataset,
            summary.truth,
            summary.answer,
            summary.confidence,
            (summary.status, summary.correct, summary.verdict),
            summary.kind,
        )
        for summary in there
    )
    ways = Counter(
        (summary.turns, summary.calls, summary.tools_used, (summary.status, summary.correct, summary.verdict))
        for summary in there
    )
    total = _gathered((("", state, number) for (_, _, _, state), number in ways.items()), str)
    turns = _gathered(((turns, state, number) for (turns, _, _, state), number in ways.items()), str)
    calls = _gathered(((calls, state, number) for (_, calls, _, state), number in ways.items()), str)
    kinds = _gathered(((len(some), state, number) for (_, _, some, state), number in ways.items()), str)
    paths = _gathered(((some, state, number) for (_, _, some, state), number in ways.items()), " → ".join)
    tools = _gathered(((tool, state, number) for (_, _, some, state), number in ways.items() for tool in some), str)
    return Statistics(
        total.get("", Count()),
        len(every) - len(there),
        _datasets(cells, labels or {}),
        _by_confidence(cells),
        _in_order(turns),
        _in_order(calls),
        _in_order(kinds),
        tuple(sorted(tools.values(), key=_most_first)),
        tuple(Path(path, paths[path]) for path in sorted(paths, key=lambda path: _most_first(paths[path]))),
        _by_words((summary.reasons, summary) for summary in there),
        _by_words((summary.tags, summary) for summary in there),
        _by_kind(cells),
        agreement(there),
        sum(summary.tokens_read for summary in asked),
        sum(summary.tokens for summary in asked),
        sum(costs) if costs else None,
    )


def label_sets(
    workspace: Workspace, chosen: Iterable[Summary], selects: Callable[[Summary], bool]
) -> dict[str, list[str]]:
    """The labels of each dataset that a filter could select: those that it leaves out are not missing.

    A label can be selected when a thread that was would have been selected with that label too.
    """
    from core.lint import label_set

    examples: dict[str, Summary] = {}
    for summary in chosen:
        if summary.dataset and summary.dataset not in examples and not summary.problem:
            examples[summary.dataset] = summary
    return {
        dataset: [
            label
            for label in label_set.dataset_labels(workspace, dataset)
            if selects(msgspec.structs.replace(example, truth=label))
        ]
        for dataset, example in examples.items()
    }


def interval(right: int, of: int) -> tuple[float, float]:
    """The share `right / of` with 95 % confidence, from 0 to 1: the score interval of Wilson (1927)."""
    if not of:
        return 0.0, 1.0
    z = 1.959964
    middle, spread = right / of + z * z / (2 * of), z * math.sqrt(right * (of - right) / of**3 + z * z / (4 * of * of))
    return max(0.0, (middle - spread) / (1 + z * z / of)), min(1.0, (middle + spread) / (1 + z * z / of))


def _gathered(cells: Iterable[tuple[Key, State, int]], called: Callable[[Key], str]) -> dict[Key, Count]:
    """Count by key; `called` gives its name."""
    sums: dict[Key, list[int]] = {}
    for key, (status, correct, verdict), number in cells:
        sums_of_key = sums.setdefault(key, [0] * 7)
        finished = status == "finished"
        sums_of_key[0] += number
        sums_of_key[1] += number * finished
        sums_of_key[2] += number * (correct is True)
        sums_of_key[3] += number * (correct is False)
        sums_of_key[4] += number * (verdict == "accept")
        sums_of_key[5] += number * (verdict == "reject")
        sums_of_key[6] += number * (finished and verdict != "reject")
    return {key: Count(called(key), *sums_of_key) for key, sums_of_key in sums.items()}


def _by_words(threads: Iterable[tuple[tuple[str, ...], Summary]]) -> tuple[Count, ...]:
    """Count threads by each of the words they have."""
    counts = Counter(
        (word, (summary.status, summary.correct, summary.verdict)) for words, summary in threads for word in words
    )
    words = _gathered(((word, state, number) for (word, state), number in counts.items()), str)
    return tuple(sorted(words.values(), key=_most_first))


def _in_order(counts: Mapping[int, Count]) -> tuple[Count, ...]:
    return tuple(counts[number] for number in sorted(counts))


def _most_first(count: Count) -> tuple[int, str]:
    return -count.threads, count.name


Cells = Counter[tuple[str, str, str, str, State, str]]
"""Threads by dataset, truth, answer, confidence, state and kind of question."""


def _by_confidence(cells: Cells) -> tuple[Count, ...]:
    order = ("high", "medium", "low")
    by_confidence = _gathered(
        ((cell[3], cell[4], number) for cell, number in cells.items() if cell[4][0] == "finished"), str
    )
    return tuple(
        by_confidence[name] for name in (*order, *sorted(set(by_confidence) - set(order))) if name in by_confidence
    )


def _by_kind(cells: Cells) -> tuple[Count, ...]:
    by_kind = _gathered(((cell[5], cell[4], number) for cell, number in cells.items()), str)
    order = [*KINDS, *sorted(set(by_kind) - set(KINDS))]
    return tuple(by_kind[name] for name in order if name in by_kind)


def _datasets(cells: Cells, labels: Mapping[str, Sequence[str]]) -> tuple[DatasetStatistics, ...]:
    parts: dict[str, Cells] = {}
    for cell, number in cells.items():
        parts.setdefault(cell[0], Counter())[cell] = number
    return tuple(_dataset(name, parts[name], labels.get(name, ())) for name in sorted(parts))


def _dataset(name: str, every: Cells, labels: Sequence[str]) -> DatasetStatistics:
    # only labels can be balanced, and be taken for one another
    cells: Cells = Counter({cell: number for cell, number in every.items() if asks_for_a_label(cell[5])})
    listed = {canonical(label): label for label in labels}
    names = {**_spellings((cell[1], number) for cell, number in cells.items()), **listed}
    written = {**_spellings((cell[2], number) for cell, number in cells.items()), **listed}
    spelled = {**written, **names}
    counts = _gathered(
        ((canonical(cell[1]), cell[4], number) for cell, number in cells.items()), lambda key: names[key]
    )
    most = max((count.ready for count in counts.values() if count.name), default=0)
    order = [*listed, *sorted(set(counts) - set(listed), key=lambda key: (not key, names[key]))]
    rows = [counts.get(key, Count(names[key])) for key in order]
    pairs: Counter[tuple[str, str]] = Counter()
    for (_, truth, answer, _, (status, _, _), _), number in cells.items():
        if status == "finished" and answer:
            pairs[canonical(truth), canonical(answer)] += number
    answers = [
        Answered(names[truth], spelled[answer], number, truth == answer) for (truth, answer), number in pairs.items()
    ]
    finished = ((canonical(cell[2]), cell[4], number) for cell, number in cells.items() if cell[4][0] == "finished")
    return DatasetStatistics(
        name,
        replace(_gathered((("", cell[4], number) for cell, number in every.items()), str)[""], name=name),
        tuple(replace(count, missing=most - count.ready if count.name else 0) for count in rows),
        tuple(sorted(answers, key=lambda answered: (-answered.threads, answered.truth, answered.answer))),
        tuple(sorted(_gathered(finished, lambda key: written[key]).values(), key=_most_first)),
    )


def _spellings(labels: Iterable[tuple[str, int]]) -> dict[str, str]:
    """For each label in the form that compares, how it is written most often."""
    written: dict[str, Counter[str]] = {}
    for label, number in labels:
        written.setdefault(canonical(label), Counter())[label] += number
    return {key: min(some, key=lambda spelling: (-some[spelling], spelling)) for key, some in written.items()}
