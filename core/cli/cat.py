"""`sensorloom cat`: threads as they are, a line of JSON each."""

from __future__ import annotations

import click
import msgspec

from core.cli.commands import say, workspace_options
from core.cli.threads import chosen, filter_option
from core.errors import ThreadError, UsageError
from core.storage.thread_files import path_of, read_bytes, stems
from core.workspace import Workspace


@click.command("cat")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@click.option("--all", "every", is_flag=True, help="Every thread of the folder.")
@workspace_options
def command(workspace: Workspace, names: tuple[str, ...], wanted: str, every: bool) -> int:
    """Write threads as they are stored, each as one line of JSON, whether they are files or packed:

    sensorloom cat --filter verdict:accept | jq .metadata.session
    """
    if every == bool(names or wanted.strip()):
        raise UsageError("name threads, select them with --filter, or give --all alone, which is every thread")
    failed = 0
    for stem in stems(workspace.threads) if every else chosen(workspace, names, wanted):
        try:
            line = msgspec.json.format(
                read_bytes(path_of(workspace.threads, stem)).removeprefix(b"\xef\xbb\xbf"), indent=-1
            )
            click.echo(line)
        except (ThreadError, msgspec.DecodeError) as error:
            failed += 1
            reason = str(error) if isinstance(error, ThreadError) else f"{stem}.json: no JSON: {error}"
            say(f"sensorloom: {reason}", err=True)
    return 1 if failed else 0
