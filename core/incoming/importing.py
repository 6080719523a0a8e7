"""Threads out of rows: as one step that undo takes back, each conversation once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.curate.bulk import for_each
from core.curate.steps import recorder
from core.errors import SensorloomError, ThreadError
from core.incoming.conversation import Conversation, RowError
from core.incoming.files import rows_in
from core.incoming.forms import conversation
from core.incoming.pairs import as_conversations
from core.incoming.present import Present
from core.incoming.threads import Threads
from core.storage import history, store
from core.storage.atomic import Content
from core.thread.json_form import decode, encode
from core.thread.value import Thread
from core.workspace import Workspace

BLOCK = 128
"""Threads that are written before another program of ours gets its turn."""
Progress = Callable[[int, int], None]
State = Literal["new", "there", "refused"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row."""

    file: str
    line: int
    state: State
    form: str = ""
    id: str = ""
    """The thread that it is now, or was before."""
    matched: str = ""
    """What told its dataset and session; empty where nothing did, so that it is under `imported`."""
    problem: str = ""

    @property
    def sentence(self) -> str:
        """Where and why it was refused."""
        return f"{self.file}, line {self.line}: {self.problem}"


@dataclass(frozen=True, slots=True)
class _Planned:
    file: str
    line: int
    form: str
    thread: Thread
    matched: str


def import_threads(
    workspace: Workspace, paths: Sequence[Path], *, dry_run: bool = False, progress: Progress | None = None
) -> list[Outcome]:
    """Make threads of the rows of these files, in order. One undo of any of them takes all back.

    A row that says what a thread here says, about the same session, is that thread. Nothing that is there changes.

    Args:
        workspace: whose threads folder.
        paths: the files.
        dry_run: only say what would become of each row; ids are those that threads would have now.
        progress: told how many threads are written, and of how many that were read so far.

    Raises:
        UsageError: a file is missing or of no known kind. What files before it hold is imported.
    """
    threads = Threads(workspace)
    present = Present(workspace)
    group = "" if dry_run else history.new_group()
    outcomes: list[Outcome] = []
    written: list[str] = []
    for block in _blocks(_read(paths, outcomes)):
        planned = list(_plan(block, threads, present, outcomes))
        if not dry_run and planned:
            written += [plan.thread.id for plan in planned]
            history.keep_group(workspace, group, written)
            outcomes += _write(workspace, planned, group)
            if progress is not None:
                progress(len(outcomes), len(outcomes))
        else:
            outcomes += [
                Outcome(plan.file, plan.line, "new", plan.form, plan.thread.id, plan.matched) for plan in planned
            ]
    order = {path.name: number for number, path in enumerate(paths)}
    return sorted(outcomes, key=lambda outcome: (order[outcome.file], outcome.line))


Numbered = tuple[str, int, Conversation]


def _read(paths: Iterable[Path], outcomes: list[Outcome]) -> Iterator[Numbered]:
    """What the rows say. Preference rows come at their file's end, joined; what is no thread goes to `outcomes`."""
    for path in paths:
        joinable: list[tuple[int, Conversation]] = []
        for number, row, problem in rows_in(path):
            try:
                if problem:
                    raise RowError(problem)
                read = conversation(row)
            except RowError as error:
                outcomes.append(Outcome(path.name, number, "refused", problem=str(error)))
                continue
            if read.rejected or read.joinable:
                joinable.append((number, read))
            else:
                yield path.name, number, read
        yield from ((path.name, number, joined) for number, joined in as_conversations(joinable))


def _blocks(rows: Iterator[Numbered]) -> Iterator[list[Numbered]]:
    block: list[Numbered] = []
    for row in rows:
        block.append(row)
        if len(block) == BLOCK:
            yield block
            block = []
    yield block


def _plan(block: Sequence[Numbered], threads: Threads, present: Present, outcomes: list[Outcome]) -> Iterator[_Planned]:
    """The threads to be made of a block; rows that are one already, or can be none, go to `outcomes`."""
    for file, line, read in block:
        match = threads.match(read)
        if stem := present.thread_of(read, match):
            outcomes.append(Outcome(file, line, "there", read.form, stem, match.how))
            continue
        try:
            # as it will be read from its file: what Python wrote may hold what JSON has not, such as NaN
            thread = decode(encode(threads.thread_of(read, match, file, line)), "the row")
        except ThreadError as error:
            outcomes.append(Outcome(file, line, "refused", read.form, problem=str(error).removeprefix("the row: ")))
            continue
        present.add(thread)
        yield _Planned(file, line, read.form, thread, match.how)


def _write(workspace: Workspace, planned: Sequence[_Planned], group: str) -> Iterator[Outcome]:
    by_stem = {plan.thread.id: plan for plan in planned}

    def write(stem: str) -> None:
        plan = by_stem[stem]
        record = recorder(workspace, f"import from {plan.file}", group)
        store.replace(workspace.threads, stem, Content.of(encode(plan.thread)), None, record)

    for stem, done in for_each(workspace, list(by_stem), write):
        plan = by_stem[stem]
        if isinstance(done, SensorloomError):
            yield Outcome(plan.file, plan.line, "refused", plan.form, problem=str(done))
        else:
            yield Outcome(plan.file, plan.line, "new", plan.form, stem, plan.matched)
