"""What was sent before a thread's messages, put before them in its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.curate.prompts import ahead_of, prompt_text, shown_in
from core.datasets.barred import barred_sessions, outside_training
from core.datasets.standard import open_dataset
from core.errors import SensorloomError
from core.export.entry import Entry
from core.export.profiles.profile import Making, Profile, RefusedError
from core.export.report import ExportRequest, Skips
from core.export.source import Source, encode_row
from core.storage.splits_file import SplitBook, read_book
from core.storage.store import read
from core.thread.form import Ahead, form_of
from core.thread.opening import system_prompt
from core.thread.updates import with_part
from core.thread.value import Message, Thread, is_assistant
from core.workspace import Workspace

PROMPT_GONE = "a prompt that is not there any more"
BARRED_EXAMPLE = "shown an example that is kept out of training"


def examples_of(thread: Thread) -> tuple[str, ...]:
    """The names of the threads that a thread was shown as examples, and that leave with it."""
    if not _offers_tools(thread):
        return ()
    return tuple(value.rpartition("@")[0] for value in shown_in(thread))


def barred_example(
    workspace: Workspace, dataset: str, session: str, examples: Sequence[str], book: SplitBook | None = None
) -> str:
    """Why the examples that a thread was shown may not be trained on with it: somebody in them was held out, or came to
    another side of the split, since. Empty where they may, and for a thread that is outside of training itself.

    Args:
        workspace: where the threads are.
        dataset: whose session the thread is about.
        session: that session.
        examples: the names of the threads that it was shown.
        book: who is outside of training; as `splits.json` has it unless told.

    Raises:
        WorkspaceError: `splits.json` is damaged.
    """
    outside = tuple(sorted(outside_training(book or read_book(workspace.root)))) if examples else ()
    if not outside or _is_outside(workspace, dataset, session, outside):
        return ""
    for name in examples:
        try:
            example = read(workspace.threads, name).thread
            if not _is_outside(workspace, example.dataset, example.session, outside):
                continue
            reason = "is of somebody who is kept out of training by now"
        except SensorloomError:
            reason = "is not there any more, so that nobody knows whether it is of somebody who is kept out of training"
        return f"its example {name} {reason}; export it without the system prompt and examples"
    return ""


def without_barred_examples(
    workspace: Workspace, entries: Sequence[Entry], book: SplitBook, skips: Skips
) -> list[Entry]:
    """The entries less those whose examples came to another side of the split just now."""
    free: list[Entry] = []
    for entry in entries:
        if problem := barred_example(workspace, entry.dataset, entry.session, entry.examples, book):
            skips.refuse(entry.stem, BARRED_EXAMPLE, problem)
        else:
            free.append(entry)
    return free


def _is_outside(workspace: Workspace, dataset: str, session: str, outside: tuple[str, ...]) -> bool:
    return session in barred_sessions(open_dataset(workspace, dataset), outside)


def with_system(workspace: Workspace, source: Source) -> Source:
    """The thread with its system prompt alone, as its task is played again (`core.episodes`). Raises UsageError: it is
    not there any more."""
    return _with_ahead(source, Ahead(prompt_text(workspace, form_of(source.thread).system, system_prompt())))


def as_wanted(workspace: Workspace, source: Source, request: ExportRequest, profile: Profile, making: Making) -> Source:
    """The thread with what the request or the profile wants before its messages: its system prompt, and its examples,
    whose turns are out of the loss. For pairs, which are made of the thread's own messages, it stands in `making`.

    Raises:
        RefusedError: it is not there any more, or may not be trained on.
    """
    making.ahead = ()
    if not (request.with_system or profile.prompts):
        return source
    try:
        if profile.prompts:
            return with_system(workspace, source)
        thread = source.thread
        if problem := barred_example(workspace, thread.dataset, thread.session, examples_of(thread)):
            raise RefusedError(BARRED_EXAMPLE, problem)
        ahead = ahead_of(workspace, thread)
        if profile.pairs:
            making.ahead = tuple(_messages_of(ahead, thread))
            return source
        return _with_ahead(source, ahead)
    except SensorloomError as error:
        raise RefusedError(PROMPT_GONE, str(error)) from error


def _with_ahead(source: Source, ahead: Ahead) -> Source:
    before = _messages_of(ahead, source.thread)
    if not before:
        return source
    thread = with_part(source.thread, "messages", [*before, *source.thread.messages])
    return replace(source, thread=thread, data=encode_row(thread.document, source.stem))


def _messages_of(ahead: Ahead, thread: Thread) -> list[Message]:
    before: list[Message] = [{"role": "system", "content": ahead.system}] if ahead.system else []
    examples = ahead.shown(tools=_offers_tools(thread))
    return before + [{**message, "train": False} if is_assistant(message) else message for message in examples]


def _offers_tools(thread: Thread) -> bool:
    """Whether tools were offered: of threads that do not say which, some were."""
    return thread.tools is None or bool(thread.tools)
