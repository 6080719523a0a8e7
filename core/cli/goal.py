"""`sensorloom goal`: what a set of threads is to be, how far it is, and what to judge next."""

from __future__ import annotations

from dataclasses import asdict

import click

from core.cli.commands import GroupWithDefault, json_option, print_json, say, workspace_options
from core.errors import UsageError
from core.text import counted
from core.workspace import Workspace


@click.group("goal", cls=GroupWithDefault, default="show")
def command() -> None:
    """What the accepted threads of the workspace are to be. Alone it says how far they are, as `show` does."""


@command.command("show")
@json_option
@workspace_options
def show_command(workspace: Workspace, as_json: bool) -> None:
    """Say how far the accepted threads are on the way to the workspace's goal."""
    from core.listing.goal import Goal, Kinds, as_document, goal_of, progress
    from core.listing.index import summaries

    goal = goal_of(workspace)
    if goal is None:
        if as_json:
            print_json(None)
            return
        say("no goal is set; `sensorloom goal set total=100 label=10` sets one")
        return
    far = progress(goal, summaries(workspace), Kinds(workspace))
    if as_json:
        print_json(as_document(far) | {"parts": asdict(Goal()) | asdict(goal)})
        return
    say(f"goal: {goal.text}")
    say(far.text)
    for (kind, dataset, name), number in far.short.items():
        say(f"  {kind} {name}{f' of {dataset}' if dataset else ''}: {number} short")
    if far.uncounted:
        say(f"  not counted: {counted(far.uncounted, 'accepted thread')}, wrong or with too few calls")


@command.command("set")
@click.argument("parts", nargs=-1, required=True, metavar="NAME=NUMBER...")
@workspace_options
def set_command(workspace: Workspace, parts: tuple[str, ...]) -> None:
    """Set the goal, as `goal set total=100 label=10`; what is not named stays.

    Names are total (accepted threads in all), label, dataset and subject (of each), calls (fewest tool calls of a
    thread that counts), path (greatest share of one tool path, in percent), right (0: wrong answers count too).
    """
    from core.listing.goal import goal_of, parse_goal, set_goal

    goal = parse_goal(" ".join(parts), goal_of(workspace))
    set_goal(workspace, goal)
    say(f"goal: {goal.text}")


@command.command("clear")
@workspace_options
def clear_command(workspace: Workspace) -> None:
    """Forget the goal."""
    from core.listing.goal import set_goal

    set_goal(workspace, None)
    say("no goal is set")


@command.command("propose")
@click.option("--keep", is_flag=True, help="Keep them as the queue: `list --filter saved:proposed --sort asked`.")
@json_option
@workspace_options
def propose_command(workspace: Workspace, keep: bool, as_json: bool) -> None:
    """Name the threads that bring the goal nearest, the most useful first, and the command that makes what is missing.

    On the screen P does the same, as a queue to judge. `sensorloom run --goal` makes what is missing.
    """
    from core.filters.queue import keep_queue
    from core.listing.goal import goal_of
    from core.listing.index import summaries
    from core.listing.proposing import command_to_make, propose, sessions_to_make

    goal = goal_of(workspace)
    if goal is None:
        raise UsageError("no goal is set; `sensorloom goal set total=100 label=10` sets one")
    every = summaries(workspace)
    proposed = propose(workspace, goal, every)
    commands = command_to_make(sessions_to_make(workspace, proposed, every))
    if keep and proposed.picks:
        keep_queue(workspace, [pick.stem for pick in proposed.picks])
    if as_json:
        missing = [{"kind": kind, "dataset": of, "name": name, "missing": n} for (kind, of, name), n in
                   proposed.missing.items()]  # fmt: skip
        threads = [pick._asdict() for pick in proposed.picks]
        print_json({"threads": threads, "missing": missing, "missing_total": proposed.rest, "make": commands})
        return
    say(proposed.before.text)
    for pick in proposed.picks:
        say(f"  {pick.stem}  {pick.label}: {pick.reason}")
    if proposed.lacking:
        say(f"missing even then: {proposed.lacking}")
    for line in commands:
        say(line)
    if commands:
        say("`sensorloom run --goal` makes them")
