"""`sensorloom endpoints`: the servers that are known, how they are asked, and what they were found to refuse."""

from __future__ import annotations

from typing import Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.errors import UsageError
from core.text import one_line
from core.workspace import Workspace


@click.group("endpoints")
def command() -> None:
    """List the servers that can be asked, and forget what they were found to refuse."""


@command.command("list")
@json_option
@workspace_options
def listed(workspace: Workspace, as_json: bool) -> int:
    """List the endpoints, how each is asked, and what is left out because it refuses it. None of them is asked now."""
    from core.model.endpoints import configured, settings_for
    from core.model.options import OPTIONS, shown_option
    from core.runs.remembered import refusals_of

    rows: list[dict[str, Any]] = []
    for endpoint in configured(workspace):
        settings = settings_for(workspace, endpoint)
        told = {name: getattr(settings, name) for name in OPTIONS if name != "headers" and not endpoint.builtin}
        rows.append(
            {
                "name": endpoint.name,
                "base_url": endpoint.base_url,
                "model": endpoint.model,
                "api_key_env": endpoint.api_key_env,
                "options": {name: value for name, value in told.items() if value is not None},
                "headers": sorted(endpoint.headers),
                "refuses": refusals_of(workspace, endpoint),
            }
        )
    if as_json:
        print_json({"endpoints": rows})
        return 0
    for row in rows:
        say(" ".join(filter(None, (row["name"], row["base_url"] or "comes with the program", row["model"]))))
        told = [f"{name} = {one_line(shown_option(value), 60)}" for name, value in row["options"].items()]
        told += [f"headers {', '.join(row['headers'])}"] if row["headers"] else []
        if told:
            say(f"  {', '.join(told)}")
        for model, names in row["refuses"].items():
            say(f"  {model} is asked without: {', '.join(names)}")
    return 0


@command.command("forget")
@click.argument("name", required=False, default="")
@workspace_options
def forget(workspace: Workspace, name: str) -> int:
    """Forget what an endpoint was found to refuse, or every one: it is asked for that again."""
    from core.model.endpoints import configured
    from core.runs.remembered import forget_refusals

    forgotten = forget_refusals(workspace, name)
    if not forgotten and name and name not in (known := [endpoint.name for endpoint in configured(workspace)]):
        raise UsageError(f"there is no endpoint {name!r}; known: {', '.join(known)}")
    say(f"forgotten: what {', '.join(forgotten)} refuses" if forgotten else "nothing was known to be refused")
    return 0
