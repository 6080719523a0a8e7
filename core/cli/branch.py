"""`sensorloom branch`: a new thread that goes another way."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.threads import opened, turn_number
from core.workspace import Workspace


@click.command("branch")
@click.argument("name", metavar="THREAD")
@click.option("--at", type=click.IntRange(0), metavar="TURN", help="The last turn to keep; 0 keeps the question alone.")
@click.option(
    "--question",
    "--query",
    "question",
    metavar="TEXT",
    help="Ask this instead, of the user's turn there; the first unless --at.",
)
@json_option
@workspace_options
def command(workspace: Workspace, name: str, at: int | None, question: str | None, as_json: bool) -> int:
    """Copy a thread up to a turn into a new one, and print its id. The thread itself is not touched.

    `sensorloom run` then goes on from its end.
    """
    from core.curate import branch

    stored = opened(workspace, name)
    if at is None:
        position = len(stored.thread.messages) if question is None else 0
    else:
        turn = turn_number(stored, at)
        position = turn.start if question is not None and at == 0 else turn.end
    branched = branch(workspace, stored, position, question)
    if as_json:
        metadata = branched.thread.metadata
        told = {key: metadata.get(key) for key in ("parent_id", "branched_at", "num_turns", "status", "user_query")}
        print_json({"id": branched.stem, **told})
    else:
        say(branched.stem)
    return 0
