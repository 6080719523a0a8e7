"""`sensorloom stats`: what a selection of threads amounts to."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from core.cli.commands import json_option, print_json, say, workspace_options
from core.filters.language import parse, select
from core.listing.index import summaries
from core.listing.statistics import Count, DatasetStatistics, Statistics, interval, label_sets, statistics
from core.text import counted, one_line
from core.workspace import Workspace

MOST = 12
"""Rows of the longer tables; `--json` has all."""


@click.command("stats")
@click.option("--filter", "wanted", default="", metavar="TERMS", help="Which threads; all unless told.")
@json_option
@workspace_options
def command(workspace: Workspace, wanted: str, as_json: bool) -> int:
    """Count threads: the balance of labels, wrong answers, confidence, turns, and the tools that were used."""
    chosen = parse(wanted, workspace)
    found = list(select(workspace.threads, summaries(workspace), chosen))
    counts = statistics(found, label_sets(workspace, found, chosen.on_summary))
    if as_json:
        print_json(msgspec.to_builtins(counts))
        return 0
    for line in lines(counts):
        say(line)
    return 0


def lines(found: Statistics) -> list[str]:
    """The statistics as a person reads them."""
    one = found.total
    said = [f"{counted(one.threads, 'thread')}, {one.finished} finished, {one.right} right, {one.wrong} wrong, "
            f"{one.accepted} accepted, {one.rejected} rejected"]  # fmt: skip
    if found.unreadable:
        said.append(f"{counted(found.unreadable, 'file')} more that cannot be read as threads")
    for dataset in found.datasets:
        said += _dataset(dataset)
    said += _table("confidence", found.confidence, "not stated")
    said += _table("turns", found.turns)
    said += _table("tool calls", found.calls)
    said += _table("tools", found.tools)
    ways = [way.count for way in found.paths if way.tools]
    return [*said, *_table(f"ways through the tools ({len(ways)} different)", ways)]


def _dataset(dataset: DatasetStatistics) -> list[str]:
    heads = ("threads", "finished", "right", "wrong", "accepted", "rejected", "ready")
    rows = [(one_line(dataset.name) or "no dataset", *heads)]
    rows += [(one_line(one.name, 40) or "no label", *(str(getattr(one, head)) for head in heads))
             for one in dataset.labels]  # fmt: skip
    said = ["", *_columns(rows)]
    if needs := [f"{one.missing} more {one_line(one.name, 40)}" for one in dataset.labels if one.missing]:
        said.append(f"to be balanced it needs {', '.join(needs)}")
    wrong = [(f"{one_line(one.truth, 40)} → {one_line(one.answer, 40)}", str(one.threads))
             for one in dataset.answers if one.truth and not one.right]  # fmt: skip
    return [*said, "", *_columns([("wrong answers", "threads"), *wrong[:MOST]]), *_more(wrong)] if wrong else said


def _table(title: str, counts: Sequence[Count], unnamed: str = "") -> list[str]:
    if not counts:
        return []
    rows: list[tuple[str, ...]] = [(title, "threads", "right", "wrong", "right %", "95 %")]
    for one in counts[:MOST]:
        judged = one.right + one.wrong
        low, high = (f"{100 * share:.0f}" for share in interval(one.right, judged))
        shares = (f"{100 * one.right / judged:.0f}", f"{low}-{high}") if judged else ("", "")
        rows.append((one_line(one.name, 90) or unnamed, str(one.threads), str(one.right), str(one.wrong), *shares))
    return ["", *_columns(rows), *_more(counts)]


def _more(rows: Sequence[object]) -> list[str]:
    return [f"… and {len(rows) - MOST} more; --json has them"] if len(rows) > MOST else []


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]
