"""`sensorloom mcp`: the tools of a session for any agent that speaks the Model Context Protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import say, workspace_options
from core.errors import UsageError
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.episodes.tasks import Task


@click.command("mcp")
@click.option("--dataset", required=True, metavar="NAME", help="The dataset.")
@click.option("--session", metavar="ID", help="One session of it.")
@click.option("--split", metavar="SIDE", help="Sessions drawn from train, val or test.")
@click.option("--http", type=click.IntRange(0, 65535), metavar="PORT",
              help="Streamable HTTP on this computer alone, 0: a free port. Else standard input.")  # fmt: skip
@click.option("--record", is_flag=True, help="Write what the agent does as a thread, its answer by a tool `answer`.")
@click.option("--question", metavar="TEXT", help="What is asked; made from the seed unless told.")
@click.option("--kind", "kinds", metavar="KIND,…", help="What is asked for (`sensorloom questions`).")
@click.option("--evidence", type=click.Choice(["reference", "measure"]), help="What answers may rest on.")
@click.option("--seed", type=int, default=0, show_default=True, help="For the order of sessions and the words.")
@workspace_options
def command(workspace: Workspace, **options: Any) -> int:
    """Let an agent read a session with the tools, over MCP. No label is in its reach: not in a tool, not in a result.

    Needs the official SDK: pip install 'sensorloom[mcp]'. Logs and the address go to standard error.
    """
    from core.mcp_server.server import serve_http, serve_stdio
    from core.mcp_server.work import Work

    def told(stem: str) -> None:
        say(f"recording {stem}", err=True)

    work = Work(tasks_named(workspace, options), records=options["record"], told=told)
    if options["http"] is None:
        serve_stdio(work)
    else:
        serve_http(work, options["http"], lambda address: say(f"serving {address}", err=True))
    return 0


def tasks_named(workspace: Workspace, options: Mapping[str, Any]) -> list[Task]:
    """What is given out, by the options of the command: all with the same tools. Raises UsageError, DatasetError."""
    from dataclasses import replace

    from core.datasets.standard import open_dataset
    from core.episodes.sides import side_of
    from core.episodes.tasks import played_form, task_of, tasks
    from core.runs.mode import evidence_for_all
    from core.storage.splits_file import read_book
    from core.thread.form import KEY, row_of

    evidence = options["evidence"] or evidence_for_all(workspace)  # a server names its tools once
    session, split, question = options["session"], options["split"], options["question"]
    kinds = options["kinds"] or "activity"
    if bool(session) == bool(split):
        raise UsageError("name one session with --session, or a side with --split, of which sessions are drawn")
    if question and options["kinds"]:
        raise UsageError("`--question` asks for the activity in your words, `--kind` for something else: give one")
    if split:
        drawn = tasks(workspace, options["dataset"], split, kinds=kinds, seed=options["seed"], evidence=evidence)
        return [replace(task, question=question) for task in drawn] if question else drawn
    opened = open_dataset(workspace, options["dataset"])
    side = side_of(read_book(workspace.root), opened, session)
    row = {
        "dataset": opened.name, "session": session, "question": question, "kind": kinds, "seed": options["seed"],
        "evidence": evidence, KEY: row_of(played_form(workspace)),
    }  # fmt: skip
    return [task_of(workspace, row, side)]
