"""`sensorloom failures`: the threads that failed, grouped by how."""

from __future__ import annotations

from itertools import groupby

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.filters.failure_terms import terms_of
from core.filters.language import narrowed, parse, select
from core.listing.failures import FailureGroup, grouped_failures
from core.listing.index import summaries
from core.text import counted, one_line
from core.workspace import Workspace

MOST = 12
"""Groups of one confusion that are shown; `--json` has all."""


@click.command("failures")
@click.option("--filter", "wanted", default="", metavar="TERMS", help="Of which threads; all unless told.")
@json_option
@workspace_options
def command(workspace: Workspace, wanted: str, as_json: bool) -> int:
    """Group the threads that failed by what was taken for what, by the tools on the way, and by what went wrong first.

    What went wrong first is a turn that a person labelled bad, else a call that failed for good, else the conclusion.
    The filter of each group selects its threads in every other command.
    """
    every = summaries(workspace)
    chosen = parse(wanted, workspace)
    with progress_bar("reading") as bar:
        chosen.prepare(every, bar or (lambda _done, _total: None))
        threads = list(select(workspace.threads, every, chosen))
        groups = grouped_failures(workspace.threads, threads, bar or (lambda _done, _total: None)) or []
    if as_json:
        print_json([_document(group, wanted) for group in groups])
        return 0
    for _, some in groupby(groups, key=lambda group: group.pair):
        for line in _lines(list(some)):
            say(line)
    number = sum(len(group.stems) for group in groups)
    say(f"{number} of {counted(len(threads), 'thread')} failed, in {counted(len(groups), 'way')}")
    return 0


def _lines(groups: list[FailureGroup]) -> list[str]:
    first = groups[0]
    number = sum(len(group.stems) for group in groups)
    answer = one_line(first.answer, 40) or "no answer"
    told = [f"{number:>5}  {one_line(first.truth, 40)} → {answer}  ({one_line(first.dataset, 40)})"]
    for group in groups[:MOST]:
        path = " → ".join(one_line(tool, 40) for tool in group.path) or "no tools"
        told.append(f"{len(group.stems):>11}  {one_line(group.step, 60)} · {path}")
    if len(groups) > MOST:
        told.append(f"{'':>11}  … and {len(groups) - MOST} more ways; --json has them")
    return [*told, ""]


def _document(group: FailureGroup, wanted: str) -> dict[str, object]:
    return {
        "dataset": group.dataset,
        "truth": group.truth,
        "answer": group.answer or None,
        "path": list(group.path),
        "first_wrong": group.step,
        "count": len(group.stems),
        "threads": list(group.stems),
        "filter": narrowed(wanted, *terms_of(group)),
    }
