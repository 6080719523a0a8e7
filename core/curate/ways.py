"""Keeping the right ones of several ways at a session, and what the wrong ones are good for."""

from __future__ import annotations

from collections.abc import Sequence

from core.curate.bulk import Bulk, as_one_step
from core.curate.steps import commit, put, recorder
from core.storage.store import Stored
from core.thread.value import Thread
from core.workspace import Workspace


def keep_ways(workspace: Workspace, kept_ways: Sequence[tuple[Stored, Thread]], dropped: Sequence[Stored]) -> Bulk:
    """Save the threads that are kept and move the others to the trash, all as one step. A file that is no longer as it
    was read is left alone, and told among the problems.

    Args:
        workspace: where they are.
        kept_ways: threads as they were read, each with what it is to be.
        dropped: those that leave.
    """
    changes = {stored.stem: (stored, thread) for stored, thread in kept_ways}
    leaving = {stored.stem: stored for stored in dropped}

    def act(stem: str, group: str) -> bool:
        if stem in changes:
            stored, thread = changes[stem]
            return commit(workspace, stored, thread, "one of several ways, kept", group) is not stored
        record = recorder(workspace, "one of several ways, not kept", group)
        put(workspace, stem, None, leaving[stem].digest, record)
        return True

    return as_one_step(workspace, [*changes, *leaving], act)
