"""Which accepted threads are shown before a new one as examples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.curate.prompts import examples_folder, keep
from core.errors import SensorloomError, ThreadError, UsageError
from core.storage.store import read
from core.storage.thread_files import listing
from core.thread.evidence import Evidence, evidence_of
from core.thread.form import TaskForm, checksum, form_of
from core.thread.review import verdict_of
from core.thread.value import Thread, call_name, calls_of
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset


@dataclass(frozen=True, slots=True)
class _Example:
    """What of a thread decides before which others it may be shown."""

    stem: str
    dataset: str
    session: str
    truth: str
    form: TaskForm
    evidence: Evidence
    called: frozenset[str]
    quoted: frozenset[str]
    """What stands in quotes in its opening, channels among it; one value for all threads that say the same."""
    unfit: str
    """Why it may be shown before none; empty where it may."""


def examples_for(
    workspace: Workspace, dataset: StandardDataset, session: str, form: TaskForm, evidence: Evidence
) -> list[str]:
    """The threads that are shown before a new one, each with its checksum: those that are named, or as many as are
    wanted of the accepted ones, most like it in their channels first, each label once before any a second time.

    None is of the session's own person, or of anybody who is kept out of training.

    Raises:
        UsageError: a thread that is named may not be shown, or is not there.
    """
    if not form.few_shot:
        return []
    folder = examples_folder(workspace)
    if isinstance(form.few_shot, tuple):
        shown = list(form.few_shot)
        for stem in shown:
            example = _example(stem, read(folder, stem).thread)
            if reason := _barred(workspace, dataset, session, form, evidence, example):
                raise UsageError(f"{stem} cannot be shown as an example: {reason}")
    else:
        there = [example for row in sorted(listing(folder)) if (example := _fit(folder, *row))]
        fit = [example for example in there if not _barred(workspace, dataset, session, form, evidence, example)]
        shown = [example.stem for example in _spread(fit, dataset, session, form.few_shot)]
    return [f"{stem}@{keep(workspace, list(read(folder, stem).thread.messages))}" for stem in shown]


def _fit(folder: Path, stem: str, size: int, mtime_ns: int) -> _Example | None:
    """A thread that may be shown before some; None for any other, and for one that cannot be read now."""
    try:
        return _fit_as_it_stands(folder, stem, size, mtime_ns)
    except ThreadError:
        return None


@lru_cache(maxsize=1 << 17)  # a run of thousands of threads asks for each of them again
def _fit_as_it_stands(folder: Path, stem: str, size: int, mtime_ns: int) -> _Example | None:
    """As `_fit`, for as long as its file has this size and time.

    Raises:
        ThreadError: the file cannot be got at, which the next time it may.
    """
    try:
        example = _example(stem, read(folder, stem).thread)
    except ThreadError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return None  # what it says is no thread
    return None if example.unfit else example


def _example(stem: str, thread: Thread) -> _Example:
    unfit = ""
    if verdict_of(thread) != "accept" or thread.status != "finished":
        unfit = "nobody accepted it, or it is not finished"
    elif thread.metadata.get("is_correct") is False:
        unfit = "its answer is wrong"
    called = frozenset(call_name(call) for message in thread.messages for call in calls_of(message))
    opening = str(thread.messages[0].get("content")) if thread.messages else ""
    about = thread.dataset, thread.session, thread.truth
    return _Example(stem, *about, form_of(thread), evidence_of(thread), called, _quoted(opening), unfit)


def _quoted(text: str) -> frozenset[str]:
    """The short texts between two quotes that follow each other, and may be the name of a channel."""
    return _once(frozenset(part for part in text.split('"')[1:-1] if re.fullmatch(r"[^\n:{}\[\],]{1,64}", part)))


@lru_cache(maxsize=1 << 10)
def _once(quoted: frozenset[str]) -> frozenset[str]:
    """The same value for equal ones: the threads about a dataset have one and the same."""
    return quoted


def _spread(fit: Sequence[_Example], dataset: StandardDataset, session: str, count: int) -> list[_Example]:
    """`count` of the threads: the most alike in channels first, and of these each label once before any again. What
    decides between equals hangs on the ids alone, never on the session's label."""
    names = {channel.name for channel in dataset.channels}

    def rank(example: _Example) -> tuple[float, str]:
        alike = 1.0 if example.dataset == dataset.name else len(names & example.quoted) / 1e3
        return -alike, checksum([session, example.stem])

    left, chosen = sorted(fit, key=rank), list[_Example]()
    while left and len(chosen) < count:
        labels = {example.truth for example in chosen}
        best = next((example for example in left if example.truth not in labels), left[0])
        chosen.append(best)
        left.remove(best)
    return chosen


def _barred(
    workspace: Workspace, dataset: StandardDataset, session: str, form: TaskForm, evidence: Evidence, example: _Example
) -> str:
    """Why a thread may not be shown before one about this session; empty where it may."""
    from core.datasets.barred import barred_names, barred_sessions
    from core.datasets.standard import open_dataset

    own = example.form
    if example.unfit:
        return example.unfit
    if (own.schemas, own.results, own.manifest) != (form.schemas, form.results, form.manifest):
        return f"it is of another form, {own.name}"
    if example.evidence != evidence:
        return f"its evidence is `{example.evidence}`"
    if form.tools and not example.called <= {*form.tools}:
        return "it calls tools that are not offered"
    try:
        theirs = open_dataset(workspace, example.dataset)
    except SensorloomError:
        return f"its dataset {example.dataset} cannot be read, so nobody knows whose it is"
    if example.session in barred_sessions(theirs, barred_names(workspace, theirs)):
        return "its session is kept out of training"
    if example.dataset == dataset.name and _same_person(dataset, session, example.session):
        return "it is about the same person"
    return ""


def _same_person(dataset: StandardDataset, session: str, other: str) -> bool:
    """Whether two sessions may be of one person; of unknown people those whose ids differ in the last number only."""
    mine, theirs = dataset.subjects.get(session), dataset.subjects.get(other)
    if mine and theirs:
        return mine == theirs
    return re.sub(r"\d+$", "", session) == re.sub(r"\d+$", "", other)
