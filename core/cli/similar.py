"""`sensorloom similar`: threads that are like one, the nearest first, each with why."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.list import as_document
from core.cli.threads import stem_of
from core.filters.language import parse, select
from core.listing.index import summaries
from core.listing.order import NEAREST, arrange
from core.listing.similar import NEAR, similar_to
from core.text import one_line
from core.workspace import Workspace


@click.command("similar")
@click.argument("name", metavar="THREAD")
@click.option("--filter", "wanted", default="", metavar="TERMS", help="Only threads of this filter.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The N nearest, near or not.")
@json_option
@workspace_options
def command(workspace: Workspace, name: str, wanted: str, limit: int | None, as_json: bool) -> int:
    """Find threads that are like one: in the order of their tools, in wording, and in the sensors of their sessions.

    `--filter "similar:THREAD correct:false"` selects them in every other command; nothing here looks at labels.
    """
    every = summaries(workspace)
    stem = stem_of(name)
    with progress_bar("looking") as bar:
        likeness = similar_to(workspace, every, stem, bar or (lambda _done, _total: None)) or {}
        chosen = parse(wanted, workspace)
        chosen.prepare(every, bar or (lambda _done, _total: None))
    listed = [summary for summary in select(workspace.threads, every, chosen) if summary.stem in likeness]
    rows = [row.summary for row in arrange(listed, NEAREST, likeness=likeness) if row.summary.stem != stem]
    near = rows[:limit] if limit else [summary for summary in rows if likeness[summary.stem].score >= NEAR]
    if as_json:
        print_json([
            {"likeness": round(likeness[summary.stem].score, 4), "reason": likeness[summary.stem].reason,
             **as_document(summary)}
            for summary in near
        ])  # fmt: skip
        return 0
    width = max((len(summary.stem) for summary in near), default=0)
    for summary in near:
        like = likeness[summary.stem]
        answer = f"{one_line(summary.truth, 30) or '?'} → {one_line(summary.answer, 30) or '…'}"
        say(f"{like.score:.0%}  {one_line(summary.stem).ljust(width)}  {answer}  {like.reason}")
    of = f"the {len(near)} nearest to" if limit else f"{len(near)} of {len(rows)} other threads are like"
    say(f"{of} {stem}" + ("" if near or limit or not rows else "; --limit 5 shows the nearest all the same"))
    return 0
