"""`sensorloom verdict`: judge threads."""

from __future__ import annotations

from typing import Any

import click

from core.cli.commands import json_option, progress_bar, workspace_options
from core.cli.threads import chosen, dry_run_option, filter_option, tell, tell_dry_run
from core.errors import UsageError
from core.workspace import Workspace


@click.command("verdict")
@click.argument("verdict", type=click.Choice(["accept", "reject", "skip", "none"]))
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@click.option("--note", metavar="TEXT", help="Why; kept with the verdict.")
@click.option("--reason", "words", multiple=True, metavar="REASON", help="Why: a word of `[reasons]` or its key.")
@dry_run_option
@json_option
@workspace_options
def command(
    workspace: Workspace,
    verdict: Any,
    names: tuple[str, ...],
    wanted: str,
    note: str | None,
    words: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> int:
    """Accept, reject or skip threads; `none` takes verdicts back.

    All threads together are one step: one undo takes it back. The reasons are those of `[reasons]` in sensorloom.toml,
    a key each; without that table they are: wrong answer, wrong reason, leak, unneeded call, missing check, badly said.
    """
    from core.curate import reason_named, set_verdicts, verdict_in_words

    if verdict == "none" and (note is not None or words):
        raise UsageError("`none` takes verdicts back, with what was said beside them: leave out --note and --reason")
    reasons = [reason_named(workspace.settings.reasons, word) for word in words] if words else None
    stems = chosen(workspace, names, wanted)
    what = verdict_in_words(None if verdict == "none" else verdict, note, reasons)
    if dry_run:
        return tell_dry_run(stems, what, as_json)
    with progress_bar("judging") as progress:
        done = set_verdicts(workspace, stems, None if verdict == "none" else verdict, note, reasons, progress=progress)
    return tell(stems, done, what, as_json)
