"""`sensorloom list`: the threads of the folder."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click
import msgspec

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.filters.language import parse, select
from core.listing.index import summaries
from core.listing.order import NEAREST, SORTS, Row, arrange
from core.storage.thread_files import ROWS, file_name
from core.text import counted, one_line
from core.thread.summary import Summary
from core.workspace import Workspace

_CORRECT = {True: "right", False: "WRONG", None: ""}


@click.command("list")
@click.option(
    "--filter", "wanted", default="", metavar="TERMS", help="Which threads, as `status:finished correct:false`."
)
@click.option("--sort", type=click.Choice(list(SORTS)),
              help="In which order: by name unless told, the nearest first with `similar:`.")  # fmt: skip
@click.option("--reverse", is_flag=True, help="The last ones first.")
@json_option
@workspace_options
def command(workspace: Workspace, wanted: str, sort: str | None, reverse: bool, as_json: bool) -> int:
    """List threads: what they are about, how far they are, and how they were judged."""
    chosen = parse(wanted, workspace)
    every = summaries(workspace)
    with progress_bar("checking") as bar:
        chosen.prepare(every, bar or (lambda _done, _total: None))
    listed = list(select(workspace.threads, every, chosen))
    order = sort or (NEAREST if chosen.likeness else "name")
    rows = arrange(listed, order, turned=reverse, places=chosen.places, likeness=chosen.likeness)
    if as_json:
        print_json([as_document(row.summary) for row in rows])
        return 0
    for line in lines(rows):
        say(line)
    states = Counter("not readable" if thread.problem else thread.status for thread in listed)
    counts = "".join(f", {count} {status.replace('_', ' ')}" for status, count in states.most_common())
    of = f" of {len(every)}" if wanted.strip() else ""
    where = "" if every else f" in {workspace.threads}"
    say(f"{len(listed)}{of} threads{counts}{where}" if of else f"{counted(len(listed), 'thread')}{counts}{where}")
    return 0


def as_document(summary: Summary) -> dict[str, Any]:
    """A summary as JSON has it, by its fields' names."""
    return {name: msgspec.to_builtins(getattr(summary, name)) for name in summary.__struct_fields__}


def lines(rows: list[Row]) -> list[str]:
    """The rows as columns of text; branches stand under their parents."""
    table = [_cells(row) for row in rows]
    widths = [max((len(row[column]) for row in table), default=0) for column in range(5)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), *row[5:]]).rstrip()
        for row in table
    ]


def _cells(row: Row) -> list[str]:
    summary = row.summary
    name = f"{'  ' * (row.depth - 1) + '└ ' if row.depth else ''}{one_line(summary.stem)}"
    if summary.problem:
        state = "v3" if summary.shape == "v3" else "rows" if summary.stem.endswith(ROWS) else "not readable"
        return [
            name,
            state,
            "",
            "",
            "",
            one_line(summary.problem.removeprefix(file_name(summary.stem)), 100).lstrip(":, "),
        ]
    answer = f"{one_line(summary.truth, 30) or '?'} → {one_line(summary.answer, 30) or '…'}"
    return [name, summary.status, answer, _CORRECT[summary.correct], summary.verdict, counted(summary.turns, "turn")]
