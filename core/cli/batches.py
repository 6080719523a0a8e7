"""`sensorloom batches`: batches of new threads, how far they are, and what somebody wants of those under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import GroupWithDefault, json_option, print_json, say, workspace_options
from core.errors import UsageError
from core.text import counted, one_line
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.runs.batch_live import Look, Wish


@click.group("batches", cls=GroupWithDefault, default="list")
def command() -> None:
    """How far the batches of `run` are, whoever makes them; pause, resume and stop those under way. Alone it lists
    them, as `list` does.

    `run --resume NAME` goes on with one that nobody makes.
    """


@command.command("list")
@json_option
@workspace_options
def list_command(workspace: Workspace, as_json: bool) -> None:
    """List them, the latest first, with how far each is."""
    from core.runs.batch_live import look
    from core.runs.batches import batches

    looks = [look(workspace, name) for name in batches(workspace)]
    if as_json:
        print_json({"batches": [_document(each) for each in looks]})
        return
    for each in looks:
        say(f"{each.name}  {each.problem or _line(each)}")
    if not looks:
        say("no batch was begun here")


@command.command("show")
@click.argument("name", default="", metavar="[BATCH]")
@json_option
@workspace_options
def show_command(workspace: Workspace, name: str, as_json: bool) -> None:
    """Say how far one is, the latest unless named, and what failed in it."""
    from core.runs.after_kill import only_questions
    from core.runs.batch_live import look
    from core.runs.batches import open_batch

    batch = open_batch(workspace, name)
    each = look(workspace, batch.name)
    if as_json:
        failed = {batch.stems.get(job, batch.setup.jobs[job].session): why for job, why in batch.failed.items()}
        print_json({**_document(each), "failed_threads": failed, "problem": each.progress.problem or None})
        return
    say(f"{each.name}  {_line(each)}")
    say(f"begun     {each.begun_at[:16].replace('T', ' ')}" + (f", by {each.maker}" if each.alive else ""))
    say(f"threads   in {each.threads}: sensorloom list --filter batch:{each.name}")
    if empty := 0 if each.alive else len(only_questions(workspace, batch)):
        say(f"empty     {counted(empty, 'thread')} with nothing but the question; the next start takes it away")
    for reason in dict.fromkeys(batch.failed.values()):
        count = sum(why == reason for why in batch.failed.values())
        say(f"failed    {count}: {one_line(reason, 400)}")


def _wishing(wish: Wish, about: str, done: str) -> None:
    """Add the command that asks for it."""

    @command.command(wish, help=about)
    @click.argument("name", default="", metavar="[BATCH]")
    @workspace_options
    def wishing(workspace: Workspace, name: str) -> None:
        from core.runs.batch_live import ask

        name = name or _under_way(workspace)
        ask(workspace, name, wish)
        say(f"batch {name} {done}")


_wishing(
    "pause",
    "Begin no further turns of one under way; those that are being made are finished.",
    "begins no further turns",
)
_wishing("resume", "Go on with one that is paused.", "goes on")
_wishing("stop", "Stop one under way, as ctrl-C does; what is done is kept.", "is being stopped; what is done is kept")


@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="BATCH...")
@workspace_options
def remove_command(workspace: Workspace, names: tuple[str, ...]) -> None:
    """Forget batches that nobody makes; `restore` brings them back. Their threads stay."""
    from core.runs.batch_live import remove

    for name in names:
        remove(workspace, name)
        say(f"forgotten: batch {name}; its threads stay, and `sensorloom batches restore {name}` brings it back")


@command.command("restore")
@click.argument("name", default="", metavar="[BATCH]")
@workspace_options
def restore_command(workspace: Workspace, name: str) -> None:
    """Bring back a batch that was forgotten, the last one unless named."""
    from core.runs.batches import restore_batch

    say(f"here again: batch {restore_batch(workspace, name)}")


def _under_way(workspace: Workspace) -> str:
    """The batch under way, where there is one. Raises UsageError."""
    from core.runs.batch_live import is_alive
    from core.runs.batches import batches

    alive = [name for name in batches(workspace) if is_alive(workspace, name)]
    if len(alive) != 1:
        raise UsageError(f"name one of those under way: {', '.join(alive)}" if alive else "no batch is under way")
    return alive[0]


def _line(each: Look) -> str:
    from core.runs.progress import told

    state = {"left": "run --resume goes on", "paused": "batches resume goes on"}.get(each.state, each.state)
    asked = one_line(f"{each.model} at {each.endpoint}" if each.model else each.endpoint, 60)
    return f"{' · '.join(told(each.progress))}  {one_line(', '.join(each.datasets), 40)}  {asked}  {state}"


def _document(each: Look) -> dict[str, Any]:
    if each.problem:
        return {"name": each.name, "problem": each.problem}
    progress = each.progress

    def rounded(rate: float | None) -> float | None:
        return None if rate is None else round(rate, 3)

    return {
        "name": each.name,
        "begun_at": each.begun_at,
        "state": each.state,
        "threads": progress.of,
        "over": progress.done,
        "failed": progress.failed,
        "running": progress.running,
        "limit": progress.limit,
        "turns": progress.turns,
        "turns_per_second": rounded(progress.turns_a_second),
        "threads_per_minute": rounded(progress.threads_a_minute),
        "tokens_per_second": rounded(progress.tokens_a_second),
        "seconds_left": rounded(progress.left_sec),
        "endpoint": each.endpoint,
        "model": each.model,
        "datasets": list(each.datasets),
    }
