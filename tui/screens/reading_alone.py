"""What keys may do in an evaluation's threads: they are read, and nothing in them changes, or its figures would not be
those of the models any more."""

from __future__ import annotations

from tui.keys import ActionId

READ_ONLY = "to be read"
_READS: frozenset[ActionId] = frozenset(
    (
        "pane.next", "pane.previous", "pane.threads", "pane.conversation", "pane.sensors", "pane.enter",
        "search.begin", "search.next", "search.previous", "search.end", "turn.next_call", "turn.previous_call",
        "turn.unfold_all", "turn.fold_all", "copy.choose", "list.filter", "list.sort", "list.saved", "list.similar",
        "list.similar_end", "list.mark", "list.mark_range", "list.mark_all", "list.unmark", "list.blind",
        "list.statistics", "list.failures", "turn.tree", "turn.compare", "turn.stop", "check.next",
        "sensor.plot", "sensor.play", "app.colours", "app.palette", "app.help", "app.suspend", "app.quit",
    )
)  # fmt: skip


def changes(action: ActionId) -> bool:
    """Whether an action does more than show."""
    return action not in _READS


def refused(action: ActionId) -> str:
    """Why such an action does nothing in an evaluation's threads; empty for one that only shows."""
    if not changes(action):
        return ""
    return "these threads are an evaluation's answers: they are read, and nothing in them is changed"
