"""What was sent before a thread's messages, put before them in its row."""

from __future__ import annotations

from dataclasses import replace

from core.curate.prompts import ahead_of
from core.export.source import Source, encode_row
from core.thread.updates import with_part
from core.thread.value import Message, is_assistant
from core.workspace import Workspace

PROMPT_GONE = "a prompt that is not there any more"


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
