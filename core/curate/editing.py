"""Editing messages and turns where they stand, executing calls again, settling what became stale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from core.curate.branching import branch_stale
from core.curate.bulk import Bulk, Progress, as_one_step
from core.curate.steps import commit
from core.errors import UsageError
from core.storage import store
from core.storage.store import Stored
from core.thread import edits, stale, turn_edits
from core.thread.call_checks import message_problems
from core.thread.edits import message_at
from core.thread.turns import Turn, turn_at, turns
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of, is_assistant
from core.workspace import Workspace

if TYPE_CHECKING:
    from tools.registry import Tool, ToolContext

Way = Literal["rerun", "accept", "branch"]
ToolsAt = Callable[[Thread, int], tuple[Sequence["Tool"], "ToolContext | None"]]
"""Given a thread and the index of a message: the tools, and what its calls work on, or None where the session cannot be
read (`core.runs.toolbox.tools_at`)."""


def edit_message(
    workspace: Workspace,
    stored: Stored,
    index: int,
    message: Message,
    tools_at: ToolsAt | None = None,
    *,
    unchecked: bool = False,
) -> Stored:
    """Save an edited message, and carry out the calls that changed; one step. What else rests on it is marked stale,
    nothing is deleted. Whether the calls could be carried out, `left_unexecuted` tells.

    Args:
        workspace: where it is saved.
        stored: the thread as read.
        index: which message.
        message: the message as it is to be, unknown keys and all (`core.thread.edits.with_text`, `with_call`).
        tools_at: what its calls are carried out with; they are left as they are, their results stale, without it.
        unchecked: save calls that the thread's own tools would refuse: a mistake worth keeping as one.

    Raises:
        UsageError: an edited call is not what the thread's tools take; the sentence has the first reason.
        ConflictError: the file is no longer what was read.
    """
    thread = stored.thread
    problems = [] if unchecked else message_problems(thread, message, message_at(thread, index))
    if problems:
        raise UsageError(f"{described(thread, index)}: {problems[0].path}: {problems[0].text}")
    what = f"edit of {described(thread, index)}"
    return commit(workspace, stored, edited_and_executed(thread, index, message, tools_at), what)


def edited_and_executed(thread: Thread, index: int, message: Message, tools_at: ToolsAt | None) -> Thread:
    """The thread with another message in this place and the calls that changed carried out, where they can be."""
    before = message_at(thread, index)
    thread = edits.edited(thread, index, message)
    if tools_at is None or not changes_calls(before, message):
        return thread
    tools, context = tools_at(thread, index)
    waiting = stale.calls_to_repeat(thread).get(index, ())
    return thread if context is None or not waiting else edits.reexecuted(thread, index, tools, context, waiting)


def changes_calls(before: Message, after: Message) -> bool:
    """Whether an edit of a message changes what it calls: a tool's name or its arguments."""
    named = [[(call_name(call), call_arguments(call)) for call in calls_of(message)] for message in (before, after)]
    return named[0] != named[1]


def left_unexecuted(before: Thread, after: Thread, index: int) -> bool:
    """Whether an edit changed the calls of a message and they could not be carried out: the session cannot be read."""
    changed = changes_calls(before.messages[index], after.messages[index])
    return changed and index in stale.calls_to_repeat(after)


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
    repeated = _repeated(thread, tools, context)
    first = stale.first_stale_turn(repeated)
    shorter = repeated if first is None else stale.cut(repeated, first)
    return commit(workspace, stored, shorter, "stale turns taken off to be run again")


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


def set_loss_of(
    workspace: Workspace, stems: Iterable[str], numbers: Sequence[int], train: bool, progress: Progress | None = None
) -> Bulk:
    """Train the turns of these numbers, counted from 1, in several threads, or keep them out of the loss; one step."""
    which = f"turn {numbers[0]}" if len(numbers) == 1 else f"turns {', '.join(map(str, numbers))}"
    what = f"{which} {'into' if train else 'out of'} the loss"

    def act(stem: str, group: str) -> bool:
        stored = store.read(workspace.threads, stem)
        thread = stored.thread
        for number in numbers:
            thread = turn_edits.with_loss(thread, numbered_turn(stored, number).start, train)
        return commit(workspace, stored, thread, what, group) is not stored

    return as_one_step(workspace, stems, act, progress)


def numbered_turn(stored: Stored, number: int) -> Turn:
    """The assistant turn of this number, from 1; 0 is the question. Raises UsageError."""
    every = turns(stored.thread)
    for turn in every:
        if turn.number == number and turn.kind == ("assistant" if number else "question"):
            return turn
    last = max((turn.number for turn in every), default=0)
    raise UsageError(f"{stored.stem} has {last} turns, no number {number}")


def described(thread: Thread, index: int) -> str:
    """A message in words, as a step names it: `turn 3`, `the result of turn 3`, `the question`."""
    if not 0 <= index < len(thread.messages):
        return f"message {index + 1}"
    return in_words(thread, turn_at(thread, index), index)


def in_words(thread: Thread, turn: Turn, index: int) -> str:
    """The same of a message of which it is known to which turn it belongs."""
    message = thread.messages[index]
    if turn.kind == "question":
        return "the question"
    if turn.kind == "user":
        return f"the user's message after turn {turn.number}"
    if is_assistant(message):
        return f"turn {turn.number}"
    many = len(calls_of(thread.messages[turn.start])) > 1
    return f"result {index - turn.start} of turn {turn.number}" if many else f"the result of turn {turn.number}"
