"""Taking back one step of a thread's history without those that came after it."""

from __future__ import annotations

from core.curate.steps import recorder
from core.errors import SensorloomError, UsageError
from core.storage import history, store
from core.storage.locks import thread_locked
from core.storage.step_log import Step
from core.storage.store import Stored
from core.thread.json_form import decode
from core.thread.taking_back import ChangedSinceError, taken_back
from core.thread.value import Thread
from core.workspace import Workspace


def take_back(workspace: Workspace, stem: str, number: int) -> Stored:
    """Take back step `number` of a thread, and nothing of what came after it; that is a step of its own.

    A step that was made on several threads is taken back on this one alone.

    Raises:
        UsageError: there is no such step, it is not in force, or what it changed was changed again since.
        SensorloomError: the file cannot be read or written, or is no longer what was read.
    """
    with thread_locked(workspace.threads, stem):
        past = history.reconcile(workspace, stem, store.present(workspace.threads, stem))
        try:
            step = past.step(number)
        except KeyError as error:
            raise UsageError(f"{stem} has {len(past.steps)} steps, no number {number}") from error
        if not past.in_force(step):
            raise UsageError(f"step {number} of {stem} is not in force: {_why_not(step)}")
        before, after = _state(workspace, stem, step, step.before), _state(workspace, stem, step, step.after)
        stored = store.read(workspace.threads, stem)
        try:
            thread = taken_back(before, after, stored.thread)
        except ChangedSinceError as error:
            raise UsageError(
                f"step {number} of {stem} ({step.what}) cannot be taken back alone: {error}; take back what came later "
                "first"
            ) from error
        if thread == stored.thread:
            raise UsageError(f"nothing of step {number} of {stem} ({step.what}) stands any more")
        record = recorder(workspace, f"taken back: {step.what}", of=number)
        return store.save(workspace.threads, stored, thread, record)


def _why_not(step: Step) -> str:
    if step.kind in ("done", "outside"):
        return "it was taken back already"
    return f"it is itself the {step.kind} of step {step.of}; take that back, or do it again"


def _state(workspace: Workspace, stem: str, step: Step, digest: str | None) -> Thread:
    if digest is None:
        began = step.before is None
        raise UsageError(
            f"step {step.number} of {stem} {'made the thread' if began else 'deleted it'} ({step.what}); "
            f"{'`sensorloom delete` moves it to the trash' if began else '`sensorloom undo` brings it back'}"
        )
    try:
        return decode(history.content(workspace, stem, digest), stem)
    except SensorloomError as error:
        raise UsageError(f"step {step.number} of {stem} cannot be taken back alone: {error}") from error
