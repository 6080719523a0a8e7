"""What was sent before a thread's messages, put before them in its row."""

from __future__ import annotations

from dataclasses import replace

from core.curate.prompts import ahead_of, shown_in
from core.datasets.barred import barred_sessions, outside_training
from core.datasets.standard import open_dataset
from core.errors import SensorloomError
from core.export.source import Source, encode_row
from core.storage.splits_file import read_book
from core.storage.store import read
from core.thread.updates import with_part
from core.thread.value import Message, Thread, is_assistant
from core.workspace import Workspace

PROMPT_GONE = "a prompt that is not there any more"
BARRED_EXAMPLE = "shown an example that is kept out of training"


def barred_example(workspace: Workspace, thread: Thread) -> str:
    """Why the examples that a thread was shown may not be trained on with it: somebody in them was held out, or came to
    another side of the split, since. Empty where they may, and for a thread that is outside of training itself.

    Raises:
        WorkspaceError: `splits.json` is damaged.
    """
    names = [value.rpartition("@")[0] for value in shown_in(thread)]
    outside = tuple(sorted(outside_training(read_book(workspace.root)))) if names else ()
    if not outside or _is_outside(workspace, thread, outside):
        return ""
    for name in names:
        try:
            if not _is_outside(workspace, read(workspace.threads, name).thread, outside):
                continue
            reason = "is of somebody who is kept out of training by now"
        except SensorloomError:
            reason = "is not there any more, so that nobody knows whether it is of somebody who is kept out of training"
        return f"its example {name} {reason}; export it without the system prompt and examples"
    return ""


def _is_outside(workspace: Workspace, thread: Thread, outside: tuple[str, ...]) -> bool:
    return thread.session in barred_sessions(open_dataset(workspace, thread.dataset), outside)


def sent_with(workspace: Workspace, source: Source) -> Source:
    """The thread with its system prompt, and with its examples, whose turns are out of the loss.

    Raises:
        UsageError: one of them is not there any more.
    """
    ahead = ahead_of(workspace, source.thread)
    before: list[Message] = [{"role": "system", "content": ahead.system}] if ahead.system else []
    before += [{**message, "train": False} if is_assistant(message) else message for message in ahead.examples]
    if not before:
        return source
    thread = with_part(source.thread, "messages", [*before, *source.thread.messages])
    return replace(source, thread=thread, data=encode_row(thread.document, source.stem))
