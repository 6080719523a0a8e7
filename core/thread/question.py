"""The user's question inside the messages that open a thread."""

from __future__ import annotations

from collections.abc import Sequence

from core.thread.opening import opening_of
from core.thread.scoring import activity_in, states_its_form
from core.thread.turns import Turn, each_turn
from core.thread.updates import recount, with_messages, with_metadata
from core.thread.value import Message, Thread, text_of


def question_turn(thread: Thread) -> Turn:
    """The messages before the assistant first speaks; an empty span when there are none."""
    first = next(each_turn(thread.messages), None)
    return first if first is not None and first.kind == "question" else Turn("question", 0, 0, 0)


def question_place(thread: Thread, turn: Turn) -> tuple[int, str] | None:
    """The message of a user's turn that holds the question, and what stands before it there.

    That is the last text that carries the mark, as FORMAT.md has it, or else the last plain text: in the shape with
    several leading messages the question stands alone after the manifest and an object.
    """
    texts = [
        (index, text_of(message))
        for index, message in enumerate(thread.messages[turn.start : turn.end], turn.start)
        if message.get("role") == "user" and isinstance(message.get("content"), str)
    ]
    for index, text in reversed(texts):
        head = text.removesuffix(thread.question)
        if head != text and opening_of(head).question_at == len(head):
            return index, head
        if (start := opening_of(text).question_at) is not None:
            return index, text[:start]
    return (texts[-1][0], "") if texts else None


def question_of(thread: Thread) -> str | None:
    """The question as the messages have it; None when they hold none."""
    at = question_place(thread, question_turn(thread))
    return None if at is None else text_of(thread.messages[at[0]])[len(at[1]) :]


def with_question(thread: Thread, turn: Turn, question: str) -> tuple[Thread, int]:
    """The thread with another question in this user's turn, and the message that changed.

    The metadata's `user_query` follows when it is the turn that opens the thread. A question of another kind than that
    for the activity which no longer says the form of its answer asks for the activity from then on.

    Raises:
        ValueError: the turn holds no text.
    """
    at = question_place(thread, turn)
    if at is None:
        raise ValueError("this turn holds no question")
    index, before = at
    changed: Sequence[Message] = [
        *thread.messages[:index],
        {**thread.messages[index], "content": before + question},
        *thread.messages[index + 1 :],
    ]
    asked = with_messages(thread, changed)
    if turn.kind != "question":
        return asked, index
    asked = with_metadata(asked, user_query=question)
    if "activity" in thread.metadata and not states_its_form(question):
        activity = activity_in(thread.metadata)
        asked = recount(with_metadata(asked, question_kind=..., activity=..., ground_truth=activity))
    return asked, index
