"""A thread on its way to another machine and back: its file, and with it the history that a run there goes on with."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from core.errors import ConflictError, SensorloomError, system_reason
from core.storage import history_files, store
from core.storage.atomic import Content, write_atomic
from core.storage.locks import thread_locked
from core.storage.store import Stored
from core.storage.thread_files import path_of
from core.workspace import Workspace, names_for_threads, private_folder


@dataclass(frozen=True, slots=True)
class Carried:
    """A thread as bytes."""

    stem: str
    data: bytes = field(repr=False)
    """The thread's file."""
    log: bytes = field(repr=False)
    """Its steps; see `core.storage.step_log`."""
    pack: bytes = field(repr=False)
    """The states that the steps led to; see `core.storage.snapshots`."""


def pick_up(workspace: Workspace, stem: str) -> Carried:
    """A thread as it stands. Raises ThreadError: there is none; SensorloomError: its history cannot be read."""
    with thread_locked(workspace.threads, stem):
        stored = store.read(workspace.threads, stem)
        return Carried(stem, stored.data, *_history(workspace, stem))


def lay_out(workspace: Workspace, carried: Carried) -> None:
    """Put a thread into a workspace that is made for it. Nothing waits for the disk: the thread is kept where it came
    from. Raises SensorloomError."""
    private_folder(workspace, *names_for_threads(workspace, "history"))
    workspace.threads.mkdir(parents=True, exist_ok=True)
    log, pack = history_files.files_of(workspace, carried.stem)
    for path, content in (
        (pack, carried.pack),
        (log, carried.log),
        (path_of(workspace.threads, carried.stem), carried.data),
    ):
        if content:
            write_atomic(path, content, durable=False)


def clear_away(workspace: Workspace, stem: str) -> None:
    """Take a thread out of such a workspace again."""
    history_files.forget(workspace, stem)
    path_of(workspace.threads, stem).unlink(missing_ok=True)


def bring_back(workspace: Workspace, sent: Carried, came: Carried) -> Stored:
    """Save what came back of a thread in the place of what was sent, with the steps that were made on the way.

    The states are on disk before the file, the file before the steps: after a kill in between, the file is the new one,
    and its history tells the change as one of another program.

    Raises:
        ConflictError: the thread is no longer what was sent; nothing was written.
        SensorloomError: it cannot be written.
    """
    stem = sent.stem
    log, pack = history_files.files_of(workspace, stem)
    with thread_locked(workspace.threads, stem):
        there = store.present(workspace.threads, stem)
        log_now, _ = _history(workspace, stem)
        if there is None or there.data != sent.data or log_now != sent.log:  # undone again, its steps are there
            what = "was deleted" if there is None else "was changed"
            raise ConflictError(f"{stem}.json {what} while it ran elsewhere; what came of that run is not kept")
        content = Content.of(came.data)
        stored = store.stored_as(content, stem)
        if came.data != sent.data:
            write_atomic(pack, came.pack)
            write_atomic(path_of(workspace.threads, stem), content.data)
            write_atomic(log, came.log)
        return stored


def _history(workspace: Workspace, stem: str) -> tuple[bytes, bytes]:
    """What the two files of the history hold, or a pack in their place; nothing of those that are not there. Raises
    SensorloomError."""
    try:
        log = history_files.read_log(workspace, stem)
        with suppress(FileNotFoundError), history_files.open_states(workspace, stem) as states:
            return log, states.read()
    except OSError as error:
        raise SensorloomError(f"the history of {stem} cannot be read: {system_reason(error)}") from error
    return log, b""
