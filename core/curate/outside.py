"""When another program changes a thread's file: its change is noted, and nobody's work is overwritten unseen."""

from __future__ import annotations

from typing import Literal

from core.curate.branching import add_branch
from core.curate.steps import put, recorder
from core.storage import history, store
from core.storage.atomic import Content
from core.storage.store import Stored
from core.thread.branches import branched
from core.thread.compare import first_difference
from core.thread.json_form import decode, encode
from core.thread.value import Thread, touched, with_metadata
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


def take_theirs(workspace: Workspace, seen: Stored) -> Stored:
    """Read a file again that another program changed; its change becomes one step that can be undone.

    Raises:
        ThreadError: there is no file any more (noted, so that undo brings it back), or none that is a thread
            (not noted: it may be half-written still).
    """
    there = _note(workspace, seen, only_threads=True)
    return store.stored_as(there, seen.stem) if there is not None else store.read(workspace.threads, seen.stem)


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
    with store.locked(workspace.threads):
        there = store.present(workspace.threads, seen.stem)
        if there is not None and only_threads:
            decode(there.data, f"{seen.stem}.json")
        before = Content(seen.data, seen.digest) if seen.data else Content.of(encode(seen.thread))
        history.record_outside(workspace, seen.stem, before, there)
    return there
