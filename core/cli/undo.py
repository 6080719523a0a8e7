"""`sensorloom undo`: take back the last step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.threads import stem_of
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.curate import Undone


@click.command("undo")
@click.argument("name", required=False, metavar="[THREAD]")
@json_option
@workspace_options
def command(workspace: Workspace, name: str | None, as_json: bool) -> int:
    """Take back the last step of THREAD, or without one the last step of the whole workspace.

    A step that was made on several threads is taken back on all of them. Works after a restart, and on deleted
    threads. `sensorloom history THREAD` shows the steps.
    """
    from core import curate

    with progress_bar("undo") as progress:
        if name is None:
            done = curate.undo_latest(workspace, progress=progress)
        else:
            done = curate.undo(workspace, stem_of(name), progress=progress)
    return tell_undone(done, as_json)


def tell_undone(undone: Undone, as_json: bool) -> int:
    """Say what an undo or redo did. Returns the exit code."""
    if as_json:
        print_json({"said": undone.sentence, "changed": list(undone.stems), "problems": list(undone.problems)})
    else:
        first, *others = undone.stems
        say(f"{undone.sentence} · {first}" + (f" and {len(others)} more" if others else ""))
    return 1 if undone.problems else 0
