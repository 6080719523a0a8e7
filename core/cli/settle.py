"""`sensorloom settle`: what becomes of turns that rest on something that changed."""

from __future__ import annotations

from typing import Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.run import model_options, refuse_model_options, run_on
from core.cli.threads import opened
from core.errors import UsageError
from core.storage.store import Stored
from core.workspace import Workspace


@click.command("settle")
@click.argument("name", metavar="THREAD")
@click.option("--accept", "how", flag_value="accept", help="Keep everything as it is.")
@click.option("--branch", "how", flag_value="branch", help="Move the stale turns to a branch, and end before them.")
@click.option("--rerun", "how", flag_value="rerun", help="Take the stale turns off, and run to the end from there.")
@model_options
@json_option
@workspace_options
def command(workspace: Workspace, name: str, how: str | None, endpoint: str, model: str, as_json: bool) -> int:
    """Settle the stale turns of a thread in one of three ways. What is taken off stays among the alternatives."""
    from core.model.endpoints import choose

    if how is None:
        raise UsageError("say how: --accept, --branch or --rerun")
    if how == "rerun":
        choose(workspace, endpoint, model)  # a wrong one is refused before anything is changed
    else:
        refuse_model_options({"endpoint": endpoint, "model": model}, "--rerun")
    stored = opened(workspace, name)
    code, told = settled(workspace, stored, how, endpoint, model)
    if as_json:
        print_json(told)
    else:
        say(f"{stored.stem}: {told['said']}")
    return code


def settled(workspace: Workspace, stored: Stored, how: Any, endpoint: str, model: str) -> tuple[int, dict[str, Any]]:
    """Settle a thread, and run it on where that is the way. Returns the exit code, and what `--json` tells."""
    from core import curate
    from core.runs.toolbox import tools_at
    from core.storage import history
    from core.thread.stale import stale_messages

    waiting = stale_messages(stored.thread)
    told: dict[str, Any] = {
        "id": stored.stem,
        "said": "nothing is stale",
        "stale": [index + 1 for index in waiting],
        "branch": None,
        "run": None,
    }
    result = stored
    if waiting:
        tools, context = tools_at(workspace, stored.thread, len(stored.thread.messages))
        result = curate.settle_stale(workspace, stored, how, tools=tools, context=context)
        step = history.read(workspace, stored.stem).last
        if step is not None:
            told["said"] = step.what
            others = history.stems_of_group(workspace, step.group) if step.group else []
            told["branch"] = next((stem for stem in others if stem != stored.stem), None)
    if how != "rerun" or result.thread.status != "active":
        return 0, told
    code, told["run"] = run_on(workspace, stored.stem, endpoint, model)
    return code, told
