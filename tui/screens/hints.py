"""What the three most useful keys would do, said where a pane has much room left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from core.storage.thread_files import ROWS
from core.thread.review import verdict_of
from core.thread.stale import stale_messages
from core.thread.summary import Summary
from tui.keys import Action, ActionId, shown_key
from tui.open_thread.thread_work import ThreadWork
from tui.widgets.lines import Line, cells, wrapped

Place = Literal[
    "no threads", "threads", "none open", "begun", "finished", "judged", "proposal", "running", "stale"
]  # fmt: skip
"""A list, empty or not, and a conversation by what can be done with it."""

USEFUL: Mapping[Place, tuple[ActionId, ...]] = {
    "no threads": ("thread.new", "list.propose", "app.model"),
    "threads": ("thread.new", "list.filter", "list.propose"),
    "none open": ("thread.new", "pane.threads", "app.help"),
    "begun": ("turn.run", "turn.run_to_end", "turn.edit"),
    "finished": ("verdict.accept", "verdict.reject", "verdict.why"),
    "judged": ("export.now", "turn.branch", "list.propose"),
    "proposal": ("turn.accept", "turn.retry", "turn.discard"),
    "running": ("turn.stop", "pane.threads", "thread.new"),
    "stale": ("turn.settle", "turn.edit", "turn.undo"),
}
KEY_COLUMNS = 5
LEAST_COLUMNS = 24
"""Columns below which nothing is said."""


def place_of(work: ThreadWork | None, *, any_thread: bool = True) -> Place:
    """What can be done with the open thread, or that none is open, or that there is none at all."""
    if work is None:
        return "none open" if any_thread else "no threads"
    if work.busy:
        return "running"
    if work.slots:
        return "proposal"
    thread = work.stored.thread
    if stale_messages(thread):
        return "stale"
    if thread.status != "finished":
        return "begun"
    return "judged" if verdict_of(thread) else "finished"


def hint_lines(where: Place, actions: Iterable[Action], width: int) -> Sequence[Line]:
    """The hints of a place in `width` columns, and an empty line below them."""
    if width < LEAST_COLUMNS:
        return ()
    of_id = {action.id: action for action in actions}
    lines: list[Line] = []
    for action in (of_id[name] for name in USEFUL[where] if name in of_id):
        key = shown_key(action)
        head: Line = (("  ", "text"), (key, "mark"))
        room = max(KEY_COLUMNS, cells(head) + 1)
        for row in wrapped(action.help, width - room - 1, "dim"):
            lines.append((*head, (" " * (room - cells(head)), "text"), *row))
            head = ()
    return (*lines, ())


def way_out(summary: Summary | None) -> ActionId | None:
    """What makes a thread of a file that is none; None where nothing does."""
    if summary is None:
        return None
    if summary.stem.endswith(ROWS):
        return "threads.import"
    return "threads.migrate" if summary.shape == "v3" else None
