"""When another program changes a thread's file: its change is noted, and nobody's work is overwritten unseen."""

from __future__ import annotations

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


def take_theirs(workspace: Workspace, seen: Stored) -> Stored:
    """Read a file again that another program changed; its change becomes one step that can be undone.

    Raises:
        ThreadError: there is no file any more (noted, so that undo brings it back), or none that is a thread
            (not noted: it may be half-written still).
    """
    _note(workspace, seen, only_threads=True)
    return store.read(workspace.threads, seen.stem)


def keep_mine(workspace: Workspace, seen: Stored, mine: Thread, what: str = "") -> Stored:
    """Save one's own work over another program's change, which is noted first and can be had back by undo."""
    there = _note(workspace, seen)
    content = Content.of(encode(touched(mine)))
    put(workspace, seen.stem, content, there, recorder(workspace, what or "own work over another program's change"))
    return store.read(workspace.threads, seen.stem)


def mine_as_branch(workspace: Workspace, seen: Stored, mine: Thread) -> Stored:
    """Save one's own work as a branch and leave the file to the other program's change, which is noted."""
    _note(workspace, seen, only_threads=True)
    differs = first_difference(seen.thread.messages, mine.messages)

    def make(stem: str) -> Thread:
        made = branched(mine, len(mine.messages), stem, parent=seen.stem)
        return made if differs is None else with_metadata(made, branched_at=differs)

    return add_branch(workspace, seen, make)


def _note(workspace: Workspace, seen: Stored, *, only_threads: bool = False) -> str | None:
    """Note the file as it is now in the history. Returns its digest, None when there is no file."""
    with store.locked(workspace.threads):
        there = store.present(workspace.threads, seen.stem)
        if there is not None and only_threads:
            decode(there.data, f"{seen.stem}.json")
        before = Content(seen.data, seen.digest) if seen.data else Content.of(encode(seen.thread))
        history.record_outside(workspace, seen.stem, before, there)
    return there and there.digest
