"""`sensorloom edit --insert`, `--move`, `--split-calls` and `--join`: the order of a thread's turns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from core.errors import UsageError
from core.storage.store import Stored
from core.workspace import Workspace

WAYS = ("insert", "move", "split_calls", "join")
"""Options of `edit` that change the order."""


def way_of(options: Mapping[str, Any]) -> str:
    """Which of them is asked for; empty for none. Raises UsageError for several, or for one with another edit."""
    ways = [name for name in WAYS if options[name]]
    if not ways:
        return ""
    if len(ways) > 1:
        raise UsageError("give one of --insert, --move, --split-calls and --join")
    others = ("execute", "run_again", "call", *(() if ways[0] == "insert" else ("text", "source", "arguments", "tool")))
    for name in others:
        if options[name]:
            raise UsageError(
                f"--{ways[0].replace('_', '-')} takes no --{'from' if name == 'source' else name.replace('_', '-')}"
            )
    return ways[0]


def restructured(
    workspace: Workspace, stored: Stored, index: int, text: str | None, options: Mapping[str, Any]
) -> tuple[Stored, str]:
    """Do what the options ask for. Returns the thread as saved, and what was done, as `edited` stands for an edit."""
    from core import curate

    match way_of(options):
        case "insert":
            return _inserted(workspace, stored, index, text, options), f"put the {options['insert']}'s message after"
        case "move":
            by = -1 if options["move"] == "up" else 1
            return curate.move_turn(workspace, stored, index, by), f"moved {options['move']}:"
        case "split_calls":
            return curate.split_calls(workspace, stored, index), "gave each call a turn of its own:"
        case _:
            return curate.join_turns(workspace, stored, index), "joined with the turn after it:"


def _inserted(workspace: Workspace, stored: Stored, index: int, text: str | None, options: Mapping[str, Any]) -> Stored:
    from core.curate import insert_turn
    from core.runs.toolbox import tools_at
    from core.thread.edits import with_call
    from core.thread.structure import after

    tool, arguments = options["tool"], options["arguments"]
    if text is None and tool is None:
        raise UsageError("say what is put in: --text or --from, and for the assistant --tool and --arguments")
    message: Mapping[str, Any] = {"role": options["insert"], "content": text or ""}
    if tool is not None or arguments is not None:
        if options["insert"] == "user" or tool is None:
            raise UsageError("--tool with --arguments is a call that the assistant makes")
        message = with_call(message, 0, tool, arguments or "{}")
    position = after(stored.thread, index)
    with_tools = partial(tools_at, workspace)
    return insert_turn(workspace, stored, position, message, with_tools, unchecked=options["force"])
