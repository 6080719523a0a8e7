"""What was sent before a thread's messages, put before them in its row."""

from __future__ import annotations

from dataclasses import replace

from core.curate.prompts import ahead_of, prompt_text, shown_in
from core.datasets.barred import barred_sessions, outside_training
from core.datasets.standard import open_dataset
from core.errors import SensorloomError
from core.export.profiles.profile import Profile, RefusedError
from core.export.report import ExportRequest
from core.export.source import Source, encode_row
from core.storage.splits_file import read_book
from core.storage.store import read
from core.thread.form import Ahead, form_of
from core.thread.opening import system_prompt
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
    return _with_ahead(source, ahead_of(workspace, source.thread))


def with_system(workspace: Workspace, source: Source) -> Source:
    """The thread with its system prompt alone, as its task is played again (`core.episodes`). Raises UsageError: it is
    not there any more."""
    return _with_ahead(source, Ahead(prompt_text(workspace, form_of(source.thread).system, system_prompt())))


def as_wanted(workspace: Workspace, source: Source, request: ExportRequest, profile: Profile) -> Source:
    """The thread with what the request or the profile wants before its messages.

    Raises:
        RefusedError: it is not there any more, or may not be trained on.
    """
    if not (request.with_system or profile.prompts):
        return source
    try:
        if profile.prompts:
            return with_system(workspace, source)
        if problem := barred_example(workspace, source.thread):
            raise RefusedError(BARRED_EXAMPLE, problem)
        return sent_with(workspace, source)
    except SensorloomError as error:
        raise RefusedError(PROMPT_GONE, str(error)) from error


def _with_ahead(source: Source, ahead: Ahead) -> Source:
    before: list[Message] = [{"role": "system", "content": ahead.system}] if ahead.system else []
    before += [{**message, "train": False} if is_assistant(message) else message for message in ahead.examples]
    if not before:
        return source
    thread = with_part(source.thread, "messages", [*before, *source.thread.messages])
    return replace(source, thread=thread, data=encode_row(thread.document, source.stem))
