"""`sensorloom edit`: change a message where it stands."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.run import model_options, refuse_model_options
from core.cli.settle import settled
from core.cli.structure import restructured, way_of
from core.cli.threads import opened
from core.errors import UsageError, system_reason
from core.storage.store import Stored
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of, is_assistant
from core.workspace import Workspace


@click.command("edit")
@click.argument("name", metavar="THREAD")
@click.option("--message", type=click.IntRange(1), required=True, help="Which, as `sensorloom show` numbers them.")
@click.option("--text", help="The text it is to have; for a tool message its result.")
@click.option("--from", "source", metavar="FILE", help="Take the text from a file, or with - from standard input.")
@click.option("--arguments", metavar="JSON", help="The arguments its call is to have.")
@click.option("--tool", help="The tool its call is to name.")
@click.option("--call", type=click.IntRange(1), help="Which call, where the message has several.")
@click.option("--execute", is_flag=True, help="Change nothing, but execute its calls anew and take the results in.")
@click.option("--insert", type=click.Choice(["user", "assistant"]), help="Put in a message after this one's turn.")
@click.option("--move", type=click.Choice(["up", "down"]), help="Move its turn one place.")
@click.option("--split-calls", is_flag=True, help="Give each of its parallel calls a turn of its own.")
@click.option("--join", is_flag=True, help="Join its turn with the one after it.")
@click.option("--force", is_flag=True, help="Save a call that the thread's tools would refuse.")
@click.option("--run-again", is_flag=True, help="Then take off the turns that rest on it, and run to the end.")
@model_options
@json_option
@workspace_options
def command(workspace: Workspace, name: str, message: int, as_json: bool, **options: Any) -> int:
    """Edit a message of a thread: its text, or a tool call's name and arguments.

    A call that changed is executed again; --execute does so with calls as they stand. Nothing later is deleted: what
    rests on the change is marked stale until it is settled (`sensorloom settle`). In the message that holds the
    question, the text is the question alone. --insert (with --text, --tool, --arguments), --move, --split-calls and
    --join change the order of the turns; what cannot be in that order is refused.
    """
    from core import curate
    from core.model.endpoints import choose
    from core.runs.toolbox import tools_at
    from core.thread.edits import message_at

    if options["run_again"]:
        choose(workspace, options["endpoint"], options["model"])  # a wrong one is refused before anything is changed
    else:
        refuse_model_options(options, "--run-again")
    stored = opened(workspace, name)
    index, did = message - 1, "edited"
    if way_of(options):
        text = _text(options["text"], options["source"])
        saved, did = restructured(workspace, stored, index, text, options)
    elif options["execute"]:
        saved, did = _executed(workspace, stored, index, options), "executed the calls of"
    else:
        edited = _edited(stored.thread, index, message_at(stored.thread, index), options)
        with_tools = partial(tools_at, workspace)
        saved = curate.edit_message(workspace, stored, index, edited, with_tools, unchecked=options["force"])
    told = _document(stored, saved, index)
    if did == "edited" and curate.left_unexecuted(stored.thread, saved.thread, index):
        told["note"] = "the session cannot be read, so the call was saved without being executed"
    if not as_json:
        _say(told, did)
    code = 0
    if options["run_again"]:
        code, told["settled"] = settled(workspace, saved, "rerun", options["endpoint"], options["model"])
        if not as_json:
            say(told["settled"]["said"])
    if as_json:
        print_json(told)
    return code


def _edited(thread: Thread, index: int, message: Message, options: dict[str, Any]) -> Message:
    from core.thread.edits import with_text

    text = _text(options["text"], options["source"])
    if text is None and options["arguments"] is None and options["tool"] is None:
        raise UsageError("say what it is to be: --text, --from, --arguments or --tool")
    edited = message if text is None else with_text(message, _head(thread, index) + text)
    if options["arguments"] is not None or options["tool"] is not None:
        edited = _with_call(edited, index, options)
    elif options["call"]:
        raise UsageError("--call says which call --arguments or --tool is for; give one of them")
    return edited


def _text(text: str | None, source: str | None) -> str | None:
    """The text that is given. The line end that closes a file is not taken for part of it."""
    if source is None:
        return text
    if text is not None:
        raise UsageError("give --text or --from, not both")
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return data.decode().removesuffix("\n")
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {system_reason(error)}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{source} is not UTF-8 text (byte {error.start + 1})") from error


def _head(thread: Thread, index: int) -> str:
    """What stands before the question in its message, and stays."""
    from core.thread.question import question_place, question_turn

    question = question_place(thread, question_turn(thread))
    return question[1] if question is not None and question[0] == index else ""


def _with_call(message: Message, index: int, options: dict[str, Any]) -> Message:
    from core.thread.edits import with_call

    if not is_assistant(message):
        raise UsageError(f"message {index + 1} is the {message.get('role')}'s and calls no tool; --text changes it")
    calls = calls_of(message)
    number = options["call"] or 1
    if number > len(calls):
        raise UsageError(f"message {index + 1} has {len(calls)} calls, no number {number}")
    if len(calls) > 1 and not options["call"]:
        raise UsageError(f"message {index + 1} has {len(calls)} calls; say which with --call")
    call = calls[number - 1]
    name, arguments = options["tool"], options["arguments"]
    return with_call(
        message,
        number - 1,
        call_name(call) if name is None else name,
        call_arguments(call) if arguments is None else arguments,
    )


def _executed(workspace: Workspace, stored: Stored, index: int, options: dict[str, Any]) -> Stored:
    from core.curate import reexecute
    from core.runs.toolbox import tools_at

    if any(options[name] is not None for name in ("text", "source", "arguments", "tool", "call")):
        raise UsageError("--execute takes the calls as they are; give it alone")
    tools, context = tools_at(workspace, stored.thread, index)
    if context is None:
        raise UsageError(f"{stored.stem}: the session cannot be read, so nothing can be executed")
    return reexecute(workspace, stored, index, tools, context)


def _document(before: Stored, after: Stored, index: int) -> dict[str, Any]:
    from core.curate.editing import described
    from core.thread.stale import stale_messages

    return {
        "id": after.stem,
        "message": index + 1,
        "what": described(before.thread, index),
        "changed": after.digest != before.digest,
        "stale": [message + 1 for message in stale_messages(after.thread)],
    }


def _say(told: dict[str, Any], did: str) -> None:
    if "note" in told:
        say(f"note: {told['note']}", err=True)
    done = f"{did} {told['what']}" if told["changed"] else f"{told['what']} is that already"
    stale = ", ".join(map(str, told["stale"]))
    rest = f"; stale now: message {stale} (`sensorloom settle {told['id']}` …)" if stale else ""
    say(f"{told['id']}: {done}{rest}")
