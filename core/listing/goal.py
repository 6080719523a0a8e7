"""What a set of threads is to be in the end, set once for a workspace, and how far the accepted ones are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from core.datasets.held_out import held_out_in
from core.datasets.standard import dataset_names, open_dataset
from core.datasets.subjects import Subjects
from core.errors import SensorloomError, UsageError
from core.lint import label_set
from core.storage.memory import recall, remember
from core.text import counted
from core.thread.summary import Summary
from core.workspace import Workspace

_KEY = "goal"


@dataclass(frozen=True, slots=True)
class Goal:
    """How many threads of what kinds are wanted."""

    total: int = 0
    """Accepted threads in all; with 0, so many as the labels need."""
    label: int = 0
    """Of each label of each dataset."""
    dataset: int = 0
    """Of each dataset."""
    subject: int = 0
    """Of each person."""
    calls: int = 2
    """Fewest tool calls of a thread that counts."""
    path: int = 30
    """Greatest share of the total, in percent, that uses the same tools in the same order of first use."""
    right: int = 1
    """1: only right answers count. 0: wrong ones too."""

    @property
    def text(self) -> str:
        """As it is written: `total=100 label=10`. What is not asked for is left out."""
        named = ((each.name, getattr(self, each.name), each.default) for each in fields(self))
        return " ".join(f"{name}={value}" for name, value, usual in named if value or usual)

    @property
    def in_words(self) -> str:
        """As a person reads it: `20 threads, 3 of each label; only right answers, with at least 2 calls`."""
        each = [f"{getattr(self, kind)} of each {ABOUT[kind].rpartition(' ')[2]}" for kind in ("label", "dataset",
                "subject") if getattr(self, kind)]  # fmt: skip
        wanted = ", ".join([*([counted(self.total, "thread")] if self.total else []), *each])
        rules = [
            "only right answers" * bool(self.right),
            f"with at least {counted(self.calls, 'call')}" * bool(self.calls),
            f"at most {self.path} % of one tool path" * (0 < self.path < 100),
        ]
        return "; ".join(filter(None, (wanted, ", ".join(filter(None, rules)))))

    def counts(self, summary: Summary) -> bool:
        """Whether a thread could serve it, were it accepted."""
        fits = summary.status == "finished" and summary.calls >= self.calls
        return fits and not (self.right and summary.correct is not True)


ABOUT: Mapping[str, str] = {
    "total": "accepted threads in all",
    "label": "of each label",
    "dataset": "of each dataset",
    "subject": "of each person",
    "calls": "fewest tool calls of a thread that counts",
    "path": "greatest share of one tool path, in percent",
    "right": "1: only right answers count; 0: wrong ones too",
}


def parts_in_words() -> str:
    """What a goal may name, a line each, with what holds where it is not named."""
    usual = {each.name: each.default for each in fields(Goal)}
    lines = [f"{name + '=':9} {about}" for name, about in ABOUT.items()]
    return "\n".join(
        f"{line} ({usual[name]} unless told)" if usual[name] else line for name, line in zip(ABOUT, lines, strict=True)
    )


def parse_goal(text: str, before: Goal | None = None) -> Goal:
    """Read `total=100 label=10 path=30`; what is not named stays as it was before. Raises UsageError."""
    goal = before or Goal()
    for word in re.split(r"[\s,]+", text.strip()):
        name, _, number = word.partition("=")
        if name not in ABOUT or not number.isdecimal() or len(number) > 7:
            raise UsageError(
                f"`{word}` is no part of a goal; write `total=100 label=10`, with any of {', '.join(ABOUT)}"
            )
        goal = replace(goal, **{name: int(number)})
    if goal.path > 100:
        raise UsageError(f"path={goal.path} is more than all; it is a share in percent, from 1 to 100")
    if not any((goal.total, goal.label, goal.dataset, goal.subject)):
        raise UsageError("a goal needs a number to reach: total=, label=, dataset= or subject=")
    return goal


def goal_of(workspace: Workspace) -> Goal | None:
    """The workspace's goal; None where none was set."""
    known = recall(workspace, _KEY)
    try:
        return parse_goal(known) if isinstance(known, str) and known else None
    except UsageError:
        return None


def set_goal(workspace: Workspace, goal: Goal | None) -> None:
    """Keep a goal for the workspace, or none. Raises SensorloomError."""
    remember(workspace, _KEY, goal.text if goal else None)


Kind = tuple[str, str, str]
"""`label`, `dataset` or `subject`; the dataset it is of; its name."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the accepted threads are on the way to a goal."""

    goal: Goal
    accepted: int
    """Those that count."""
    total: int
    """How many there are to be."""
    uncounted: int
    """Accepted threads that do not count: wrong, or with too few calls."""
    short: Mapping[Kind, int]
    """How many each kind lacks; the most lacking first."""
    paths: Mapping[tuple[str, ...], int]
    """How many of the accepted ones use each tool path."""

    @property
    def text(self) -> str:
        """`accepted 43 of 100 · sitting 3 short`."""
        return self.sentence("accepted")

    def sentence(self, what: str) -> str:
        """The same of threads that are called something else."""
        lacking = [f"{name} {number} short" for (_, _, name), number in self.short.items()]
        more = f", {counted(len(lacking) - 1, 'other')} too" if len(lacking) > 1 else ""
        return f"{what} {self.accepted} of {self.total}" + (f" · {lacking[0]}{more}" if lacking else "")

    @property
    def most_of_path(self) -> int:
        """How many threads may use one path."""
        return max(1, self.total * self.goal.path // 100) if self.goal.path else self.total


class Kinds:
    """The kinds that a goal can ask for of a thread, and all of them that there are."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._subjects = Subjects(workspace)

    def of(self, summary: Summary) -> tuple[Kind, ...]:
        """The label, dataset and subject of a thread. May open its dataset: belongs in a worker."""
        subject = self._subjects.of(summary.dataset, summary.session) if summary.session else ""
        label = ("label", summary.dataset, label) if (label := summary.label) else None
        person = ("subject", summary.dataset, subject) if subject else None
        return tuple(filter(None, (label, ("dataset", "", summary.dataset), person)))

    def wanted(self, goal: Goal, every: Iterable[Summary]) -> dict[Kind, int]:
        """How many of each kind a goal asks for: every label and every person of the datasets that the threads are of,
        of all datasets while there are no threads. Who is held out is nobody to make threads of."""
        about = list({(summary.dataset, summary.session): summary for summary in every if not summary.problem}.values())
        datasets = list(dict.fromkeys(summary.dataset for summary in about)) or dataset_names(self._workspace)
        kinds = dict.fromkeys(kind for summary in about for kind in self.of(summary) if kind[0] != "subject")
        for dataset in datasets:
            labels = label_set.dataset_labels(self._workspace, dataset)
            kinds.update(dict.fromkeys(("label", dataset, label) for label in labels))
        if goal.subject:
            is_held_out = held_out_in(self._workspace)
            people = [summary for summary in about if not is_held_out(summary)]
            people += trainable_sessions(self._workspace, datasets)
            kinds.update(dict.fromkeys(kind for of in people for kind in self.of(of) if kind[0] == "subject"))
        return {kind: number for kind in kinds if (number := getattr(goal, kind[0]))}


def trainable_sessions(workspace: Workspace, datasets: Iterable[str]) -> list[Summary]:
    """The sessions of datasets that may be trained on, as threads about them would stand in the list. Opens the
    datasets; those that cannot be opened have none."""
    is_held_out = held_out_in(workspace)
    about: list[Summary] = []
    for dataset in datasets:
        try:
            labels = open_dataset(workspace, dataset).labels
        except SensorloomError:
            continue
        about += [
            Summary(session, dataset=dataset, session=session, truth=of_session[0])
            for session, of_session in labels.items()
            if of_session
        ]
    return [summary for summary in about if not is_held_out(summary)]


def progress(
    goal: Goal, every: Sequence[Summary], kinds: Kinds, counts: Callable[[Summary], bool] | None = None
) -> Progress:
    """How far a folder's threads are.

    Args:
        goal: what is wanted.
        every: the folder's summaries.
        kinds: names what they are of.
        counts: which of them to count; those with the verdict `accept` when None.
    """
    judged = [summary for summary in every if (counts(summary) if counts else summary.verdict == "accept")]
    good = [summary for summary in judged if goal.counts(summary)]
    wanted = kinds.wanted(goal, every)
    there = Counter(kind for summary in good for kind in kinds.of(summary))
    short = {kind: number - there[kind] for kind, number in wanted.items() if number > there[kind]}
    of_labels = sum(number for kind, number in wanted.items() if kind[0] == "label")
    largest = max((sum(n for k, n in wanted.items() if k[0] == name) for name in ("dataset", "subject")), default=0)
    return Progress(
        goal,
        len(good),
        goal.total or of_labels or largest,
        len(judged) - len(good),
        dict(sorted(short.items(), key=lambda item: (-item[1], item[0]))),
        Counter(summary.tools_used for summary in good),
    )


def as_document(far: Progress) -> dict[str, Any]:
    """As JSON has it."""
    short = [{"kind": kind, "dataset": of, "name": name, "short": n} for (kind, of, name), n in far.short.items()]
    return {
        "goal": far.goal.text, "accepted": far.accepted, "total": far.total, "uncounted": far.uncounted, "short": short
    }  # fmt: skip
