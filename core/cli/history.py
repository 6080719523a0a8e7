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
@click.argument("name", required=False, metavar="[THREAD]")
@click.option("--diff", type=click.IntRange(1), metavar="STEP", help="What this step changed in the file.")
@click.option("--before", type=click.IntRange(1), metavar="STEP", help="The whole file as it was before this step.")
@click.option("--take-back", type=click.IntRange(1), metavar="STEP",
              help="Take back this step, and nothing of what came after it.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Without THREAD: so many steps.")
@json_option
@workspace_options
def command(
    workspace: Workspace, name: str | None, diff: int | None, before: int | None, take_back: int | None, limit: int,
    as_json: bool,
) -> int:  # fmt: skip
    """Show the steps that were made on a thread, the oldest first; undo and redo are steps, too.

    Works for deleted threads as well. A change by another program shows once a step of ours followed it. Without
    THREAD, the newest steps of the whole workspace, the newest first. --take-back reaches one step, such as a verdict,
    without undoing the ones after it; where those changed the same again, it says so and changes nothing.
    """
    if name is None:
        if diff is not None or before is not None or take_back is not None:
            raise UsageError("name the thread whose step it is")
        return _recent(workspace, limit, as_json)
    stem = stem_of(name)
    if take_back is not None:
        if diff is not None or before is not None:
            raise UsageError("give --take-back, --diff or --before, not several of them")
        return _take_back(workspace, stem, take_back, as_json)
    if diff is not None and before is not None:
        raise UsageError("give --diff or --before, not both")
    return _shown(workspace, stem, diff, before, as_json)


def _shown(workspace: Workspace, stem: str, diff: int | None, before: int | None, as_json: bool) -> int:
    from core.storage import history
    from core.storage.thread_files import exists

    there = exists(workspace.threads, stem)
    past = history.read(workspace, stem)
    if not there and not past.steps:
        raise UsageError(f"there is no thread {stem!r} in {workspace.shown(workspace.threads)}, and never was")
    if before is not None:
        click.echo(_content(workspace, stem, _step(past, stem, before).before), nl=False)
    elif diff is not None:
        for line in _difference(workspace, stem, _step(past, stem, diff)):
            say(line)
    elif as_json:
        print_json(
            {"id": stem, "exists": there, "steps": [_document(step, past.in_force(step)) for step in past.steps]}
        )
    else:
        for step in past.steps:
            say(f"{step.number:>4}  {_line(step, past.in_force(step))}")
        say(f"{stem}: {len(past.steps)} steps{'' if there else ', and no file now'}; times are UTC")
    return 0


def _recent(workspace: Workspace, limit: int, as_json: bool) -> int:
    from core.storage import history, history_files

    steps = history.recent(workspace, limit)
    problems = history_files.problems(workspace)
    for problem in problems:
        say(f"sensorloom: {problem}", err=True)
    if as_json:
        told = [{"id": row.stem, **_document(row.step, row.in_force)} for row in steps]
        print_json({"steps": told, **({"problems": problems} if problems else {})})
        return 0
    for row in steps:
        say(f"{row.stem} {row.step.number:>4}  {_line(row.step, row.in_force)}")
    say(f"the newest {len(steps)} steps of all threads; times are UTC")
    return 0


def _take_back(workspace: Workspace, stem: str, number: int, as_json: bool) -> int:
    from core.curate import take_back
    from core.storage import history

    take_back(workspace, stem, number)
    last = history.read(workspace, stem).last
    what = last.what if last else ""
    if as_json:
        print_json({"id": stem, "said": what, "step": last.number if last else None})
    else:
        say(f"{stem}: {what}")
    return 0


def _line(step: Step, in_force: bool | None) -> str:
    state = "  (not in force)" if in_force is False else ""
    who = f" · {step.who}" if step.who else ""
    return f"{step.at[:19].replace('T', ' ')}  {_words(step)}{who}{state}"


def _document(step: Step, in_force: bool | None) -> dict[str, object]:
    return {
        "number": step.number,
        "at": step.at,
        "kind": step.kind,
        "what": step.what,
        "who": step.who or None,
        "of": step.of,
        "group": step.group or None,
        "before": step.before,
        "after": step.after,
        "in_force": in_force,
    }


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
