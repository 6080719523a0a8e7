"""A thread's log: a line of JSON for each step that was made on it, and where undo and redo stand after them.

The file is only ever appended to. A line that cannot be read is passed over; what it changed shows as a step of its
own.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from core.errors import SensorloomError, system_reason
from core.storage.atomic import sync, sync_folder

Kind = Literal["done", "outside", "undo", "redo"]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""A SHA-256 in hex."""

OUTSIDE = "change by another program"
"""What a step is called that no action of ours made."""
UNREADABLE = "a step whose record is damaged"
"""What stands in for lines of the log that cannot be read."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a thread's log."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    """From 1, in the order of the log."""
    at: str
    """ISO 8601, UTC."""
    kind: Kind
    what: str
    """The action in words: `edit of turn 3`. For an undo or redo, that of the step it is about."""
    before: Digest | None = None
    """SHA-256 of the file's bytes before; None when there was no file."""
    after: Digest | None = None
    """SHA-256 of the file's bytes after; None when there is no file then."""
    of: int | None = None
    """The step that an undo takes back or a redo does again; of a step that is done, the one that it takes back
    without those that came after."""
    who: str = ""
    """Who made it, as `core.workspace.Workspace.person` had it; empty for what another program did."""
    group: str = ""
    """Shared by the steps of one action on several threads; see `core.storage.history.stems_of_group`."""

    @property
    def seconds(self) -> float:
        """When it was made, in seconds since 1970."""
        return datetime.fromisoformat(self.at).timestamp()


@dataclass(frozen=True, slots=True)
class History:
    """A thread's steps, and where undo and redo stand."""

    steps: tuple[Step, ...] = ()
    done: tuple[int, ...] = ()
    """Numbers of the steps that are in force and can be undone, oldest first."""
    undone: tuple[int, ...] = ()
    """Numbers of the steps that can be redone, the next one last."""

    def step(self, number: int) -> Step:
        """The step of this number. Raises KeyError when there is none: damaged lines leave their numbers out."""
        index = bisect_left(self.steps, number, key=lambda step: step.number)
        if index == len(self.steps) or self.steps[index].number != number:
            raise KeyError(number)
        return self.steps[index]

    def in_force(self, step: Step) -> bool | None:
        """Whether what a step did still stands; None for an undo or redo, which is about another step."""
        if step.kind not in ("done", "outside"):
            return None
        return step.number in self.done and not any(self.step(number).of == step.number for number in self.done)

    @property
    def last(self) -> Step | None:
        """The newest step."""
        return self.steps[-1] if self.steps else None

    @property
    def next_number(self) -> int:
        """The number that the next step gets."""
        return self.steps[-1].number + 1 if self.steps else 1

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
        return next((step for step in reversed(self.steps) if step.kind == "undo" and step.of == wanted), None)


def steps_of(log: bytes) -> History:
    """The steps that a log holds."""
    steps: list[Step] = []
    for line in log.split(b"\n"):
        step = _step_in(line)
        last = steps[-1].number if steps else 0
        if step is None or step.number <= last:
            continue
        if steps and step.number > last + 1 and steps[-1].after != step.before:
            steps.append(Step(step.number - 1, step.at, "outside", UNREADABLE, steps[-1].after, step.before))
        steps.append(step)
    return standing_after(steps)


def _step_in(line: bytes) -> Step | None:
    """The step that a line holds; None when a kill or a damaged disk left something else there."""
    try:
        step = msgspec.convert(json.loads(line), Step)
        datetime.fromisoformat(step.at)
    except (ValueError, RecursionError):
        return None
    return step


def standing_after(steps: list[Step]) -> History:
    """Where undo and redo stand after these steps. An undo or redo of a step whose line cannot be read counts as a step
    in its own right, so that it can be taken back like any other."""
    done: list[int] = []
    undone: list[int] = []
    for step in steps:
        if step.kind == "undo" and done and done[-1] == step.of:
            undone.append(done.pop())
        elif step.kind == "redo" and undone and undone[-1] == step.of:
            done.append(undone.pop())
        else:
            done.append(step.number)
            undone.clear()
    return History(tuple(steps), tuple(done), tuple(undone))


def append(path: Path, past: History, step: Step) -> History:
    """Write a step at the end of a log, on disk when this returns. Raises SensorloomError when it cannot be written."""
    fresh = not path.exists()
    try:
        with path.open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    file.write(b"\n")  # a kill left the last line torn: it must not join with this one
            file.write(as_json(step) + b"\n")
            file.flush()
            sync(file.fileno())
    except OSError as error:
        raise SensorloomError(f"cannot write {path}: {system_reason(error)}") from error
    if fresh:
        sync_folder(path.parent)
    return standing_after([*past.steps, step])


def as_json(value: Any) -> bytes:
    """As JSON in ASCII: a file name that is no UTF-8 holds lone surrogates, which msgspec's own encoder refuses."""
    return json.dumps(msgspec.to_builtins(value)).encode()
