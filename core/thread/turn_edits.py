"""Whole turns taken out, and kept out of the loss: pure functions from a thread to a new one."""

from __future__ import annotations

from core.errors import UsageError
from core.thread.alternatives import shifted, with_turn_kept
from core.thread.edits import answered_calls, assistant_turn, message_at
from core.thread.stale import made_by, mark_after, without
from core.thread.turns import turn_at
from core.thread.updates import with_messages
from core.thread.value import Thread


def deleted(thread: Thread, index: int) -> Thread:
    """The thread without the turn that message `index` belongs to. An assistant's turn is kept as an alternative.

    Raises:
        UsageError: it is the question that opens the thread.
    """
    message_at(thread, index)
    turn = turn_at(thread, index)
    if turn.kind == "question":
        raise UsageError("the question that opens a thread cannot be deleted: edit it, or delete the thread")
    gone: set[str] = set()
    if turn.kind == "assistant":
        for call, answer in answered_calls(thread, index):
            gone |= made_by(call, thread.messages[answer]) if answer is not None else set()
    messages = [*thread.messages[: turn.start], *thread.messages[turn.end :]]
    if turn.kind != "stray":
        messages = mark_after(messages, turn.start, turn.start, gone, calls_changed=turn.kind == "assistant")
    shorter = shifted(with_messages(thread, messages), turn.end, turn.start - turn.end)
    return with_turn_kept(shorter, thread, turn, "discarded") if turn.kind == "assistant" else shorter


def with_loss(thread: Thread, index: int, train: bool) -> Thread:
    """The thread with the assistant turn of message `index` trained, or kept as context only (`"train": false`).

    Raises:
        UsageError: the message belongs to no assistant turn.
    """
    turn = assistant_turn(thread, index, "only what the assistant says is trained on; choose one of its turns")
    message = without(thread.messages[turn.start], "train", "weight")
    message = message if train else {**message, "train": False}
    return with_messages(thread, [*thread.messages[: turn.start], message, *thread.messages[turn.start + 1 :]])
