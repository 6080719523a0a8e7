"""Editing messages and turns where they stand, executing calls again, settling what became stale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from core.curate.branching import branch_stale
from core.curate.steps import commit
from core.errors import UsageError
from core.storage.store import Stored
from core.thread import edits, stale, turn_edits
from core.thread.call_checks import message_problems
from core.thread.turns import turn_at
from core.thread.value import Message, Thread, calls_of, is_assistant
from core.workspace import Workspace

if TYPE_CHECKING:
    from tools.registry import Tool, ToolContext

Way = Literal["rerun", "accept", "branch"]


def edit_message(
    workspace: Workspace, stored: Stored, index: int, message: Message, *, unchecked: bool = False
) -> Stored:
    """Save an edited message; what rests on it is marked stale, nothing is deleted.

    Args:
        workspace: where it is saved.
        stored: the thread as read.
        index: which message.
        message: the message as it is to be, unknown keys and all (`core.thread.edits.with_text`, `with_call`).
        unchecked: save calls that the thread's own tools would refuse: a mistake worth keeping as one.

    Raises:
        UsageError: an edited call is not what the thread's tools take; the sentence has the first reason.
        ConflictError: the file is no longer what was read.
    """
    thread = _edited(stored.thread, index, message, unchecked)
    return commit(workspace, stored, thread, f"edit of {described(stored.thread, index)}")


def edit_and_reexecute(
    workspace: Workspace,
    stored: Stored,
    index: int,
    message: Message,
    tools: Sequence[Tool],
    context: ToolContext,
    *,
    unchecked: bool = False,
) -> Stored:
    """Save an edited assistant message and carry out the calls that changed, as one step.

    Raises: as `edit_message`.
    """
    thread = _edited(stored.thread, index, message, unchecked)
    waiting = stale.calls_to_repeat(thread).get(index, ())
    if waiting:
        thread = edits.reexecuted(thread, index, tools, context, waiting)
    return commit(workspace, stored, thread, f"edit of {described(stored.thread, index)}")


def _edited(thread: Thread, index: int, message: Message, unchecked: bool) -> Thread:
    made = edits.edited(thread, index, message)
    if not unchecked:
        problems = message_problems(thread, message, thread.messages[index])
        if problems:
            raise UsageError(f"{described(thread, index)}: {problems[0].path}: {problems[0].text}")
    return made


def reexecute(workspace: Workspace, stored: Stored, index: int, tools: Sequence[Tool], context: ToolContext) -> Stored:
    """Carry out the calls of an assistant message again. Later turns become stale only if a result really changed.

    Raises:
        UsageError: the message calls no tool.
        ConflictError: the file is no longer what was read.
    """
    thread = edits.reexecuted(stored.thread, index, tools, context)
    return commit(workspace, stored, thread, f"execution of {described(stored.thread, index)}")


def settle_stale(
    workspace: Workspace,
    stored: Stored,
    how: Way,
    *,
    tools: Sequence[Tool] | None = None,
    context: ToolContext | None = None,
) -> Stored:
    """Settle what is stale in one of three ways.

    `rerun`: results that are stale or missing before the first stale turn are made again (that needs `tools` and a
    `context`, to which the windows made on the way are added), and the thread is cut there, the old turns kept among
    its alternatives; a run then goes on from its end. `accept`: everything stays as it is and the marks go. `branch`:
    the stale turns move to a thread of their own, where what they rest on still stands, and this one ends before them.

    Raises:
        UsageError: a result must be made again first and there are no tools for it.
        ConflictError: the file is no longer what was read.
    """
    thread = stored.thread
    if not stale.stale_messages(thread):
        return stored
    if how == "accept":
        return commit(workspace, stored, stale.accepted_as_is(thread), "stale turns accepted as they are")
    if how == "branch":
        return branch_stale(workspace, stored)
    made = _repeated(thread, tools, context)
    first = stale.first_stale_turn(made)
    made = made if first is None else stale.cut(made, first)
    return commit(workspace, stored, made, "stale turns taken off to be run again")


def _repeated(thread: Thread, tools: Sequence[Tool] | None, context: ToolContext | None) -> Thread:
    """The thread with the stale and missing results of the turns that stay made again, in order."""
    end = stale.first_stale_turn(thread)
    messages = thread.messages if end is None else thread.messages[:end]
    waiting = [index for index in stale.calls_to_repeat(thread) if index < len(messages)]
    if not waiting:
        return thread
    if tools is None or context is None:
        raise UsageError(f"{described(thread, waiting[0])} must be executed again before the turns after it are run")
    index = 0
    while index < len(thread.messages) and index != stale.first_stale_turn(thread):
        numbers = stale.calls_to_repeat(thread).get(index, ())
        if calls_of(thread.messages[index]):
            # every call on the way is carried out, because later ones may name what it makes
            thread = edits.reexecuted(thread, index, tools, context, numbers, every=True)
        index += 1
    return thread


def delete_turn(workspace: Workspace, stored: Stored, index: int) -> Stored:
    """Take out the turn that message `index` belongs to; an assistant's is kept among the alternatives."""
    what = f"deletion of {described(stored.thread, index)}"
    return commit(workspace, stored, turn_edits.deleted(stored.thread, index), what)


def set_loss(workspace: Workspace, stored: Stored, index: int, train: bool) -> Stored:
    """Train the assistant turn of message `index`, or keep it as context out of the loss."""
    what = f"{described(stored.thread, index)} {'into' if train else 'out of'} the loss"
    return commit(workspace, stored, turn_edits.with_loss(stored.thread, index, train), what)


def described(thread: Thread, index: int) -> str:
    """A message in words, as a step names it: `turn 3`, `the result of turn 3`, `the question`."""
    if not 0 <= index < len(thread.messages):
        return f"message {index + 1}"
    turn = turn_at(thread, index)
    message = thread.messages[index]
    if turn.kind == "query":
        return "the question"
    if turn.kind == "user":
        return f"the user's message after turn {turn.number}"
    if is_assistant(message):
        return f"turn {turn.number}"
    many = len(calls_of(thread.messages[turn.start])) > 1
    return f"result {index - turn.start} of turn {turn.number}" if many else f"the result of turn {turn.number}"
