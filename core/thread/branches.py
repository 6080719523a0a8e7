"""A thread that goes another way from some point of another."""

from __future__ import annotations

from core.errors import UsageError
from core.thread.proposal import ORIGIN
from core.thread.question import question_turn, with_question
from core.thread.turns import Turn, boundary, turns, with_thread_id
from core.thread.updates import recount, with_metadata
from core.thread.value import Thread, is_assistant, timestamp

_NOT_COPIED = ("review", "tags", "last_modified")
"""What was said of the parent as a whole says nothing of the branch."""

_OF_TURNS = ("model", "temperature", "seed", "max_tokens")
"""What was said of turns that made them says nothing of a branch without any."""


def branched(thread: Thread, position: int, stem: str, *, parent: str, question: str | None = None) -> Thread:
    """A new thread with the first `position` messages, cut at the end of the turn that falls into.

    Every call and its result get the ids they would have had in the new thread. Alternatives stay with the
    parent: they were made there, and copied they would count twice as preference data. So do verdict and tags.

    Args:
        thread: where it branches off.
        position: how many messages to keep; at least the question is kept.
        stem: the new thread's id.
        parent: the id that the branch names as its parent.
        question: another question in the user's turn at `position` (or the one that ends there); what follows is left.

    Raises:
        UsageError: a question is given, and there is no user's turn at `position`.
    """
    start = thread
    if question is None:
        own = cut = max(boundary(thread, position), question_turn(thread).end)
    else:
        turn = _user_turn(thread, position)
        start, own = with_question(thread, turn, question)
        cut = turn.end
    messages = with_thread_id(start.messages[:cut], stem)
    metadata = {key: value for key, value in start.metadata.items() if key not in _NOT_COPIED}
    if not any(map(is_assistant, messages)):
        metadata = {key: value for key, value in metadata.items() if key not in _OF_TURNS}
        if isinstance(made_by := metadata.pop("made_by", None), dict):
            if rest := {key: value for key, value in made_by.items() if key not in ORIGIN}:
                metadata["made_by"] = rest
    document = {key: value for key, value in start.document.items() if key != "alternatives"}
    branch = recount(Thread({**document, "id": stem, "metadata": metadata, "messages": messages}))
    return with_metadata(branch, created_at=timestamp(), parent_id=parent, branched_at=own)


def _user_turn(thread: Thread, position: int) -> Turn:
    spans = [turn for turn in turns(thread) if turn.kind in ("question", "user")]
    at = next((turn for turn in spans if turn.start <= position < turn.end), None)
    at = at or next((turn for turn in spans if turn.end == position), None)
    if at is None:
        raise UsageError("a branch with another question begins at a user's turn; choose the question")
    return at
