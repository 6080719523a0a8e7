"""A message in another program's hands: as a text it can edit, and back."""

from __future__ import annotations

from typing import Any

from textual.app import App

from core.errors import UsageError
from core.thread import edits
from core.thread.value import Message, call_arguments, call_name, calls_of, text_of
from tui.terminal.external_editor import text_from_editor
from tui.widgets.message_fields import compact, laid_out

CALL_MARK = "▸ "
"""A line that begins so names a call; its arguments follow."""


def edited_outside(app: App[Any], message: Message, head: str = "") -> Message:
    """The message as a person left it in `$VISUAL` or `$EDITOR`; the app waits, its runs go on.

    `head` is a beginning of the text that stays as it is and is not shown.

    Raises:
        UsageError: the editor cannot be run or failed, or what came back is no such message.
    """
    before = external_text(message, head)
    after = text_from_editor(app, before)
    try:
        return message if after == before else from_external(message, head, after)
    except ValueError as error:
        raise UsageError(f"not taken: {error}") from error


def external_text(message: Message, head: str = "") -> str:
    """A message for another editor: its text, then each call as a line with its name and its arguments below."""
    parts = [text_of(message)[len(head) :]]
    parts += [f"{CALL_MARK}{call_name(call)}\n{laid_out(call_arguments(call))}" for call in calls_of(message)]
    return "\n\n".join(parts)


def from_external(message: Message, head: str, text: str) -> Message:
    """The message as it came back from another editor; what was not touched stays byte for byte.

    Raises:
        ValueError: there are more or fewer calls than the message has; the sentence says so.
    """
    calls = calls_of(message)
    before = external_text(message, head)
    text = text if before.endswith("\n") else text.removesuffix("\n")
    if text == before:
        return message
    body, *blocks = text.split(f"\n\n{CALL_MARK}") if calls else [text]
    if len(blocks) != len(calls):
        raise ValueError(f"there must be {len(calls)} calls, each beginning with a line `{CALL_MARK}name`")
    edited = message
    if body != text_of(message)[len(head) :]:
        edited = edits.with_text(edited, head + body)
    for number, (call, block) in enumerate(zip(calls, blocks, strict=True)):
        name, _, arguments = block.partition("\n")
        stored = call_arguments(call)
        changed = stored if arguments == laid_out(stored) else compact(arguments, stored)
        name = name if name == call_name(call) else name.strip()
        if changed != stored or name != call_name(call):
            edited = edits.with_call(edited, number, name, changed)
    return edited
