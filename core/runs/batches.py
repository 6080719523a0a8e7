"""A batch of new threads as a file, `.sensorloom/batches/NAME.jsonl`, so that a kill loses none of it and doubles none.

Its first line says what is to be made and with which model; the others, as it goes on, which job became which thread,
and which are over. A thread's id is written down before its file is: what is noted and not there was not begun.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import msgspec

from core.errors import SensorloomError, UsageError, WorkspaceError, system_reason
from core.files import read_regular_file
from core.model.endpoints import ModelChoice, refuse_secrets
from core.model.headers import may_be_written
from core.model.options import OPTIONS
from core.runs.batch_lines import JobLine, Note, Setup, notes_in
from core.runs.job import Job, Ran
from core.storage.atomic import write_atomic
from core.storage.locks import locked
from core.storage.store import read
from core.storage.thread_files import exists
from core.thread.hint import UNCHECKED, hint_for, hint_of
from core.thread.value import timestamp
from core.workspace import Workspace, private_folder

FOLDER = "batches"
REMOVED = "removed"
"""The folder in it of those that were put aside."""
NAME = re.compile(r"\w[\w.\-]{0,80}")


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that was begun, and how far it is."""

    name: str
    path: Path
    setup: Setup
    stems: Mapping[int, str] = field(default_factory=dict[int, str])
    """Which thread each job became, as far as it was begun."""
    over: frozenset[int] = frozenset()
    """The jobs that are over: finished, or at their limit of turns."""
    failed: Mapping[int, str] = field(default_factory=dict[int, str])
    """Why those broke off that did and are not over."""
    sorted_out: bool = False
    """Whether its ways were sorted out."""
    _writing: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @property
    def whole(self) -> bool:
        """Whether nothing is left to do."""
        return self.sorted_out if self.setup.ways else len(self.over) == len(self.setup.jobs)

    def note(
        self, job: int, stem: str = "", *, over: bool = False, problem: str = "", sorted_out: bool = False
    ) -> None:
        """Write down what became of a job, or that the ways are sorted out. Raises WorkspaceError."""
        # on a line of its own also where a kill, or a full disk, left the last one torn
        line = b"\n" + msgspec.json.encode(Note(job, stem, over, problem, sorted_out)) + b"\n"
        try:
            with self._writing:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
                try:
                    if os.write(descriptor, line) < len(line):
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                finally:
                    os.close(descriptor)
        except FileNotFoundError:  # it was removed while it ran
            return
        except OSError as error:
            raise WorkspaceError(f"cannot write {self.path}: {system_reason(error)}") from error

    def note_ended(self, ran: Ran) -> None:
        """Write down that a job is over, or why it broke off, unless it was stopped."""
        if ran.error:
            stem = ran.stored.stem if ran.stored else ""
            self.note(ran.job.number, stem, over=ran.thrown_away, problem=ran.error)
        elif ran.stored is not None and not ran.cancelled:
            self.note(ran.job.number, ran.stored.stem, over=True)

    def ended(self, workspace: Workspace) -> list[list[str]]:
        """The threads that are over and still there, those of each session and kind of question together."""
        sessions: dict[tuple[str, str, str], list[str]] = {}
        for number, line in enumerate(self.setup.jobs):
            stem = self.stems.get(number, "")
            if number in self.over and exists(workspace.threads, stem):
                asked = line.dataset, line.session, line.asked.kind if line.asked else ""
                sessions.setdefault(asked, []).append(stem)
        return list(sessions.values())

    def left(self, workspace: Workspace) -> list[Job]:
        """What is still to be run, each job noting what becomes of it: threads that were begun and not finished, and
        those that were not begun."""
        jobs: list[Job] = []
        for number, line in enumerate(self.setup.jobs):
            if number in self.over:
                continue
            job = Job(
                line.dataset,
                line.session,
                line.question,
                line.seed,
                "",
                line.max_turns,
                line.evidence,
                line.asked,
                hint_for if line.hint else None,
                number,
                partial(self.note, number),
                line.form,
            )
            stem = self.stems.get(number, "")
            if stem and exists(workspace.threads, stem):
                thread = read(workspace.threads, stem).thread
                if thread.status != "active" and hint_of(thread) != UNCHECKED:
                    self.note(number, stem, over=True)
                    continue
                job = replace(job, stem=stem)
            jobs.append(job)
        return jobs


def begin_batch(workspace: Workspace, jobs: Sequence[Job], setup: Setup) -> Batch:
    """Write a batch down. The jobs stand in `setup` as they are given here. Raises SensorloomError."""
    lines = tuple(
        JobLine(
            job.dataset, job.session, job.question, job.seed, job.max_turns, job.evidence, job.asked,
            job.hint is not None, job.form,
        )
        for job in jobs
    )  # fmt: skip
    setup = msgspec.structs.replace(setup, jobs=lines, threads=workspace.shown(workspace.threads))
    folder = private_folder(workspace, FOLDER)
    stamp = re.sub(r"\D", "", setup.begun_at[:19])
    base = f"{stamp[:8]}-{stamp[8:14]}"
    with locked(folder):
        known = set(batches(workspace))
        names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(known) + 2))
        name = next(free for free in names if free not in known)
        path = folder / f"{name}.jsonl"
        write_atomic(path, msgspec.json.encode(setup) + b"\n")
    return Batch(name, path, setup)


def setup_now(
    choice: ModelChoice, endpoint: str = "", *, parallel: int | None = None, keep_empty: bool = False
) -> Setup:
    """The first line of a batch that is begun now; its jobs come with `begin_batch`. No headers or secrets are in it.
    Raises UsageError where the endpoint's address holds one.

    Args:
        choice: who makes the threads, and how that is asked.
        endpoint: as a person named it, where that is another word for it.
        parallel: how many threads at once.
        keep_empty: whether those stay to which nothing came.
    """
    options = {name: value for name in OPTIONS if (value := getattr(choice.settings, name)) is not None}
    options.pop("seed", None)
    options, seed = may_be_written(options), choice.settings.seed
    named = refuse_secrets(endpoint) or choice.endpoint.name
    return Setup(timestamp(), named, choice.model, (), seed, options, parallel, keep_empty)


def batches(workspace: Workspace) -> list[str]:
    """The names of the workspace's batches, the latest first."""
    folder = workspace.private / FOLDER
    return sorted((path.stem for path in folder.glob("*.jsonl") if NAME.fullmatch(path.stem)), reverse=True)


def batch_path(workspace: Workspace, name: str) -> Path:
    """Where a batch is written down."""
    return workspace.private / FOLDER / f"{name}.jsonl"


def open_batch(workspace: Workspace, name: str = "") -> Batch:
    """A batch that was begun; the latest unless named. A line that a kill cut off is passed over.

    Raises:
        UsageError: there is none of that name.
        WorkspaceError: its first line is damaged.
    """
    known = batches(workspace)
    if not known:
        raise UsageError("no batch was begun here; `sensorloom run --dataset NAME --count N` begins one")
    name = name or known[0]
    if name not in known:
        raise UsageError(f"there is no batch {name!r}; there are: {', '.join(known[:10])}")
    path = batch_path(workspace, name)
    try:
        first, *rest = read_regular_file(path).split(b"\n")
        setup = msgspec.json.decode(first, type=Setup)
    except OSError as error:
        raise WorkspaceError(f"cannot read {workspace.shown(path)}: {system_reason(error)}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise WorkspaceError(
            f"{workspace.shown(path)}, line 1: {error}; remove it with `sensorloom batches remove {name}`"
        ) from error
    stems: dict[int, str] = {}
    over: set[int] = set()
    failed: dict[int, str] = {}
    sorted_out = False
    for note in notes_in(rest):
        if note.stem:
            stems[note.job] = note.stem
        if note.over:
            over.add(note.job)
        if note.sorted_out:  # of no job
            sorted_out = True
            continue
        failed.pop(note.job, None)
        if note.error and not note.over:
            failed[note.job] = note.error
    return Batch(name, path, setup, stems, frozenset(over), failed, sorted_out)


def remove_batch(workspace: Workspace, name: str) -> None:
    """Put a batch aside, from where `restore_batch` brings it back; its threads stay.

    Raises:
        UsageError: there is none of that name.
        SensorloomError: it cannot be moved.
    """
    _move(batches(workspace), name, private_folder(workspace, FOLDER), private_folder(workspace, FOLDER, REMOVED))


def restore_batch(workspace: Workspace, name: str = "") -> str:
    """Bring back a batch that was removed, the one removed last unless named; returns its name. Raises as
    `remove_batch`."""
    folder = private_folder(workspace, FOLDER, REMOVED)
    removed = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_ctime_ns, reverse=True)
    known = [path.stem for path in removed]
    if not (name or known):
        raise UsageError("no batch was removed here")
    _move(known, name or known[0], folder, private_folder(workspace, FOLDER))
    return name or known[0]


def _move(known: Sequence[str], name: str, source: Path, target: Path) -> None:
    if name not in known:
        raise UsageError(f"there is no batch {name!r} there; there are: {', '.join(known[:10]) or 'none'}")
    try:
        (source / f"{name}.jsonl").rename(target / f"{name}.jsonl")
    except OSError as error:
        raise SensorloomError(f"cannot move the batch {name} to {target}: {system_reason(error)}") from error
