"""One step of curation: the history is told, then the file changes. What leaves the folder goes to the trash."""

from __future__ import annotations

from pathlib import Path

from core.storage import history, store, thread_files
from core.storage.atomic import Content, write_atomic
from core.storage.store import Stored
from core.thread.value import Thread
from core.workspace import Workspace, names_for_threads, private_folder


def recorder(workspace: Workspace, what: str, group: str = "", of: int | None = None) -> store.Record:
    """What `store` is to call before it writes: notes the step `what` in the thread's history; `of` as it has it."""

    def record(stem: str, before: Content | None, after: Content | None) -> None:
        history.record(workspace, stem, before, after, what, group, of)

    return record


def commit(workspace: Workspace, stored: Stored, thread: Thread, what: str, group: str = "") -> Stored:
    """Save a new value of a thread as one step. A value that is the same is no step.

    Raises:
        ConflictError: the file is no longer what was read; nothing was written or noted.
        SensorloomError: it cannot be written.
    """
    return store.save(workspace.threads, stored, thread, recorder(workspace, what, group))


def put(workspace: Workspace, stem: str, content: Content | None, expected: str | None, record: store.Record) -> None:
    """Put exact bytes in a thread file's place as one step; None takes the file away, into the trash.

    The trash holds what is not in the folder: a file that comes back leaves it.

    Raises: as `store.replace`.
    """

    def recorded(stem: str, before: Content | None, after: Content | None) -> None:
        record(stem, before, after)
        if after is None and before is not None:
            private_folder(workspace, *names_for_threads(workspace, "trash"))
            write_atomic(trash_path(workspace, stem), before.data)

    store.replace(workspace.threads, stem, content, expected, recorded)
    if content is not None and expected is None:
        trash_path(workspace, stem).unlink(missing_ok=True)


def trash_path(workspace: Workspace, stem: str) -> Path:
    """Where a deleted thread's file is kept. Raises UsageError for a stem that would leave the folder."""
    return thread_files.path_of(trash(workspace), stem)


def trash(workspace: Workspace) -> Path:
    """The folder that holds deleted threads' files."""
    return workspace.private.joinpath(*names_for_threads(workspace, "trash"))
