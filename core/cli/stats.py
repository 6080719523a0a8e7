"""`sensorloom stats`: what a selection of threads amounts to."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.filters.language import parse, select
from core.listing.index import summaries
from core.listing.statistics import Count, DatasetStatistics, Statistics, interval, label_sets, statistics
from core.listing.variety import Variety, described, variety
from core.text import counted, one_line
from core.thread.cost import spent
from core.thread.scoring import ACTIVITY
from core.workspace import Workspace

MOST = 12
"""Rows of the longer tables; `--json` has all."""


@click.command("stats")
@click.option("--filter", "wanted", default="", metavar="TERMS", help="Which threads; all unless told.")
@click.option("--quick", is_flag=True, help="Without how varied they are, which takes reading every thread.")
@json_option
@workspace_options
def command(workspace: Workspace, wanted: str, quick: bool, as_json: bool) -> int:
    """Count threads: balance of labels, wrong answers, kinds of questions, confidence, turns, tools that were used, and
    how varied they are."""
    chosen = parse(wanted, workspace)
    threads = list(select(workspace.threads, summaries(workspace), chosen))
    counts = statistics(threads, label_sets(workspace, threads, chosen.on_summary))
    variation = None if quick else _variety(workspace, [thread.stem for thread in threads if not thread.problem])
    if as_json:
        print_json({**msgspec.to_builtins(counts), "variety": msgspec.to_builtins(variation)})
        return 0
    for line in lines(counts):
        say(line)
    if variation is not None and variation.threads:
        told = described(variation)
        widest = max(len(name) for name, _ in told)
        for line in ("", "variety", *(f"{name.ljust(widest)}  {figure}" for name, figure in told)):
            say(line)
    return 0


def _variety(workspace: Workspace, stems: Sequence[str]) -> Variety | None:
    with progress_bar("reading") as bar:
        return variety(workspace.threads, stems, bar) if bar else variety(workspace.threads, stems)


def lines(counts: Statistics) -> list[str]:
    """The statistics as a person reads them."""
    total = counts.total
    rows = [f"{counted(total.threads, 'thread')}, {total.finished} finished, {total.right} right, {total.wrong} wrong, "
            f"{total.accepted} accepted, {total.rejected} rejected"]  # fmt: skip
    if counts.unreadable:
        rows.append(f"{counted(counts.unreadable, 'file')} more that cannot be read as threads")
    if told := spent(counts.tokens_read, counts.tokens, counts.cost):
        rows.append(told)
    if counts.judge is not None:
        rows.append(counts.judge.in_words())
    for dataset in counts.datasets:
        rows += _dataset(dataset)
    if any(count.name != ACTIVITY for count in counts.questions):
        rows += _table("kinds of question", counts.questions)
    rows += _table("confidence", counts.confidence, "not stated")
    rows += _table("reasons of verdicts", counts.reasons)
    rows += _table("tags", counts.tags)
    rows += _table("turns", counts.turns)
    rows += _table("tool calls", counts.calls)
    rows += _table("tools", counts.tools)
    ways = [way.count for way in counts.paths if way.tools]
    return [*rows, *_table(f"ways through the tools ({len(ways)} different)", ways)]


def _dataset(dataset: DatasetStatistics) -> list[str]:
    heads = ("threads", "finished", "right", "wrong", "accepted", "rejected", "ready")
    rows = [(one_line(dataset.name) or "no dataset", *heads)]
    rows += [(one_line(row.name, 40) or "no label", *(str(getattr(row, head)) for head in heads))
             for row in dataset.labels]  # fmt: skip
    told = ["", *_columns(rows)]
    if needs := [f"{row.missing} more {one_line(row.name, 40)}" for row in dataset.labels if row.missing]:
        told.append(f"to be balanced it needs {', '.join(needs)}")
    wrong = [(f"{one_line(row.truth, 40)} → {one_line(row.answer, 40)}", str(row.threads))
             for row in dataset.answers if row.truth and not row.right]  # fmt: skip
    return [*told, "", *_columns([("wrong answers", "threads"), *wrong[:MOST]]), *_more(wrong)] if wrong else told


def _table(title: str, counts: Sequence[Count], unnamed: str = "") -> list[str]:
    if not counts:
        return []
    rows: list[tuple[str, ...]] = [(title, "threads", "right", "wrong", "right %", "95 %")]
    for count in counts[:MOST]:
        judged = count.right + count.wrong
        low, high = (f"{100 * share:.0f}" for share in interval(count.right, judged))
        shares = (f"{100 * count.right / judged:.0f}", f"{low}-{high}") if judged else ("", "")
        rows.append(
            (one_line(count.name, 90) or unnamed, str(count.threads), str(count.right), str(count.wrong), *shares)
        )
    return ["", *_columns(rows), *_more(counts)]


def _more(rows: Sequence[object]) -> list[str]:
    return [f"… and {len(rows) - MOST} more; --json has them"] if len(rows) > MOST else []


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]
