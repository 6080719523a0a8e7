"""`sensorloom tree`: all threads about a thread's session, branches under their parents."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.threads import stem_of
from core.listing.index import summaries
from core.listing.session_tree import Node, connectors, session_tree, where
from core.text import counted, one_line
from core.workspace import Workspace


@click.command("tree")
@click.argument("name", metavar="THREAD")
@json_option
@workspace_options
def command(workspace: Workspace, name: str, as_json: bool) -> int:
    """Show every thread about a thread's session as a tree: which branched off which, where, and what it says.

    Messages are counted as `sensorloom show` numbers them.
    """
    stem = stem_of(name)
    nodes = session_tree(summaries(workspace), stem)
    if as_json:
        print_json([_document(node) for node in nodes])
        return 0
    rows = [_cells(node, stem) for node in nodes]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        say("  ".join([*padded, row[4]]).rstrip())
    session = one_line(nodes[0].summary.session, 60) or "no session"
    say(f"{counted(len(nodes), 'thread')} about {session}")
    return 0


def _cells(node: Node, stem: str) -> tuple[str, ...]:
    summary = node.summary
    name = f"{'*' if summary.stem == stem else ' '} {connectors(node)}{one_line(summary.stem)}"
    answer = f"{one_line(summary.truth, 30) or '?'} → {one_line(summary.answer, 30) or '…'}"
    remarks = " ".join([summary.verdict, *(f"#{one_line(tag, 24)}" for tag in summary.tags)]).strip()
    return name, where(summary), answer, counted(summary.turns, "turn"), remarks


def _document(node: Node) -> dict[str, object]:
    summary = node.summary
    at = summary.branched_at
    return {
        "id": summary.stem,
        "parent": summary.parent or None,
        "depth": node.depth,
        "branched_at_message": at + 1 if summary.parent and at is not None else None,
        "truth": summary.truth,
        "answer": summary.answer or None,
        "status": summary.status,
        "verdict": summary.verdict or None,
        "tags": list(summary.tags),
        "turns": summary.turns,
    }
