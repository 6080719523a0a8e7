"""`sensorloom replay`: execute stored tool calls again and compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.errors import ThreadError
from core.runs.replay import ReplayedCall, replay
from core.runs.toolbox import load_toolbox
from core.storage.store import read_all
from core.text import counted
from core.workspace import Workspace

_WORDS = {"same": "same", "differs": "differ", "edited": "edited by hand", "cannot": "cannot be replayed"}


@click.command("replay")
@click.argument("stems", nargs=-1, metavar="[THREAD]...")
@json_option
@workspace_options
def command(workspace: Workspace, stems: tuple[str, ...], as_json: bool) -> int:
    """Execute stored tool calls again and compare the results; all threads unless some are named.

    The exit code is 1 when a result differs, or a named thread cannot be read. Calls whose data are missing and
    results that are marked as edited are told, and are no failure.
    """
    toolbox = load_toolbox(workspace)
    for problem in toolbox.problems:
        say(f"note: {problem}", err=True)
    counts: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    unreadable: list[str] = []
    read = 0
    for found in read_all(workspace.threads, stems or None):
        if isinstance(found, ThreadError):
            unreadable.append(str(found))
            say(f"not replayed: {found}", err=True)
            continue
        read += 1
        calls = replay(workspace, found.thread, toolbox.tools)
        counts.update(one.status for one in calls)
        if as_json:
            rows.append({"id": found.stem, "calls": [_row(one) for one in calls]})
        else:
            _tell(found.stem, calls)
    if as_json:
        totals = {status: counts[status] for status in _WORDS}
        print_json({"threads": rows, "totals": totals, "unreadable": unreadable})
    else:
        told = ", ".join(f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status])
        say(f"{counted(read, 'thread')}, {counted(counts.total(), 'call')}: {told or 'nothing to replay'}")
    return 1 if counts["differs"] or (stems and unreadable) else 0


def _row(one: ReplayedCall) -> dict[str, Any]:
    row: dict[str, Any] = {
        "message": one.message + 1,
        "tool_call_id": one.call_id,
        "name": one.name,
        "arguments": one.arguments,
        "status": one.status,
    }
    if one.reason:
        row["reason"] = one.reason
    if one.status != "same":
        row |= {"stored": one.stored, "now": one.found}
    return row


def _tell(stem: str, calls: Iterable[ReplayedCall]) -> None:
    """What is worth a line: everything but results that are the same."""
    for one in calls:
        if one.status == "same":
            continue
        reason = f" ({one.reason})" if one.reason else ""
        say(f"{stem}, message {one.message + 1}, {one.name}: {_WORDS[one.status]}{reason}")
        if one.diff:
            say("\n".join(f"    {line}" for line in one.diff.splitlines()[2:]))
