"""Making a thread that goes another way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from core.curate.steps import commit, recorder
from core.errors import DatasetError, SensorloomError
from core.storage import history, history_files, store
from core.storage.store import Stored
from core.thread import stale
from core.thread.branches import branched
from core.thread.compare import first_difference
from core.thread.evidence import with_references_without
from core.thread.json_form import decode
from core.thread.updates import with_messages, with_metadata
from core.thread.value import Thread, is_assistant
from core.workspace import Workspace


def branch(workspace: Workspace, stored: Stored, position: int, question: str | None = None) -> Stored:
    """A new thread with the first `position` messages; the thread itself is not touched.

    A position inside a turn moves to its end, so that no call is parted from its results. With `question` it branches
    at the user's turn there (or the one that ends there), asking that instead. A branch without an assistant's turn
    begins anew: its references leave out whom a new thread's would.

    Raises:
        UsageError: a question is given, and there is no user's turn at `position`.
    """

    def make(stem: str) -> Thread:
        child = branched(stored.thread, position, stem, parent=stored.stem, question=question)
        return child if any(map(is_assistant, child.messages)) else _begun_anew(workspace, child)

    return add_branch(workspace, stored, make)


def _begun_anew(workspace: Workspace, thread: Thread) -> Thread:
    from core.datasets.barred import barred_names
    from core.datasets.standard import open_dataset

    try:
        return with_references_without(thread, barred_names(workspace, open_dataset(workspace, thread.dataset)))
    except DatasetError:
        return thread  # nothing can be compared with what is not at hand


def add_branch(
    workspace: Workspace, stored: Stored, make: Callable[[str], Thread], what: str = "", group: str = ""
) -> Stored:
    """Save a thread that descends from another under the next free id."""
    thread = stored.thread
    return store.create_new(
        workspace.threads,
        thread.dataset,
        thread.session,
        make,
        recorder(workspace, what or f"branch of {stored.stem}", group),
        partial(history_files.reserved, workspace),
    )


def branch_stale(workspace: Workspace, stored: Stored) -> Stored:
    """Move the stale turns to a branch and end the thread before them, as one step. Returns the thread.

    The branch is the thread as it was before it changed under these turns, where the history still has that, so
    nothing in it is stale; else it keeps their marks.
    """
    thread = stored.thread
    first = stale.first_stale_turn(thread)
    if first is None:
        raise SensorloomError(f"{stored.stem}: only results are stale, no turns; execute their calls again")
    was = _before_the_change(workspace, stored, first) or thread
    differs = first_difference(was.messages, thread.messages)

    def make(stem: str) -> Thread:
        child = branched(was, len(was.messages), stem, parent=stored.stem)
        return with_metadata(child, branched_at=first if differs is None else min(differs, first))

    group = history.new_group()
    child = add_branch(workspace, stored, make, f"stale turns of {stored.stem}, moved here", group)
    history.keep_group(workspace, group, [stored.stem, child.stem])
    shorter = with_messages(thread, thread.messages[:first])
    return commit(workspace, stored, shorter, f"stale turns moved to {child.stem}", group)


def _before_the_change(workspace: Workspace, stored: Stored, first: int) -> Thread | None:
    """The newest earlier state with the turns from message `first` on in it and nothing stale."""
    past = history.read(workspace, stored.stem)
    tail = stored.thread.messages[first:]
    for number in reversed(past.done):
        before = past.step(number).before
        if before is None:
            return None
        try:
            was = decode(history.content(workspace, stored.stem, before), stored.stem)
        except SensorloomError:
            return None
        if len(was.messages) < len(tail) or first_difference(was.messages[-len(tail) :], tail) is not None:
            return None
        if not stale.stale_messages(was):
            return was
    return None
