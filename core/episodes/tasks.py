"""What is asked of which session: the tasks of one side of a dataset."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from core.analyst.conversation import read_request
from core.analyst.questions import propose_question
from core.curate.prompts import pinned
from core.datasets.standard import StandardDataset, open_dataset
from core.episodes.sides import SIDES, Side, side_of
from core.errors import UsageError
from core.runs.asking import asked_of, in_any_order, kinds_named
from core.runs.mode import wanted_form
from core.storage.splits_file import read_book
from core.storage.store import Stored, read_all
from core.thread.evidence import DEFAULT, Evidence, evidence_in, settled
from core.thread.form import FULL, KEY, TaskForm, form_in, form_of, row_of, without_examples
from core.thread.kinds import Asked, Kind
from core.thread.opening import described, first_message
from core.thread.scoring import ACTIVITY, activity_in, kind_in
from core.thread.value import Thread
from core.workspace import Workspace

Questions = Literal["proposed", "stored"]
"""Where questions come from: made for each session from its seed, or those that the workspace's threads ask."""


@dataclass(frozen=True, slots=True)
class Task:
    """A question about one session. What is right is in no text that is made of it."""

    workspace: Workspace = field(repr=False)
    dataset: str
    session: str
    """The session's id in the dataset."""
    question: str
    split: str = "train"
    """The side it was drawn from; empty for a session that a split has not placed."""
    kind: str = ACTIVITY
    """What is asked for (`docs/questions.md`)."""
    seed: int = 0
    evidence: Evidence = DEFAULT
    """What the answer may rest on, which decides the tools (`docs/evidence.md`)."""
    form: TaskForm = FULL
    """How it is shown, which decides the tools and the opening (`docs/task-forms.md`); without examples."""
    truth: str = field(default="", repr=False)
    """The right answer; looked up where it is the session's label."""

    @property
    def id(self) -> str:
        """`dataset/session`, for a log; no model is to see it."""
        return f"{self.dataset}/{self.session}"

    def row(self) -> dict[str, Any]:
        """The task as a row of a framework's data set: all but the right answer, which `task_of` finds again."""
        return {
            "dataset": self.dataset, "session": self.session, "question": self.question, "split": self.split,
            "kind": self.kind, "seed": self.seed, "evidence": self.evidence, KEY: row_of(self.form),
        }  # fmt: skip


def tasks(
    workspace: Workspace,
    dataset: str,
    split: Side = "train",
    *,
    kinds: str = ACTIVITY,
    questions: Questions = "proposed",
    seed: int = 0,
    count: int | None = None,
    evidence: Evidence | None = None,
    form: str = "",
) -> list[Task]:
    """The tasks of one side of a dataset, labels in turn.

    Args:
        workspace: where the dataset is, and `splits.json` that says who is on which side.
        dataset: the dataset's name.
        split: `train` never holds a session that is held out, nor one that a split has put elsewhere or not placed yet.
        kinds: what is asked for, with commas between them, or `mix` (`docs/questions.md`).
        questions: `proposed` makes one for each session; `stored` takes those of the workspace's threads, but for those
            that give their answer away.
        seed: decides the order and the words; the same one gives the same tasks.
        count: how many at most.
        evidence: what answers may rest on; of stored questions as their threads have it, else as the workspace's
            settings, unless told.
        form: the name of the form that they are shown in; likewise.

    Raises:
        UsageError: the side is empty, or nothing of the kind can be asked there; there is no such form.
        DatasetError: the dataset cannot be read. WorkspaceError: `splits.json` is damaged.
    """
    opened, wanted = open_dataset(workspace, dataset), kinds_named(kinds)
    there = sessions_on(workspace, opened, split)
    make = _stored if questions == "stored" else _proposed
    usual = played_form(workspace, form)
    some: list[Task] = []
    for task in make(workspace, opened, there, split, wanted, seed):
        if count is not None and len(some) >= count:
            break
        own = usual if form or questions == "proposed" else task.form
        some.append(replace(task, evidence=evidence or task.evidence, form=own))
    if not some:
        raise UsageError(
            f"no session of {dataset} on the side `{split}` can be asked `{kinds}` ({questions} questions)"
        )
    return some


def played_form(workspace: Workspace, name: str = "") -> TaskForm:
    """A form by its name, the workspace's own unless named, as tasks are shown in it: without examples, and with the
    system prompt as it is now. Raises UsageError, WorkspaceError."""
    form = without_examples(wanted_form(workspace, name))
    return msgspec.structs.replace(form, system=pinned(workspace, form.system))


def sessions_on(workspace: Workspace, dataset: StandardDataset, split: str) -> list[str]:
    """The labelled sessions on a side. Raises UsageError where there are none, or no such side; WorkspaceError."""
    if split not in SIDES:
        raise UsageError(f"there is no side {split!r}; there are: {', '.join(SIDES)}")
    book = read_book(workspace.root)
    there = [session for session in dataset.sessions if side_of(book, dataset, session) == split]
    if not there:
        raise UsageError(
            f"{dataset.name} has no session on the side `{split}`; `sensorloom export --split 80/10/10` puts people on "
            "sides, and `--hold-out` names what is only tested on"
        )
    return there


def task_of(workspace: Workspace, row: Mapping[str, Any], split: str | None = None) -> Task:
    """The task of a row that `Task.row` or `sensorloom export --profile rl` wrote.

    Args:
        workspace: where its dataset is.
        row: at least `dataset` and `session`; what else a task has is made anew where it is not there.
        split: the side that the session is to be on; what the row says, or `train`, unless told.

    Raises:
        UsageError: the row names no session, one that is no longer on its side (a session that was held out since is
            not trained on), or one that cannot be asked for this.
        DatasetError: the dataset cannot be read.
    """
    name, session = str(row.get("dataset") or ""), str(row.get("session") or "")
    opened = open_dataset(workspace, name)
    if not opened.labels.get(session):
        raise UsageError(f"{name} has no labelled session {session!r}; a row has `dataset`, `session` and `question`")
    wanted = str(row.get("split") or "train") if split is None else split
    require_side(workspace, opened, session, wanted)
    kind, seed = str(row.get("kind") or ACTIVITY), int(row.get("seed") or 0)
    question, truth = str(row.get("question") or ""), str(row.get("answer") or "")
    if not (question and truth):
        asked = asked_of(workspace, opened, session, kinds_named(kind)[0], seed)
        if asked is None:
            raise UsageError(
                f"{name}/{session} cannot be asked `{kind}`; `sensorloom questions {name}` counts what can"
            )
        question, truth = question or asked.question or _words(opened, session, seed), truth or asked.truth
    form = without_examples(form_in(row))
    return Task(workspace, name, session, question, wanted, kind, seed, evidence_in(row), form, truth)


def require_side(workspace: Workspace, dataset: StandardDataset, session: str, wanted: str) -> None:
    """Nothing where a session is on this side now. Raises UsageError where it is not: what has been held out since is
    not trained on; WorkspaceError."""
    if (side := side_of(read_book(workspace.root), dataset, session)) != wanted:
        where = f"on the side `{side}`" if side else "on no side of the split yet"
        raise UsageError(f"{dataset.name}/{session} is {where}, not on `{wanted}`; make the tasks anew")


def _words(dataset: StandardDataset, session: str, seed: int) -> str:
    """A question for the activity, made of the manifest alone."""
    opening = {"role": "user", "content": described(dataset.manifest)}
    return propose_question(read_request({"messages": [opening]}), random.Random(f"{seed}\0{session}"))


def _proposed(
    workspace: Workspace,
    dataset: StandardDataset,
    there: Collection[str],
    split: Side,
    kinds: tuple[Kind, ...],
    seed: int,
) -> Iterator[Task]:
    for number, session in enumerate(in_any_order(dataset, seed, there)):
        turned = [*kinds[number % len(kinds) :], *kinds[: number % len(kinds)]]
        asked = next(filter(None, (asked_of(workspace, dataset, session, kind, seed) for kind in turned)), None)
        if asked is not None:
            yield _task(workspace, dataset, split, seed, asked)


def _task(workspace: Workspace, dataset: StandardDataset, split: Side, seed: int, asked: Asked) -> Task:
    question = asked.question or _words(dataset, asked.session, seed)
    evidence = settled(workspace.settings.run.evidence or DEFAULT, asked.session, seed)
    return Task(workspace, dataset.name, asked.session, question, split, asked.kind, seed, evidence, truth=asked.truth)


def _stored(
    workspace: Workspace,
    dataset: StandardDataset,
    there: Collection[str],
    split: Side,
    kinds: tuple[Kind, ...],
    seed: int,
) -> Iterator[Task]:
    """The questions of threads about these sessions, each once, in an order that the seed draws."""
    wanted, known = {kind.name for kind in kinds}, set(there)
    asked: dict[tuple[str, str], Thread] = {}
    for stored in read_all(workspace.threads):
        if isinstance(stored, Stored) and stored.thread.dataset == dataset.name and stored.thread.session in known:
            thread = stored.thread
            if thread.question and thread.truth and kind_in(thread.metadata) in wanted:
                asked.setdefault((thread.session, thread.question), thread)
    threads = list(asked.values())
    random.Random(seed).shuffle(threads)
    for thread in threads:
        if _gives_away(dataset, thread):
            continue
        kind, evidence, form = kind_in(thread.metadata), evidence_in(thread.metadata), without_examples(form_of(thread))
        session, question = thread.session, thread.question
        yield Task(workspace, dataset.name, session, question, split, kind, seed, evidence, form, thread.truth)


def _gives_away(dataset: StandardDataset, thread: Thread) -> bool:
    """Whether the question alone tells its answer, as `sensorloom check` finds it."""
    from core.lint import Context
    from core.lint.leak import LEAK

    metadata = {**thread.metadata, "activity": activity_in(thread.metadata)}
    asked = Thread({"id": "", "metadata": metadata, "messages": [first_message(dataset.manifest, thread.question)]})
    return any(True for _ in LEAK.find(asked, Context(labels=tuple(dataset.activities))))
