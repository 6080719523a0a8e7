"""A hint: the truth, said to a teacher in a message that is never stored, and the record that it was.

Zelikman et al. (2022), STaR, call it rationalization: a model that knows where to arrive finds a way there more often.
What it wrote is only fit to teach when nothing in it shows that it knew.
"""

from __future__ import annotations

from core.thread.scoring import asks_for_a_label, kind_in
from core.thread.value import Thread
from core.thread.ways import made_by, with_made_by

HINT = (
    "Between us, and to be written nowhere: {truth}. Look at it with the tools and reason "
    "from their results alone, step by step, like somebody who has to find out; conclude what they show. "
    "Never name a label before the results speak for it, and never let anybody see that you were told."
)
UNCHECKED, STRIPPED = "unchecked", "stripped"
"""What `metadata.made_by.hint` says: whether nothing of the hint stayed is not known yet, or it was checked."""


def hint_for(thread: Thread) -> str:
    """What the teacher is told about the thread's session: its label, or what else the question asks for."""
    labelled = asks_for_a_label(kind_in(thread.metadata))
    return HINT.format(truth=f"{'this session is labelled' if labelled else 'the right answer is'} {thread.truth}")


def same_hint(hint: str, _thread: Thread) -> str:
    """A hint that is this one whatever the thread is: `partial(same_hint, hint)` goes with a job to another process."""
    return hint


def hint_of(thread: Thread) -> str:
    """`unchecked`, `stripped`, or nothing for a thread that was made without a hint."""
    value = made_by(thread).get("hint")
    return value if isinstance(value, str) else ""


def with_hint(thread: Thread, state: str) -> Thread:
    """The thread with the record that it was made with a hint."""
    return with_made_by(thread, hint=state)
