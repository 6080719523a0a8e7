"""A hint of a person's own, said to the model in the middle of a thread and stored nowhere; what it wrote is looked
through for traces of it.

Unlike a thread that was begun with a hint, one that shows it is not thrown away: it is somebody's work. It stays
recorded as unchecked, which the checks name (`lint:hint`), until it is edited and looked through again.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.curate.steps import commit
from core.errors import UsageError
from core.lint.finding import Context
from core.lint.hint import hint_trace
from core.lint.label_set import dataset_labels
from core.storage.store import Stored
from core.thread.hint import STRIPPED, UNCHECKED, hint_of, with_hint
from core.workspace import Workspace


def whispered(workspace: Workspace, stored: Stored) -> Stored:
    """Record that what follows is made with a hint. Raises UsageError where nothing follows."""
    if stored.thread.status == "finished":
        raise UsageError(f"{stored.stem} is finished; branch from one of its turns to go on differently")
    return commit(workspace, stored, with_hint(stored.thread, UNCHECKED), "a hint to the model, stored nowhere")


def look_through(workspace: Workspace, stored: Stored, hints: Sequence[str]) -> tuple[Stored, str]:
    """Look for traces of hints in a thread that is over.

    Args:
        workspace: where it is saved.
        stored: the thread; one that goes on, or was made without a hint, stays as it is.
        hints: what was said to the model, as far as that is known.

    Returns:
        The thread, recorded as stripped where nothing shows; and else in one sentence what does.
    """
    if hint_of(stored.thread) != UNCHECKED or stored.thread.status == "active":
        return stored, ""
    context = Context(stored.stem, dataset_labels(workspace, stored.thread.dataset))
    if trace := hint_trace(stored.thread, context, hints):
        return stored, f"{stored.stem} shows the hint: {trace}; edit that, or reject the thread"
    return commit(workspace, stored, with_hint(stored.thread, STRIPPED), "hint checked"), ""
