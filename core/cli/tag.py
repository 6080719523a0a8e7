"""`sensorloom tag`: add and remove tags."""

from __future__ import annotations

import click

from core.cli.commands import json_option, progress_bar, workspace_options
from core.cli.threads import chosen, dry_run_option, filter_option, tell, tell_dry_run
from core.errors import UsageError
from core.workspace import Workspace

_SETTINGS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""Lets `-tag` through to the command; with `-h` an option, `-hard` would ask for help."""


@click.command("tag", context_settings=_SETTINGS)
@click.argument("words", nargs=-1, required=True, metavar="+TAG|-TAG... [THREAD]...")
@filter_option
@dry_run_option
@json_option
@workspace_options
def command(workspace: Workspace, words: tuple[str, ...], wanted: str, dry_run: bool, as_json: bool) -> int:
    """Add tags (+TAG) to threads and remove tags (-TAG) from them, as `tag +good -unsure THREAD`.

    All threads together are one step: one undo takes it back.
    """
    from core.curate import change_tags

    for word in words:
        if word.startswith("--"):
            raise click.NoSuchOption(word)
        if word in ("+", "-"):
            raise UsageError(f"`{word}` names no tag; write it without a space: {word}good")
    add = [word[1:] for word in words if word.startswith("+")]
    remove = [word[1:] for word in words if word.startswith("-")]
    if not add and not remove:
        raise UsageError("name a tag to add as +TAG, or to remove as -TAG")
    if both := sorted(set(add) & set(remove)):
        raise UsageError(f"the tag {both[0]!r} is both to be added and removed")
    stems = chosen(workspace, [word for word in words if not word.startswith(("+", "-"))], wanted)
    what = " ".join(["tags", *(f"+{tag}" for tag in add), *(f"-{tag}" for tag in remove)])
    if dry_run:
        return tell_dry_run(stems, what, as_json)
    with progress_bar("tagging") as progress:
        done = change_tags(workspace, stems, add, remove, progress=progress)
    return tell(stems, done, what, as_json)
