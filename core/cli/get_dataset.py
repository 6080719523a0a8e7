"""`sensorloom datasets get`: a dataset in the standard form, from a bucket, a URL, a folder or an archive."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.sources import drop_downloads, local_paths
from core.text import counted
from core.workspace import Workspace


@click.command("get")
@click.argument("source", metavar="URL|PATH")
@click.option("--name", metavar="NAME", help="What the dataset is called; as the folder or archive unless told.")
@click.option("--replace", is_flag=True, help="Put it in the place of the dataset of that name, which is kept hidden.")
@json_option
@workspace_options
def get_command(workspace: Workspace, source: str, name: str | None, replace: bool, as_json: bool) -> None:
    """Get a dataset that is in the standard form already.

    It lies in a folder or an archive: s3://bucket/datasets/mine, gs://…, https://host/mine.zip, or here. A download
    that broke off goes on when the same command is started again. Credentials are those of the environment.
    """
    from core.datasets.getting import get_dataset, name_to_take
    from core.datasets.remote import is_url, name_at

    if is_url(source):  # before it is brought here, which may take hours
        name = name_to_take(workspace, name_at(source), name, replace=replace)
    (path,) = local_paths(workspace, [source])
    with progress_bar(f"getting {path.name}") as progress:
        dataset, replaced = get_dataset(workspace, path, name, replace=replace, progress=progress)
    drop_downloads(workspace, [source])
    folder = workspace.data / dataset.name
    if as_json:
        told = {"dataset": dataset.name, "folder": str(folder), "sessions": len(dataset.sessions)}
        print_json(told | {"replaced": str(replaced) if replaced else None})
        return
    say(f"{dataset.name}: {counted(len(dataset.sessions), 'session')} in {workspace.shown(folder)}")
    say(f"  `sensorloom datasets check {dataset.name}` says whether anything in it will not work")
    if replaced:
        say(f"  the dataset that stood there is kept in {workspace.shown(replaced)}; delete it when you like")
