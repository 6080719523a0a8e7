"""`sensorloom delete`: move threads to the trash, or take a turn out of one."""

from __future__ import annotations

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.threads import chosen, dry_run_option, filter_option, opened, tell, tell_dry_run, turn_number
from core.errors import UsageError
from core.workspace import Workspace


@click.command("delete")
@click.argument("names", nargs=-1, metavar="[THREAD]...")
@filter_option
@click.option("--turn", type=click.IntRange(1), help="Take only this turn out of the one thread that is named.")
@dry_run_option
@json_option
@workspace_options
def command(
    workspace: Workspace, names: tuple[str, ...], wanted: str, turn: int | None, dry_run: bool, as_json: bool
) -> int:
    """Move threads to the trash. `sensorloom undo` or `sensorloom trash restore` brings them back, byte for byte.

    With --turn, take one turn out of a thread: it is kept among the thread's alternatives, and what rests on it is
    marked stale until it is settled (`sensorloom settle`).
    """
    from core.curate import delete

    if turn is not None:
        if len(names) != 1 or wanted.strip() or dry_run:
            raise UsageError("--turn takes a turn out of one thread: name that alone, without --filter or --dry-run")
        _delete_turn(workspace, names[0], turn, as_json)
        return 0
    stems = chosen(workspace, names, wanted)
    if dry_run:
        return tell_dry_run(stems, "moved to the trash", as_json)
    with progress_bar("deleting") as progress:
        done = delete(workspace, stems, progress=progress)
    return tell(stems, done, "moved to the trash", as_json)


def _delete_turn(workspace: Workspace, name: str, number: int, as_json: bool) -> None:
    from core.curate import delete_turn
    from core.thread.stale import stale_messages

    stored = opened(workspace, name)
    shortened = delete_turn(workspace, stored, turn_number(stored, number).start)
    stale = [index + 1 for index in stale_messages(shortened.thread)]
    if as_json:
        print_json({"id": shortened.stem, "turn": number, "stale": stale})
        return
    rest = (
        f"; stale now: message {', '.join(map(str, stale))} (`sensorloom settle {shortened.stem}` …)" if stale else ""
    )
    say(f"{shortened.stem}: turn {number} taken out{rest}")
