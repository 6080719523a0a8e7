"""`sensorloom trust`: let a folder name endpoints and bring tools, or forbid it."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.commands import json_option, print_json, say
from core.errors import UsageError
from core.trust import acts_of, keep_answer


@click.command("trust")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--revoke", is_flag=True, help="Take the trust back: the folder is only data again.")
@json_option
def command(folder: Path | None, revoke: bool, as_json: bool) -> int:
    """Trust a workspace, the current folder unless told: its endpoints count, and its own tools are run.

    The answer is kept outside of the folder. A file that changes afterwards is not trusted any more.
    """
    root = (folder or Path()).expanduser().absolute()
    if not root.is_dir():
        raise UsageError(f"{root} is no folder; name the workspace to trust")
    acts = acts_of(root)
    keep_answer(root, acts.files, trusted=not revoke)
    if as_json:
        print_json({"folder": str(root), "trusted": not revoke, "acts": list(acts.sentences)})
        return 0
    say(f"{root} is {'no longer trusted' if revoke else 'trusted'}")
    for sentence in acts.sentences:
        say(f"  {sentence}{'; not any more' if revoke else ''}")
    if not acts.sentences:
        say("  nothing in it acts: it names no endpoints and brings no tools")
    return 0
