"""`sensorloom history`: what was done to a thread, when, and what it was before."""

from __future__ import annotations

import difflib

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.threads import stem_of
from core.errors import UsageError
from core.storage.step_log import History, Step
from core.workspace import Workspace


@click.command("history")
@click.argument("name", metavar="THREAD")
@click.option("--diff", type=click.IntRange(1), metavar="STEP", help="What this step changed in the file.")
@click.option("--before", type=click.IntRange(1), metavar="STEP", help="The whole file as it was before this step.")
@json_option
@workspace_options
def command(workspace: Workspace, name: str, diff: int | None, before: int | None, as_json: bool) -> int:
    """Show the steps that were made on a thread, the oldest first; undo and redo are steps, too.

    Works for deleted threads as well. A change by another program shows once a step of ours followed it.
    """
    from core.storage import history
    from core.storage.thread_files import path_of

    stem = stem_of(name)
    there = path_of(workspace.threads, stem).exists()
    past = history.read(workspace, stem)
    if not there and not past.steps:
        raise UsageError(f"there is no thread {stem!r} in {workspace.shown(workspace.threads)}, and never was")
    if diff is not None and before is not None:
        raise UsageError("give --diff or --before, not both")
    if before is not None:
        click.echo(_content(workspace, stem, _step(past, stem, before).before), nl=False)
    elif diff is not None:
        for line in _difference(workspace, stem, _step(past, stem, diff)):
            say(line)
    elif as_json:
        print_json({"id": stem, "exists": there, "steps": [_document(step, past) for step in past.steps]})
    else:
        for step in past.steps:
            state = "  (not in force)" if _in_force(step, past) is False else ""
            say(f"{step.number:>4}  {step.at[:19].replace('T', ' ')}  {_words(step)}{state}")
        say(f"{stem}: {len(past.steps)} steps{'' if there else ', and no file now'}; times are UTC")
    return 0


def _document(step: Step, past: History) -> dict[str, object]:
    return {
        "number": step.number,
        "at": step.at,
        "kind": step.kind,
        "what": step.what,
        "of": step.of,
        "group": step.group or None,
        "before": step.before,
        "after": step.after,
        "in_force": _in_force(step, past),
    }


def _in_force(step: Step, past: History) -> bool | None:
    """Whether what the step did still stands; None for an undo or redo, which is about another step."""
    return step.number in past.done if step.kind in ("done", "outside") else None


def _words(step: Step) -> str:
    about = {"undo": f"undid step {step.of}: ", "redo": f"did step {step.of} again: "}.get(step.kind, "")
    return f"{about}{step.what}{', with other threads' if step.group else ''}"


def _step(past: History, stem: str, number: int) -> Step:
    try:
        return past.step(number)
    except KeyError as error:
        raise UsageError(f"{stem} has {len(past.steps)} steps, no number {number}") from error


def _content(workspace: Workspace, stem: str, wanted: str | None) -> bytes:
    from core.storage import history

    if wanted is None:
        raise UsageError(f"{stem} had no file before this step")
    return history.content(workspace, stem, wanted)


def _difference(workspace: Workspace, stem: str, step: Step) -> list[str]:
    before, after = (
        [] if state is None else _content(workspace, stem, state).decode(errors="backslashreplace").splitlines()
        for state in (step.before, step.after)
    )
    names = (f"before step {step.number}", f"after step {step.number}")
    return list(difflib.unified_diff(before, after, *names, lineterm=""))
