"""`sensorloom replay`: execute stored tool calls again and compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from typing import Any

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.run_cluster import delivery_in, ray_options
from core.cli.run_progress import STOPPED
from core.cli.spread import spread_on
from core.cli.threads import chosen, filter_option
from core.errors import DatasetError
from core.processes.items import Undone
from core.runs.replay import ReplayedCall
from core.runs.replay_many import replay_many
from core.runs.toolbox import load_toolbox
from core.storage.thread_files import stems
from core.text import counted
from core.workspace import Workspace

_WORDS = {"same": "same", "differs": "differ", "edited": "edited by hand", "cannot": "cannot be replayed"}


@click.command("replay")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@ray_options
@json_option
@workspace_options
def command(workspace: Workspace, names: tuple[str, ...], wanted: str, ray: str, as_json: bool, **ways: Any) -> int:
    """Execute stored tool calls again and compare the results; all threads unless some are named or filtered.

    The exit code is 1 when a result differs, or a named thread cannot be read. Calls whose data are missing and
    results that are marked as edited are told, and are no failure. After ctrl-C it tells what was replayed by then, and
    exits with 130.
    """
    come = delivery_in({"ray": ray, **ways})
    named = chosen(workspace, names, wanted) if names or wanted.strip() else None
    every = stems(workspace.threads) if named is None else named
    for problem in load_toolbox(workspace).problems:
        say(f"note: {problem}", err=True)
    told = _Told(as_json)
    needs: dict[str, Any] = {"size_of": lambda thread: len(thread.data)}
    if ray:
        needs |= {"datasets": _datasets(workspace, every), "tables": True, "with_tools": True, **come}
    with spread_on(ray, workspace, **needs) as (spread, cancelled), progress_bar("replaying") as bar:
        told.aside = bar is not None
        with closing(replay_many(workspace, every, spread)) as outcomes:
            for done, (stem, outcome) in enumerate(outcomes, 1):
                told.hear(stem, outcome)
                if bar is not None:
                    bar(done, len(every))
                if cancelled():
                    break
    return told.end(len(every)) or (1 if named and told.unreadable else 0)


def _datasets(workspace: Workspace, among: Sequence[str]) -> tuple[str, ...]:
    """The datasets that these threads are about, as far as they are here."""
    from core.datasets.standard import open_dataset
    from core.listing.index import summaries

    wanted = set(among)
    names = {summary.dataset for summary in summaries(workspace) if summary.stem in wanted and not summary.problem}
    there: list[str] = []
    for name in sorted(names):
        with suppress(DatasetError):
            there.append(open_dataset(workspace, name).name)
    return tuple(there)


class _Told:
    """What is said of each thread, and of all."""

    def __init__(self, as_json: bool) -> None:
        self.aside = False
        """Whether lines wait until all are there, as a bar stands where they would come."""
        self.unreadable: list[str] = []
        self._as_json = as_json
        self._waiting: list[tuple[str, bool]] = []
        self._rows: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()
        self._read = 0
        self._undone = 0

    def hear(self, stem: str, outcome: tuple[ReplayedCall, ...] | str | Undone) -> None:
        """Take what came of a thread."""
        if not isinstance(outcome, tuple):
            self._undone += isinstance(outcome, Undone)
            problem = f"{stem}: {outcome.reason}" if isinstance(outcome, Undone) else outcome
            self.unreadable.append(problem)
            self._say(f"not replayed: {problem}", err=True)
            return
        self._read += 1
        self._counts.update(call.status for call in outcome)
        if self._as_json:
            self._rows.append({"id": stem, "calls": [_row(call) for call in outcome]})
        else:
            for line in _lines(stem, outcome):
                self._say(line)

    def end(self, of: int) -> int:
        """Say what is to be said of all of so many threads. Returns the exit code, by what came of them."""
        counts, left = self._counts, of - self._read - len(self.unreadable)
        self.aside = False
        for line, err in self._waiting:
            say(line, err=err)
        if self._as_json:
            document = {"threads": self._rows, "totals": {status: counts[status] for status in _WORDS}}
            stopped = {"stopped": True, "not_replayed": left} if left else {}
            print_json(document | {"unreadable": self.unreadable} | stopped)
        else:
            words = ", ".join(f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status])
            calls = counted(counts.total(), "call")
            say(f"{counted(self._read, 'thread')}, {calls}: {words or 'nothing to replay'}")
        if left:
            say(f"sensorloom: stopped: {counted(left, 'thread')} not replayed", err=True)
            return STOPPED
        return 1 if counts["differs"] or self._undone else 0

    def _say(self, line: str, *, err: bool = False) -> None:
        if self.aside:
            self._waiting.append((line, err))
        else:
            say(line, err=err)


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


def _lines(stem: str, calls: Iterable[ReplayedCall]) -> Iterator[str]:
    """What is worth a line: everything but results that are the same."""
    for call in calls:
        if call.status == "same":
            continue
        reason = f" ({call.reason})" if call.reason else ""
        yield f"{stem}, message {call.message + 1}, {call.name}: {_WORDS[call.status]}{reason}"
        if call.diff:
            yield "\n".join(f"    {line}" for line in call.diff.splitlines()[2:])
