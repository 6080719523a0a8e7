"""What was done to each thread, when, and what it was before: undo, redo and the audit trail.

A thread's history is two files under `.sensorloom/history/`: `<stem>.log`, one JSON line per step, only ever
appended to, and `<stem>.pack`, the file's states (`core.storage.snapshots`). Undo and redo are steps like any other:
they name the step they take back or do again. The step is on disk before the thread's file changes; when the program is
killed in between, the next step finds the file still in its old state and notes that the step did not happen.

The thread's file is the truth. A state of it that no step led to was another program's doing; it becomes a
step of its own before anything else is done to the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from core.errors import SensorloomError, system_reason
from core.storage import snapshots
from core.storage.atomic import Content, sync_folder, write_atomic
from core.thread.value import timestamp
from core.workspace import Workspace, names_for_threads, private_folder

Kind = Literal["done", "outside", "undo", "redo"]

OUTSIDE = "change by another program"
"""What a step is called that no action of ours made."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a thread's log."""

    number: int
    """From 1, in the order of the log."""
    at: str
    """ISO 8601, UTC."""
    kind: Kind
    what: str
    """The action in words: `edit of turn 3`. For an undo or redo, that of the step it is about."""
    before: str | None = None
    """SHA-256 of the file's bytes before; None when there was no file."""
    after: str | None = None
    """SHA-256 of the file's bytes after; None when there is no file then."""
    of: int | None = None
    """The step that an undo takes back or a redo does again."""
    group: str = ""
    """Shared by the steps of one action on several threads; see `stems_of_group`."""


@dataclass(frozen=True, slots=True)
class History:
    """A thread's steps, and where undo and redo stand."""

    steps: tuple[Step, ...] = ()
    done: tuple[int, ...] = ()
    """Numbers of the steps that are in force and can be undone, oldest first."""
    undone: tuple[int, ...] = ()
    """Numbers of the steps that can be redone, the next one last."""

    def step(self, number: int) -> Step:
        """The step of this number."""
        return self.steps[number - 1]

    @property
    def last(self) -> Step | None:
        """The newest step."""
        return self.steps[-1] if self.steps else None

    @property
    def next_undo(self) -> Step | None:
        """The step that undo would take back, or None."""
        return self.step(self.done[-1]) if self.done else None

    @property
    def next_redo(self) -> Step | None:
        """The step that redo would do again, or None."""
        return self.step(self.undone[-1]) if self.undone else None

    @property
    def last_undo(self) -> Step | None:
        """The undo that redo would take back, or None."""
        wanted = self.undone[-1] if self.undone else None
        return next((one for one in reversed(self.steps) if one.kind == "undo" and one.of == wanted), None)


def folder(workspace: Workspace) -> Path:
    """Where histories are kept: one folder for each threads folder that the workspace is used with."""
    return workspace.private.joinpath(*names_for_threads(workspace, "history"))


def read(workspace: Workspace, stem: str) -> History:
    """A thread's history; empty when nothing was ever done to it. Lines that a kill left torn are passed over."""
    try:
        lines = _log(workspace, stem).read_bytes().split(b"\n")
    except FileNotFoundError:
        return History()
    except OSError as error:
        raise SensorloomError(f"the history of {stem} cannot be read: {system_reason(error)}") from error
    steps: list[Step] = []
    for line in lines:
        try:
            step = msgspec.convert(json.loads(line), Step)
        except (ValueError, RecursionError):
            continue
        if step.number == len(steps) + 1:
            steps.append(step)
    return _standing(steps)


def content(workspace: Workspace, stem: str, wanted: str) -> bytes:
    """A thread file's bytes as they were: `wanted` is a step's `before` or `after`. Raises SensorloomError."""
    return snapshots.load(_pack(workspace, stem), wanted)


def reserved(workspace: Workspace) -> list[str]:
    """The stems of all threads that have a history, those of deleted ones too: their ids are not given again."""
    try:
        with os.scandir(folder(workspace)) as entries:
            return [entry.name[:-4] for entry in entries if entry.name.endswith(".log")]
    except FileNotFoundError:
        return []


def reconcile(workspace: Workspace, stem: str, present: Content | None) -> History:
    """The history with the file as it is now accounted for: what happened outside, or did not happen, is noted.

    To be called under the folder's lock. A thread that has no history keeps none.
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
    workspace: Workspace, stem: str, before: Content | None, after: Content | None, what: str, group: str = ""
) -> History:
    """Note an action that is about to be carried out, both states kept. To be called under the folder's lock."""
    past = reconcile(workspace, stem, before)
    _keep(workspace, stem, before, after)
    step = Step(len(past.steps) + 1, timestamp(), "done", what, _digest(before), _digest(after), group=group)
    return _append(workspace, stem, past, step)


def record_outside(workspace: Workspace, stem: str, before: Content | None, after: Content | None) -> History:
    """Note another program's change of a file whose earlier bytes are known. To be called under the folder's lock."""
    past = read(workspace, stem)
    if past.last is not None:
        return reconcile(workspace, stem, after)
    if _digest(before) == _digest(after):
        return past
    _keep(workspace, stem, before)
    return _noted(workspace, stem, past, after, _digest(before))


def record_again(workspace: Workspace, stem: str, past: History, kind: Literal["undo", "redo"]) -> History:
    """Note that the next undo or redo of `past` is about to be carried out. To be called under the folder's lock."""
    step = past.next_undo if kind == "undo" else past.next_redo
    if step is None:
        raise SensorloomError(f"{stem}: there is nothing to {kind}")
    return _append(workspace, stem, past, _again(past, step, kind))


def new_group() -> str:
    """An id for one action on several threads."""
    return os.urandom(8).hex()


def keep_group(workspace: Workspace, group: str, stems: Iterable[str]) -> None:
    """Keep which threads one action is about, so that one undo finds them all."""
    path = private_folder(workspace, *names_for_threads(workspace, "history"), "groups")
    write_atomic(path / f"{group}.json", _encode(list(stems)))


def stems_of_group(workspace: Workspace, group: str) -> list[str]:
    """The threads that one action was about; empty when that is no longer known."""
    try:
        found = json.loads((folder(workspace) / "groups" / f"{group}.json").read_bytes())
        return msgspec.convert(found, list[str])
    except (OSError, ValueError):
        return []


def _encode(value: Step | list[str]) -> bytes:
    """As JSON in ASCII: a file name that is no UTF-8 holds lone surrogates, which msgspec's own encoder refuses."""
    return json.dumps(msgspec.to_builtins(value)).encode()


def latest(workspace: Workspace) -> str | None:
    """The thread whose next undo is the newest step of the whole workspace: what undo means where no thread is open."""
    return _newest(workspace, lambda past: past.next_undo)


def latest_undone(workspace: Workspace) -> str | None:
    """The thread in which the workspace's newest undo was: what redo means where no thread is open."""
    return _newest(workspace, lambda past: past.last_undo)


def _newest(workspace: Workspace, step_of: Callable[[History], Step | None]) -> str | None:
    best: tuple[float, str] | None = None
    for stem, modified in sorted(_logs(workspace), key=lambda one: one[1], reverse=True):
        if best is not None and best[0] > modified + 1:
            break  # a step is never newer than its log, give or take the file system's clock
        step = step_of(read(workspace, stem))
        if step is not None:
            made = datetime.fromisoformat(step.at).timestamp()
            best = max(best or (made, stem), (made, stem))
    return best[1] if best else None


def _logs(workspace: Workspace) -> list[tuple[str, float]]:
    """The stem and the time of the last change of each log."""
    try:
        with os.scandir(folder(workspace)) as entries:
            return [(one.name[:-4], one.stat().st_mtime) for one in entries if one.name.endswith(".log")]
    except FileNotFoundError:
        return []


def _noted(workspace: Workspace, stem: str, past: History, present: Content | None, head: str | None) -> History:
    _keep(workspace, stem, present)
    step = Step(len(past.steps) + 1, timestamp(), "outside", OUTSIDE, head, _digest(present))
    return _append(workspace, stem, past, step)


def _keep(workspace: Workspace, stem: str, *states: Content | None) -> None:
    private_folder(workspace, *names_for_threads(workspace, "history"))
    snapshots.keep(_pack(workspace, stem), [state for state in states if state is not None])


def _opposite(past: History, last: Step) -> Step:
    """The step that says `last` is not in force: it was about to be carried out, or was taken back outside."""
    if last.kind == "undo":
        return _again(past, past.step(last.of or last.number), "redo")
    return _again(past, past.step(last.of or last.number), "undo")


def _again(past: History, step: Step, kind: Literal["undo", "redo"]) -> Step:
    before, after = (step.after, step.before) if kind == "undo" else (step.before, step.after)
    return Step(len(past.steps) + 1, timestamp(), kind, step.what, before, after, of=step.number, group=step.group)


def _standing(steps: list[Step]) -> History:
    done: list[int] = []
    undone: list[int] = []
    for step in steps:
        if step.kind == "undo" and done and done[-1] == step.of:
            undone.append(done.pop())
        elif step.kind == "redo" and undone and undone[-1] == step.of:
            done.append(undone.pop())
        elif step.kind in ("done", "outside"):
            done.append(step.number)
            undone.clear()
    return History(tuple(steps), tuple(done), tuple(undone))


def _append(workspace: Workspace, stem: str, past: History, step: Step) -> History:
    path = _log(workspace, stem)
    fresh = not path.exists()
    try:
        with path.open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    file.write(b"\n")  # a kill left the last line torn: it must not join with this one
            file.write(_encode(step) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SensorloomError(f"cannot write {path}: {system_reason(error)}") from error
    if fresh:
        sync_folder(path.parent)
    return _standing([*past.steps, step])


def _digest(content: Content | None) -> str | None:
    return None if content is None else content.digest


def _log(workspace: Workspace, stem: str) -> Path:
    return folder(workspace) / f"{stem}.log"


def _pack(workspace: Workspace, stem: str) -> Path:
    return folder(workspace) / f"{stem}.pack"
