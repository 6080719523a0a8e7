"""What was done to each thread, when, and what it was before: undo, redo and the audit trail.

A thread's history is two files under `.sensorloom/history/`: `<stem>.log`, its steps (`core.storage.step_log`), and
`<stem>.pack`, the file's states (`core.storage.snapshots`); or a line of a pack (`core.storage.history_files`). Undo
and redo are steps like any other: they name the step they take back or do again. The step is on disk before the
thread's file changes; when the program is killed in between, the next step finds the file still in its old state and
notes that the step did not happen.

The thread's file is the truth. A state of it that no step led to was another program's doing; it becomes a
step of its own before anything else is done to the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Literal, NamedTuple

import msgspec

from core.errors import ConflictError, SensorloomError, system_reason
from core.files import read_regular_file
from core.storage import history_files, snapshots, store
from core.storage.atomic import Content, write_atomic
from core.storage.step_log import OUTSIDE, History, Step, append, as_json, standing_after, steps_of
from core.thread.value import timestamp
from core.workspace import Workspace, names_for_threads, private_folder


def read(workspace: Workspace, stem: str) -> History:
    """A thread's history; empty when nothing was ever done to it. Lines that cannot be read are passed over. Raises
    SensorloomError when it cannot be read as a whole."""
    try:
        return steps_of(history_files.read_log(workspace, stem))
    except OSError as error:
        raise SensorloomError(f"the history of {stem} cannot be read: {system_reason(error)}") from error


def content(workspace: Workspace, stem: str, wanted: str) -> bytes:
    """A thread file's bytes as they were: `wanted` is a step's `before` or `after`. Raises SensorloomError."""
    try:
        with history_files.open_states(workspace, stem) as states:
            return snapshots.load(states, stem, wanted)
    except OSError as error:
        raise SensorloomError(f"{stem}: this earlier state is no longer in the history") from error


def reconcile(workspace: Workspace, stem: str, present: Content | None) -> History:
    """The history with the file as it is now accounted for: what happened outside, or did not happen, is noted.

    To be called under the thread's lock. A thread that has no history keeps none.
    """
    past = read(workspace, stem)
    last = past.last
    there = _digest(present)
    if last is None or last.after == there:
        return past
    if last.before == there:
        return _append(workspace, stem, past, _opposite(past, last))
    return _noted(workspace, stem, past, present, last.after)


def record(
    workspace: Workspace,
    stem: str,
    before: Content | None,
    after: Content | None,
    what: str,
    group: str = "",
    of: int | None = None,
) -> History:
    """Note an action that is about to be carried out, both states kept. To be called under the thread's lock.

    `of` is the step that it takes back without those that came after.
    """
    past = reconcile(workspace, stem, before)
    _keep(workspace, stem, before, after)
    step = Step(
        past.next_number,
        timestamp(),
        "done",
        what,
        _digest(before),
        _digest(after),
        of=of,
        who=workspace.person,
        group=group,
    )
    return _append(workspace, stem, past, step)


def record_outside(workspace: Workspace, stem: str, before: Content | None, after: Content | None) -> History:
    """Note another program's change of a file whose earlier bytes are known. To be called under the thread's lock."""
    past = read(workspace, stem)
    if past.last is not None:
        return reconcile(workspace, stem, after)
    if _digest(before) == _digest(after):
        return past
    _keep(workspace, stem, before)
    return _noted(workspace, stem, past, after, _digest(before))


def record_again(workspace: Workspace, stem: str, past: History, kind: Literal["undo", "redo"]) -> History:
    """Note that the next undo or redo of `past` is about to be carried out. To be called under the thread's lock."""
    step = past.next_undo if kind == "undo" else past.next_redo
    if step is None:
        raise SensorloomError(f"{stem}: there is nothing to {kind}")
    again = msgspec.structs.replace(_again(past, step, kind), who=workspace.person)
    return _append(workspace, stem, past, again)


def new_group() -> str:
    """An id for one action on several threads."""
    return os.urandom(8).hex()


def keep_group(workspace: Workspace, group: str, stems: Iterable[str]) -> None:
    """Keep which threads one action is about, so that one undo finds them all."""
    path = private_folder(workspace, *names_for_threads(workspace, "history"), "groups")
    write_atomic(path / f"{group}.json", as_json(list(stems)))


def stems_of_group(workspace: Workspace, group: str) -> list[str]:
    """The threads that one action was about; empty when that is no longer known."""
    try:
        document = json.loads(read_regular_file(history_files.folder(workspace) / "groups" / f"{group}.json"))
        return msgspec.convert(document, list[str])
    except (OSError, ValueError, RecursionError):
        return []


class ThreadStep(NamedTuple):
    """A step of one of the workspace's threads."""

    stem: str
    step: Step
    in_force: bool | None
    """As `History.in_force` has it."""


def recent(workspace: Workspace, most: int) -> list[ThreadStep]:
    """The newest steps of the whole workspace, the newest first. What cannot be read is passed over."""
    newest_steps: list[ThreadStep] = []
    for stem, modified in history_files.by_time(workspace):
        if len(newest_steps) >= most and newest_steps[most - 1].step.seconds > modified + 1:
            break  # as in `_newest`: no step of this log or an older one is among them
        with suppress(SensorloomError):
            past = _carried_out(workspace, stem)
            newest_steps += [ThreadStep(stem, step, past.in_force(step)) for step in past.steps[-most:]]
            newest_steps.sort(key=lambda row: (row.step.at, row.step.number), reverse=True)
            del newest_steps[most:]
    return newest_steps


def latest(workspace: Workspace) -> str | None:
    """The thread whose next undo is the newest step of the whole workspace: what undo means where no thread is open."""
    return _newest(workspace, lambda past: past.next_undo)


def latest_undone(workspace: Workspace) -> str | None:
    """The thread in which the workspace's newest undo was: what redo means where no thread is open."""
    return _newest(workspace, lambda past: past.last_undo)


def _newest(workspace: Workspace, step_of: Callable[[History], Step | None]) -> str | None:
    """The thread with the newest step of a kind. A thread whose history cannot be read holds up none of the others."""
    newest: tuple[float, str] | None = None
    for stem, modified in history_files.by_time(workspace):
        if newest is not None and newest[0] > modified + 1:
            break  # a step is never newer than its log, give or take the file system's clock
        with suppress(SensorloomError):
            step = step_of(_carried_out(workspace, stem))
            if step is not None:
                newest = max(newest or (step.seconds, stem), (step.seconds, stem))
    return newest[1] if newest else None


def _carried_out(workspace: Workspace, stem: str) -> History:
    """The history without a last step that never reached the file: a kill, or a failed write, came between."""
    past = read(workspace, stem)
    last = past.last
    if last is None or last.before == last.after:
        return past
    try:
        there = _digest(store.present(workspace.threads, stem))
    except ConflictError:
        return past  # whoever takes the step back is told that the file cannot be read
    return standing_after([*past.steps, _opposite(past, last)]) if there == last.before else past


def _noted(workspace: Workspace, stem: str, past: History, present: Content | None, head: str | None) -> History:
    _keep(workspace, stem, present)
    step = Step(past.next_number, timestamp(), "outside", OUTSIDE, head, _digest(present))
    return _append(workspace, stem, past, step)


def _keep(workspace: Workspace, stem: str, *states: Content | None) -> None:
    private_folder(workspace, *names_for_threads(workspace, "history"))
    history_files.to_files(workspace, stem)
    snapshots.keep(history_files.files_of(workspace, stem)[1], [state for state in states if state is not None])


def _append(workspace: Workspace, stem: str, past: History, step: Step) -> History:
    history_files.to_files(workspace, stem)
    return append(history_files.files_of(workspace, stem)[0], past, step)


def _opposite(past: History, last: Step) -> Step:
    """The step that says `last` is not in force: it was about to be carried out, or was taken back outside."""
    if last.of is not None and last.kind == "undo" and past.undone and past.undone[-1] == last.of:
        return _again(past, past.step(last.of), "redo")
    if last.of is not None and last.kind == "redo" and past.done and past.done[-1] == last.of:
        return _again(past, past.step(last.of), "undo")
    return _again(past, last, "undo")


def _again(past: History, step: Step, kind: Literal["undo", "redo"]) -> Step:
    before, after = (step.after, step.before) if kind == "undo" else (step.before, step.after)
    return Step(past.next_number, timestamp(), kind, step.what, before, after, of=step.number, group=step.group)


def _digest(content: Content | None) -> str | None:
    return None if content is None else content.digest
