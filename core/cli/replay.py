"""`sensorloom replay`: execute stored tool calls again and compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.threads import chosen, filter_option
from core.errors import ThreadError
from core.runs.replay import ReplayedCall, replay
from core.runs.toolbox import load_toolbox
from core.storage.store import read_all
from core.text import counted
from core.workspace import Workspace

_WORDS = {"same": "same", "differs": "differ", "edited": "edited by hand", "cannot": "cannot be replayed"}


@click.command("replay")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@json_option
@workspace_options
def command(workspace: Workspace, names: tuple[str, ...], wanted: str, as_json: bool) -> int:
    """Execute stored tool calls again and compare the results; all threads unless some are named or filtered.

    The exit code is 1 when a result differs, or a named thread cannot be read. Calls whose data are missing and
    results that are marked as edited are told, and are no failure.
    """
    stems = chosen(workspace, names, wanted) if names or wanted.strip() else None
    toolbox = load_toolbox(workspace)
    for problem in toolbox.problems:
        say(f"note: {problem}", err=True)
    counts: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    unreadable: list[str] = []
    read = 0
    for stored in read_all(workspace.threads, stems):
        if isinstance(stored, ThreadError):
            unreadable.append(str(stored))
            say(f"not replayed: {stored}", err=True)
            continue
        read += 1
        calls = replay(workspace, stored.thread, toolbox.tools)
        counts.update(call.status for call in calls)
        if as_json:
            rows.append({"id": stored.stem, "calls": [_row(call) for call in calls]})
        else:
            _tell(stored.stem, calls)
    if as_json:
        totals = {status: counts[status] for status in _WORDS}
        print_json({"threads": rows, "totals": totals, "unreadable": unreadable})
    else:
        told = ", ".join(f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status])
        say(f"{counted(read, 'thread')}, {counted(counts.total(), 'call')}: {told or 'nothing to replay'}")
    return 1 if counts["differs"] or (stems and unreadable) else 0


def _row(call: ReplayedCall) -> dict[str, Any]:
    row: dict[str, Any] = {
        "message": call.message + 1,
        "tool_call_id": call.call_id,
        "name": call.name,
        "arguments": call.arguments,
        "status": call.status,
    }
    if call.reason:
        row["reason"] = call.reason
    if call.status != "same":
        row |= {"stored": call.stored, "now": call.now}
    return row


def _tell(stem: str, calls: Iterable[ReplayedCall]) -> None:
    """What is worth a line: everything but results that are the same."""
    for call in calls:
        if call.status == "same":
            continue
        reason = f" ({call.reason})" if call.reason else ""
        say(f"{stem}, message {call.message + 1}, {call.name}: {_WORDS[call.status]}{reason}")
        if call.diff:
            say("\n".join(f"    {line}" for line in call.diff.splitlines()[2:]))
