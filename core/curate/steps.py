"""One step of curation: the history is told, then the file changes."""

from __future__ import annotations

from core import history, store
from core.store import Stored
from core.thread import Thread
from core.workspace import Workspace


def recorder(workspace: Workspace, what: str, group: str = "") -> store.Record:
    """What `store` is to call before it writes: notes the step `what` in the thread's history."""

    def record(stem: str, before: bytes | None, after: bytes | None) -> None:
        history.record(workspace, stem, before, after, what, group)

    return record


def commit(workspace: Workspace, stored: Stored, thread: Thread, what: str, group: str = "") -> Stored:
    """Save a new value of a thread as one step. A value that is the same is no step.

    Raises:
        ConflictError: the file is no longer what was read; nothing was written or noted.
        SensorloomError: it cannot be written.
    """
    return store.save(workspace.threads, stored, thread, recorder(workspace, what, group))
