"""`sensorloom show`: one thread, its messages numbered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.list import lines
from core.cli.threads import opened
from core.listing.order import Row
from core.storage.store import Stored
from core.text import counted
from core.thread.cost import cost_of_all, spent, tokens_in
from core.thread.form import KEY, SHOWN, checksum_in, form_in
from core.thread.question import question_place, question_turn
from core.thread.summary import summary_of
from core.thread.turns import turns
from core.thread.value import call_arguments, call_name, calls_of, in_loss, text_of
from core.workspace import Workspace

_INDENT = " " * 6


@click.command("show")
@click.argument("name", metavar="THREAD")
@json_option
@workspace_options
def command(workspace: Workspace, name: str, as_json: bool) -> None:
    """Show a thread. Messages are numbered as `edit --message` and `check` count them, turns as `branch --at` does.

    The dataset's description, which opens a thread, is left out; with --json messages are whole.
    """
    stored = opened(workspace, name)
    if as_json:
        print_json(_document(stored))
        return
    for line in lines([Row(summary_of(stored.thread, stored.stem), 0)]):
        say(line)
    read, written = tokens_in(stored.thread.messages)
    cost = cost_of_all(stored.thread.messages)
    if told := spent(read, written, cost):
        say(told)
    if told := form_line(stored.thread.metadata):
        from core.curate.task import is_changed

        say(told + ("; made with another prompt than now" if is_changed(workspace, stored.thread.metadata) else ""))
    for number, text in enumerate(_texts(stored), 1):
        say(f"{number:>4}  {text}")


def form_line(metadata: Mapping[str, Any]) -> str:
    """The form of the thread's task with its checksum; empty where the thread keeps none."""
    checksum = checksum_in(metadata)
    shown = len(metadata[KEY].get(SHOWN, ())) if checksum else 0
    examples = f", after {counted(shown, 'example')}" if shown else ""
    return f"form {form_in(metadata).name} ({checksum}){examples}" if checksum else ""


def _document(stored: Stored) -> dict[str, object]:
    messages = [
        {"number": index + 1, "turn": turn.number, "kind": turn.kind, "message": stored.thread.messages[index]}
        for turn in turns(stored.thread)
        for index in range(turn.start, turn.end)
    ]
    return {"id": stored.stem, "metadata": stored.thread.metadata, "messages": messages}


def _texts(stored: Stored) -> Iterator[str]:
    from core.curate.editing import in_words

    thread = stored.thread
    question = question_place(thread, question_turn(thread))
    for turn in turns(thread):
        for index in range(turn.start, turn.end):
            message = thread.messages[index]
            marks = [word for key, word in (("stale", "stale"), ("edited", "edited by hand")) if message.get(key)]
            marks += ["out of the loss"] if not in_loss(message) else []
            text = text_of(message)
            if question is not None and index == question[0]:
                text = text[len(question[1]) :]
            elif turn.kind == "question":
                text = "(what describes the data)"
            parts = [f"{in_words(thread, turn, index)}{''.join(f' [{mark}]' for mark in marks)}"]
            parts += [f"{_INDENT}{line}" for line in text.splitlines()]
            parts += [f"{_INDENT}▸ {call_name(call)} {call_arguments(call)}" for call in calls_of(message)]
            yield "\n".join(parts)
