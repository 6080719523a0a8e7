"""`sensorloom datasets show`: a dataset at a glance."""

from __future__ import annotations

import shutil

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.workspace import Workspace


@click.command("show")
@click.argument("name")
@json_option
@workspace_options
def show_command(workspace: Workspace, name: str, as_json: bool) -> None:
    """Say what a dataset holds: counts, lengths, rates, subjects, and what each label looks like in each channel.

    Of each label a session in the middle is drawn, all on one scale by channel, so that quiet ones look quiet.
    """
    from core.datasets.overview import overview_lines, overview_of
    from core.datasets.standard import open_dataset

    with progress_bar(f"looking at {name}") as progress:
        overview = overview_of(open_dataset(workspace, name), progress)
    if as_json:
        print_json(overview.as_json())
        return
    for line in overview_lines(overview, max(40, shutil.get_terminal_size((120, 24)).columns)):
        say(line)
