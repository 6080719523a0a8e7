"""The queue of threads that a goal wants judged, kept as a saved filter that names them one by one."""

from __future__ import annotations

from collections.abc import Sequence

from core.filters.saved import forget_filter, keep_filter, saved_filters
from core.filters.values import term
from core.workspace import Workspace

QUEUE = "proposed"
"""What the queue is called among the saved filters."""
UNJUDGED = "verdict:none"
"""Those still to be judged."""
ACCEPTED = "status:finished verdict:accept"
"""What is exported once it was judged."""


def leaves_out_judged(text: str) -> bool:
    """Whether a filter shows only threads that are still to be judged, as that of the queue does."""
    return UNJUDGED in text.split()


def keep_queue(workspace: Workspace, stems: Sequence[str]) -> str:
    """Keep these threads as the queue, the first to be judged first, in the place of an earlier one; a filter of a
    person's own that has the queue's name loses only that. Returns the filter that shows the ones still to be judged,
    in this order. Raises SensorloomError when it cannot be kept."""
    ids = ",".join(term("id", stem).removeprefix("id:").strip('"') for stem in stems)
    text = f'id:"{ids}"'
    for saved in saved_filters(workspace):
        if saved.name == QUEUE and saved.text.startswith('id:"') and saved.text != text:
            forget_filter(workspace, saved.text)
    keep_filter(workspace, text, QUEUE)
    return f"saved:{QUEUE} {UNJUDGED}"
