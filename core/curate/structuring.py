"""The order of a thread's turns: a message put in, a turn moved, parallel calls parted, two turns joined.

Each is one step that can be undone.
"""

from __future__ import annotations

from core.curate.editing import ToolsAt, described
from core.curate.steps import commit
from core.errors import UsageError
from core.storage.store import Stored
from core.thread import edits, structure
from core.thread.call_checks import message_problems
from core.thread.turns import turn_at
from core.thread.value import Message, Thread, calls_of
from core.workspace import Workspace


def insert_turn(
    workspace: Workspace,
    stored: Stored,
    position: int,
    message: Message,
    tools_at: ToolsAt | None = None,
    *,
    unchecked: bool = False,
) -> Stored:
    """Put a message of the user or the assistant before message `position`, or at the end, and carry out its calls.

    Args:
        workspace: where it is saved.
        stored: the thread as read.
        position: where a turn begins (`core.thread.structure.after` is behind one), or the number of messages.
        message: the message. Without results for its calls it can only stand where nothing follows.
        tools_at: what its calls are carried out with.
        unchecked: save calls that the thread's own tools would refuse.

    Raises:
        UsageError: it cannot stand there, or a call is not what the thread's tools take, or cannot be carried out.
        ConflictError: the file is no longer what was read.
    """
    problems = [] if unchecked else message_problems(stored.thread, message)
    if problems:
        raise UsageError(f"the call: {problems[0].path}: {problems[0].text}")
    thread = structure.inserted(stored.thread, position, message)
    if calls_of(message):
        thread = _executed(thread, position, tools_at)
    who = "the user's" if message.get("role") == "user" else "the assistant's"
    before = described(stored.thread, turn_at(stored.thread, position - 1).start)
    return commit(workspace, stored, thread, f"{who} message after {before}")


def _executed(thread: Thread, index: int, tools_at: ToolsAt | None) -> Thread:
    tools, context = tools_at(thread, index) if tools_at is not None else ((), None)
    if context is None:
        raise UsageError("the session cannot be read, so the call cannot be carried out, and nothing can follow it")
    return edits.reexecuted(thread, index, tools, context)


def say(workspace: Workspace, stored: Stored, text: str) -> Stored:
    """Put a message of the user at the thread's end, for a run to go on from.

    Raises:
        UsageError: it is empty, or nothing can follow the thread's last message.
        ConflictError: the file is no longer what was read.
    """
    if not text.strip():
        raise UsageError("there is nothing to say")
    return insert_turn(workspace, stored, len(stored.thread.messages), {"role": "user", "content": text.strip()})


def move_turn(workspace: Workspace, stored: Stored, index: int, by: int) -> Stored:
    """Move the turn of message `index` one place up (`by` -1) or down (1). Raises as `core.thread.structure.moved`."""
    thread = structure.moved(stored.thread, index, by)
    return commit(workspace, stored, thread, f"{described(stored.thread, index)} moved {'up' if by < 0 else 'down'}")


def split_calls(workspace: Workspace, stored: Stored, index: int) -> Stored:
    """Put each parallel call of a turn into a turn of its own. Raises as `core.thread.structure.split`."""
    thread = structure.split(stored.thread, index)
    return commit(workspace, stored, thread, f"parting of the calls of {described(stored.thread, index)}")


def join_turns(workspace: Workspace, stored: Stored, index: int) -> Stored:
    """Join a turn with the one after it. Raises as `core.thread.structure.joined`."""
    thread = structure.joined(stored.thread, index)
    return commit(workspace, stored, thread, f"{described(stored.thread, index)} joined with the next")
