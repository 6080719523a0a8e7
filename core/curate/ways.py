"""Keeping the right ones of several ways at a session, and what the wrong ones are good for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.curate.bulk import Bulk, as_one_step
from core.curate.steps import commit, put, recorder
from core.storage.store import Stored
from core.thread.value import Thread
from core.workspace import Workspace

SortedOut = tuple[Sequence[tuple[Stored, Thread]], Sequence[Stored]]
"""Of one session the threads that are kept, as they were read and as they are to be; and those that leave."""


def keep_ways(
    workspace: Workspace, sessions: Sequence[Sequence[str]], sort_out: Callable[[Sequence[str]], SortedOut]
) -> Bulk:
    """Save the threads that are kept and move the others to the trash, all as one step. A file that is no longer as it
    was read is left alone, and told among the problems.

    Args:
        workspace: where they are.
        sessions: the stems of each session's threads.
        sort_out: reads those of a session and says what becomes of them; called for each shortly before it is done.
    """
    session_of = {stem: stems for stems in sessions for stem in stems}
    waiting: dict[str, tuple[Stored, Thread | None]] = {}
    """What is sorted out and not done."""

    def ahead(stems: Sequence[str]) -> None:
        for stem in stems:
            if (session := session_of.pop(stem, None)) is None:
                continue
            kept_ways, dropped = sort_out(session)
            waiting.update({stored.stem: (stored, thread) for stored, thread in kept_ways})
            waiting.update({stored.stem: (stored, None) for stored in dropped})
            for other in session:
                session_of.pop(other, None)

    def act(stem: str, group: str) -> bool:
        if stem not in waiting:  # it is no thread any more
            return False
        stored, thread = waiting.pop(stem)
        if thread is not None:
            return commit(workspace, stored, thread, "one of several ways, kept", group) is not stored
        record = recorder(workspace, "one of several ways, not kept", group)
        put(workspace, stem, None, stored.digest, record)
        return True

    return as_one_step(workspace, [stem for stems in sessions for stem in stems], act, ahead=ahead)
