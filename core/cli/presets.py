"""`sensorloom datasets presets`: the pages of facts by which tables are read."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.text import one_line
from core.workspace import Workspace


@click.command("presets")
@click.argument("name", required=False)
@click.option("--table", "as_table", is_flag=True, help="As the table that docs/datasets.md has.")
@json_option
@workspace_options
def command(workspace: Workspace, name: str | None, as_table: bool, as_json: bool) -> None:
    """List the apps, devices and public sets whose files are known, or show the page of one.

    `datasets import table PATH` reads by the one that fits; --preset NAME names it. Your own pages are TOML files in
    `presets/` beside sensorloom.toml.
    """
    from core.datasets.presets import pages

    known = pages.presets(workspace)
    if name is not None:
        known = [pages.preset_named(name, known)]
    if as_json:
        print_json([pages.as_plain(preset) for preset in known])
    elif name is not None:
        say(known[0].path.read_text(encoding="utf-8").rstrip())
    elif as_table:
        say(pages.as_table(known))
    else:
        width = max(len(preset.name) for preset in known)
        for preset in known:
            told = f"{preset.page.title}{' (yours)' if preset.own else ''}: {preset.page.about}"
            say(f"{preset.name:{width}}  {one_line(told, 1000)}")
