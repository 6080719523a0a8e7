"""`sensorloom tools`: the tools a model is offered."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.runs.toolbox import load_toolbox
from core.workspace import Workspace


@click.command("tools")
@json_option
@workspace_options
def command(workspace: Workspace, as_json: bool) -> None:
    """Show the tools a model is offered: the built-in ones and your own.

    With --json it prints their schemas, as they are sent. Your own tools are functions under `@tool` in
    sensorloom_tools.py, in your user configuration or in a workspace that you trust, or from packages with the
    entry point group `sensorloom.tools`.
    """
    toolbox = load_toolbox(workspace)
    for problem in toolbox.problems:
        say(f"note: {problem}", err=True)
    if as_json:
        print_json([tool.schema for tool in toolbox.tools])
        return
    for tool in toolbox.tools:
        properties = tool.parameters.get("properties") or {}
        required = tool.parameters.get("required") or ()
        names = ", ".join(name if name in required else f"{name}?" for name in properties)
        say(f"{tool.name}({names})")
        say(f"    {tool.description}")
