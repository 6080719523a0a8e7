"""When another program changes a thread's file: its change is noted, and nobody's work is overwritten unseen."""

from __future__ import annotations

from typing import Literal

from core.curate.branching import add_branch
from core.curate.steps import put, recorder
from core.storage import history, store
from core.storage.atomic import Content
from core.storage.locks import thread_locked
from core.storage.store import Stored
from core.storage.thread_files import path_of, stamp_of
from core.thread.branches import branched
from core.thread.compare import first_difference
from core.thread.json_form import decode, encode
from core.thread.updates import touched, with_metadata
from core.thread.value import Thread
from core.workspace import Workspace

Resolution = Literal["theirs", "mine", "branch"]


def resolve(workspace: Workspace, seen: Stored, mine: Thread, way: Resolution) -> Stored:
    """Settle a thread that another program changed while there is work of one's own on it.

    Args:
        workspace: where it is saved.
        seen: the thread as it was read before that work.
        mine: the thread with one's own work.
        way: `theirs` reads the file again, `mine` saves over it, `branch` saves mine as a thread of its own.

    Returns:
        The thread that now has what was decided on: the same, or the branch.

    Raises: as `take_theirs`, `keep_mine` and `mine_as_branch`.
    """
    if way == "theirs":
        return take_theirs(workspace, seen)
    return keep_mine(workspace, seen, mine) if way == "mine" else mine_as_branch(workspace, seen, mine)


def take_theirs(workspace: Workspace, seen: Stored, theirs: Stored | None = None) -> Stored:
    """Take what another program made of a file; its change becomes one step that can be undone. What is still as it
    was `seen` is given back as it is.

    Args:
        workspace: where it is saved.
        seen: the thread as it was read before.
        theirs: the file as somebody else read it just now: taken unless it was written again since.

    Raises:
        ThreadError: there is no file any more (noted, so that undo brings it back), or none that is a thread
            (not noted: it may be half-written still).
    """
    if not workspace.threads.is_dir():
        return store.read(workspace.threads, seen.stem)  # fails; no folder is made where one went away as a whole
    with thread_locked(workspace.threads, seen.stem):
        path = path_of(workspace.threads, seen.stem)
        if theirs is None or theirs.stamp is None or stamp_of(str(path)) != theirs.stamp:
            there = store.present(workspace.threads, seen.stem)
            if there and there.digest == seen.digest:
                return seen
            theirs = store.stored_as(there, seen.stem) if there else None
        if theirs and theirs.digest == seen.digest:
            return seen
        _record(workspace, seen, theirs and Content(theirs.data, theirs.digest))
    return theirs or store.read(workspace.threads, seen.stem)


def keep_mine(workspace: Workspace, seen: Stored, mine: Thread, what: str = "") -> Stored:
    """Save one's own work over another program's change, which is noted first and can be had back by undo."""
    there = _note(workspace, seen)
    content = Content.of(encode(touched(mine)))
    put(
        workspace,
        seen.stem,
        content,
        there and there.digest,
        recorder(workspace, what or "own work over another program's change"),
    )
    return store.read(workspace.threads, seen.stem)


def mine_as_branch(workspace: Workspace, seen: Stored, mine: Thread) -> Stored:
    """Save one's own work as a branch and leave the file to the other program's change, which is noted."""
    _note(workspace, seen, only_threads=True)
    differs = first_difference(seen.thread.messages, mine.messages)

    def make(stem: str) -> Thread:
        child = branched(mine, len(mine.messages), stem, parent=seen.stem)
        return child if differs is None else with_metadata(child, branched_at=differs)

    return add_branch(workspace, seen, make)


def _note(workspace: Workspace, seen: Stored, *, only_threads: bool = False) -> Content | None:
    """Note the file as it is now in the history, and return what it holds; None when there is no file."""
    with thread_locked(workspace.threads, seen.stem):
        there = store.present(workspace.threads, seen.stem)
        if there is not None and only_threads:
            decode(there.data, f"{seen.stem}.json")
        _record(workspace, seen, there)
    return there


def _record(workspace: Workspace, seen: Stored, there: Content | None) -> None:
    before = Content(seen.data, seen.digest) if seen.data else Content.of(encode(seen.thread))
    history.record_outside(workspace, seen.stem, before, there)
