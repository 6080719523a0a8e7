"""`sensorloom list`: the threads of the folder."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click
import msgspec

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.filters.language import parse, select
from core.listing.index import summaries
from core.listing.order import SORTS, Row, arrange
from core.text import counted, one_line
from core.thread.summary import Summary
from core.workspace import Workspace

_CORRECT = {True: "right", False: "WRONG", None: ""}


@click.command("list")
@click.option(
    "--filter", "wanted", default="", metavar="TERMS", help="Which threads, as `status:finished correct:false`."
)
@click.option("--sort", type=click.Choice(list(SORTS)), default="name", show_default=True, help="In which order.")
@json_option
@workspace_options
def command(workspace: Workspace, wanted: str, sort: str, as_json: bool) -> int:
    """List threads: what they are about, how far they are, and how they were judged."""
    chosen = parse(wanted, workspace)
    every = summaries(workspace)
    with progress_bar("checking") as bar:
        chosen.prepare(every, bar or (lambda _done, _total: None))
    found = list(select(workspace.threads, every, chosen))
    rows = arrange(found, sort)
    if as_json:
        print_json([as_document(row.summary) for row in rows])
        return 0
    for line in lines(rows):
        say(line)
    states = Counter("not readable" if one.problem else one.status for one in found)
    counts = "".join(f", {count} {status.replace('_', ' ')}" for status, count in states.most_common())
    of = f" of {len(every)}" if wanted.strip() else ""
    where = "" if every else f" in {workspace.threads}"
    say(f"{len(found)}{of} threads{counts}{where}" if of else f"{counted(len(found), 'thread')}{counts}{where}")
    return 0


def as_document(summary: Summary) -> dict[str, Any]:
    """A summary as JSON has it, by its fields' names."""
    return {name: msgspec.to_builtins(getattr(summary, name)) for name in summary.__struct_fields__}


def lines(rows: list[Row]) -> list[str]:
    """The rows as columns of text; branches stand under their parents."""
    table = [_cells(row) for row in rows]
    widths = [max((len(row[place]) for row in table), default=0) for place in range(5)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), *row[5:]]).rstrip()
        for row in table
    ]


def _cells(row: Row) -> list[str]:
    one = row.summary
    name = f"{'  ' * (row.depth - 1) + '└ ' if row.depth else ''}{one_line(one.stem)}"
    if one.problem:
        state = "v3" if one.shape == "v3" else "not readable"
        return [name, state, "", "", "", one_line(one.problem.removeprefix(f"{one.stem}.json"), 100).lstrip(":, ")]
    answer = f"{one_line(one.truth, 30) or '?'} → {one_line(one.answer, 30) or '…'}"
    return [name, one.status, answer, _CORRECT[one.correct], one.verdict, counted(one.turns, "turn")]
