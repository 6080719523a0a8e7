"""An evaluation on disk: what is asked of whom, which threads answer it, and what is still missing.

`evaluations/NAME/evaluation.json` says the sessions, the question and the contestants; `evaluations/NAME/KEY/` holds
one contestant's threads, files like any other: `sensorloom --threads evaluations/NAME/KEY` opens them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from core.errors import DatasetError, ThreadError, UsageError, WorkspaceError, system_reason
from core.evaluation import MAX_TRIES
from core.evaluation.scores import Outcome
from core.runs.batch import Job
from core.storage.atomic import write_atomic
from core.storage.store import Stored, read_all
from core.text import counted
from core.thread.evidence import DEFAULT, Evidence
from core.thread.form import FULL, TaskForm
from core.thread.labels import same_label
from core.thread.proposal import origin_of
from core.thread.summary import summary_of
from core.thread.turns import is_error, seconds_of
from core.thread.value import Thread, is_assistant, text_of
from core.workspace import EVALUATIONS, Workspace

SETUP = "evaluation.json"
NAME = re.compile(r"\w[\w.\- ]{0,80}")
"""What an evaluation or a contestant may be called: a folder of that name is made."""
QUESTION = "What is this person doing?"
"""What is asked unless told: the same of every contestant."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who answers: a model at an endpoint, with its tools or, as a control, without."""

    key: str
    """Its folder's name."""
    endpoint: str
    """As a person named it, or as the settings had it when the evaluation was begun."""
    model: str
    tools: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """The sessions of one dataset."""

    dataset: str
    sessions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is asked of whom."""

    name: str
    dataset: str
    """The first dataset, or the only one."""
    sessions: tuple[str, ...]
    """Its sessions."""
    question: str
    seed: int
    tries: int
    contestants: tuple[Contestant, ...]
    evidence: Evidence = DEFAULT
    """What answers may rest on, the same for all: of their own, models differ in it."""
    max_turns: int | None = None
    subjects: str = ""
    """Which people the sessions are of, in words."""
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    """How all are asked: values of `ServingSettings`, over those of the settings. Headers are told anew each time."""

    form: TaskForm = FULL
    """What the models are shown of the task, the same for all."""

    also: tuple[Part, ...] = ()
    """The other datasets, each with its sessions."""
    filter: str = ""
    """What the sessions were drawn by, as `core.datasets.session_filter` has it."""

    @property
    def datasets(self) -> tuple[str, ...]:
        """The names of all."""
        return (self.dataset, *(part.dataset for part in self.also))

    @property
    def asked(self) -> tuple[tuple[str, str], ...]:
        """Every session, after its dataset, in the order by which seeds are counted."""
        parts = (Part(self.dataset, self.sessions), *self.also)
        return tuple((part.dataset, session) for part in parts for session in part.sessions)

    @property
    def about(self) -> str:
        """Whose sessions, how many and which, in words."""
        told = f"{counted(len(self.asked), 'session')} of {' and '.join(self.datasets)}"
        told += f" of {self.subjects}" if self.subjects else ""
        return f"{told}, those like `{self.filter}`" if self.filter else told

    def apart(self, workspace: Workspace, contestant: Contestant) -> Workspace:
        """The workspace with this contestant's threads in the place of the training threads."""
        return workspace.apart(folder_of(workspace, self.name) / contestant.key)


def folder_of(workspace: Workspace, name: str) -> Path:
    """Where an evaluation is kept. Raises UsageError for a name that is none."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be an evaluation's name: letters, digits, `-`, `_` and `.` make one")
    return workspace.root / EVALUATIONS / name


def evaluations(workspace: Workspace) -> list[str]:
    """The names of the workspace's evaluations, the latest first."""
    setups = (workspace.root / EVALUATIONS).glob(f"*/{SETUP}")
    return [path.parent.name for path in sorted(setups, key=lambda path: path.stat().st_mtime, reverse=True)]


def begin(workspace: Workspace, evaluation: Evaluation) -> None:
    """Write down what is asked of whom. Raises UsageError where one of that name exists; WorkspaceError."""
    folder = folder_of(workspace, evaluation.name)
    if (folder / SETUP).exists():
        raise UsageError(f"there is an evaluation {evaluation.name}; --resume goes on with it, another name begins one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / SETUP, msgspec.json.format(msgspec.json.encode(evaluation), indent=2) + b"\n")
    except OSError as error:
        raise WorkspaceError(f"cannot write {workspace.shown(folder / SETUP)}: {system_reason(error)}") from error


def open_evaluation(workspace: Workspace, name: str) -> Evaluation:
    """An evaluation that was begun. Raises UsageError: there is none of that name; WorkspaceError: it is damaged."""
    path = folder_of(workspace, name) / SETUP
    try:
        evaluation = msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except FileNotFoundError:
        known = ", ".join(evaluations(workspace)) or "none"
        raise UsageError(f"there is no evaluation {name!r}; there are: {known}") from None
    except (OSError, msgspec.DecodeError) as error:
        raise WorkspaceError(f"{workspace.shown(path)}: {error}") from error
    if wrong := _wrong(evaluation):
        raise WorkspaceError(f"{workspace.shown(path)}: {wrong}; write it as it was, or begin another evaluation")
    return replace(evaluation, name=name)  # of a folder that somebody renamed


def _wrong(evaluation: Evaluation) -> str:
    """What no evaluation that was begun says; empty for one. The file may be anybody's: a key names a folder."""
    keys = [contestant.key for contestant in evaluation.contestants]
    if odd := next((key for key in keys if not NAME.fullmatch(key)), None):
        return f"`key` {odd!r} cannot be a folder's name"
    if not keys or len({*keys}) < len(keys):
        return "`contestants` are not one or more, each with a `key` of its own"
    parts = (evaluation.sessions, *(part.sessions for part in evaluation.also))
    if not all(parts) or len({*evaluation.asked}) < len(evaluation.asked):
        return "`sessions` are not one or more of each dataset, each of them once"
    if not 1 <= evaluation.tries <= MAX_TRIES:
        return f"`tries` are from 1 to {MAX_TRIES}"
    return "`max_turns` is 1 or more" if evaluation.max_turns is not None and evaluation.max_turns < 1 else ""


def threads_of(
    workspace: Workspace, evaluation: Evaluation, contestant: Contestant
) -> dict[tuple[str, str], list[Stored | None]]:
    """A contestant's threads by dataset and session, one for each try; None for a try that was not begun.

    Which try a thread is, its seed says, as tries at once are begun in any order; where there is none, the order does.
    """
    folder = evaluation.apart(workspace, contestant).threads
    stored = [read for read in read_all(folder) if not isinstance(read, ThreadError)] if folder.is_dir() else []
    numbers = {asked: number for number, asked in enumerate(evaluation.asked)}
    tries: dict[tuple[str, str], list[Stored | None]] = {asked: [None] * evaluation.tries for asked in numbers}
    unknown: list[Stored] = []
    for thread in sorted(stored, key=lambda read: (str(read.thread.metadata.get("created_at")), read.stem)):
        asked = thread.thread.dataset, thread.thread.session
        if asked in tries:
            seed = _seed_of(thread.thread)
            attempt = -1 if seed is None else seed - first_seed(evaluation, numbers[asked])
            if 0 <= attempt < evaluation.tries and tries[asked][attempt] is None:
                tries[asked][attempt] = thread
            else:
                unknown.append(thread)
    for thread in unknown:
        places = tries[thread.thread.dataset, thread.thread.session]
        if None in places:
            places[places.index(None)] = thread
    return tries


def _seed_of(thread: Thread) -> int | None:
    """The seed that a thread was begun with: that of its first turn, without what was added each time it was asked
    for again; None where no server says."""
    first = next((at for at, message in enumerate(thread.messages) if is_assistant(message)), None)
    if first is None:
        return None
    seed = origin_of(thread, thread.messages[first]).get("seed")
    again = sum(alternative.get("position") == first for alternative in thread.alternatives)
    return seed - again if isinstance(seed, int) else None


def first_seed(evaluation: Evaluation, number: int) -> int:
    """The seed of the first try at a session, by its number among the evaluation's; that of the next is one more."""
    return evaluation.seed + number * evaluation.tries


def missing(workspace: Workspace, evaluation: Evaluation, contestant: Contestant) -> list[Job]:
    """What is still to be run: tries that were not begun, and those that a stop or a kill left unfinished."""
    jobs: list[Job] = []
    for number, ((dataset, session), threads) in enumerate(threads_of(workspace, evaluation, contestant).items()):
        first = first_seed(evaluation, number)
        jobs += [
            Job(stem=thread.stem, seed=first + attempt)
            for attempt, thread in enumerate(threads)
            if thread is not None and thread.thread.status == "active"
        ]
        for attempt in (attempt for attempt, thread in enumerate(threads) if thread is None):
            jobs.append(
                Job(
                    dataset,
                    session,
                    evaluation.question,
                    first + attempt,
                    max_turns=evaluation.max_turns,
                    evidence=evaluation.evidence,
                    form=evaluation.form,
                )
            )
    return jobs


def outcomes_of(workspace: Workspace, evaluation: Evaluation, contestant: Contestant) -> list[Outcome]:
    """What became of every try; one that was not begun, or is not finished, is there and wrong.

    Raises:
        DatasetError: a dataset is not there, or a session is no longer in it.
    """
    from core.datasets.standard import open_dataset

    datasets = {name: open_dataset(workspace, name) for name in evaluation.datasets}
    outcomes: list[Outcome] = []
    for (name, session), threads in threads_of(workspace, evaluation, contestant).items():
        dataset = datasets[name]
        if session not in dataset.labels:
            raise DatasetError(
                f"{dataset.name} has no labelled session {session} any more, which {evaluation.name} asks about; "
                "import the dataset as it was"
            )
        truth = dataset.labels[session][0]
        labels = (truth, *dataset.activities)
        outcomes += [
            replace(_outcome(session, attempt, labels, thread), dataset=name) for attempt, thread in enumerate(threads)
        ]
    return outcomes


def _outcome(session: str, attempt: int, labels: Sequence[str], stored: Stored | None) -> Outcome:
    """What became of one try; the first of the labels is the true one."""
    truth = labels[0]
    if stored is None:
        return Outcome(session, attempt, truth, "", right=False, finished=False)
    summary = summary_of(stored.thread, stored.stem)
    finished = summary.status == "finished"
    answer = summary.answer if finished else ""
    return Outcome(
        session,
        attempt,
        truth,
        next((label for label in labels if same_label(label, answer)), answer),
        right=finished and summary.correct is True,
        finished=finished,
        confidence=summary.confidence,
        calls=summary.calls,
        tokens=summary.tokens,
        stem=stored.stem,
        cost=summary.cost,
        tokens_read=summary.tokens_read,
        seconds=seconds_of(stored.thread.messages),
        failures=sum(m.get("role") == "tool" and is_error(text_of(m)) for m in stored.thread.messages),
    )
