"""Undo and redo: steps that put a thread's file back byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.curate.bulk import Progress, for_each
from core.curate.steps import put
from core.errors import ConflictError, SensorloomError, ThreadError, UsageError
from core.storage import history, store
from core.storage.atomic import Content
from core.storage.locks import thread_locked
from core.storage.step_log import History, Step
from core.storage.store import Stored
from core.workspace import Workspace

Direction = Literal["undo", "redo"]


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo or redo did."""

    sentence: str
    """In words: `undid: edit of turn 3`."""
    stored: Stored | None
    """The thread as it now stands; None when it has no file any more, or one that is no thread."""
    stems: tuple[str, ...]
    """Every thread that changed."""
    problems: tuple[str, ...] = ()
    """One sentence for each thread that could not be put back, of several."""


def undo(workspace: Workspace, stem: str, seen: str | None = None, *, progress: Progress | None = None) -> Undone:
    """Take back the newest step of a thread; one that was made on several threads, on all of them.

    A change by another program that was not noted yet is noted first, and is then the newest step.

    Args:
        workspace: where the threads are.
        stem: the thread, which may be one that is deleted.
        seen: the digest of what the person sees (`Stored.digest`); nothing is undone when the file is another.
        progress: told how many of several threads are done.

    Raises:
        UsageError: there is nothing to undo.
        ConflictError: the file is not what was seen. The change is noted, so that nothing is lost.
    """
    return _again(workspace, stem, "undo", seen, progress)


def redo(workspace: Workspace, stem: str, seen: str | None = None, *, progress: Progress | None = None) -> Undone:
    """Do again what was undone last. Raises: as `undo`."""
    return _again(workspace, stem, "redo", seen, progress)


def next_step(workspace: Workspace, stem: str, direction: Direction = "undo") -> str | None:
    """What the next undo or redo of a thread is about, in words; None when there is nothing to undo or redo."""
    step = _next(_current(workspace, stem)[1], direction)
    return None if step is None else step.what


def undo_latest(workspace: Workspace, *, progress: Progress | None = None) -> Undone:
    """Take back the newest step of the whole workspace, such as a deletion. Raises: as `undo`."""
    stem = _thread_of_step(workspace, history.latest)
    if stem is None:
        raise UsageError("there is nothing to undo")
    return undo(workspace, stem, progress=progress)


def redo_latest(workspace: Workspace, *, progress: Progress | None = None) -> Undone:
    """Do again what was undone last in the whole workspace. Raises: as `undo`."""
    stem = _thread_of_step(workspace, history.latest_undone)
    if stem is None:
        raise UsageError("there is nothing to redo")
    return redo(workspace, stem, progress=progress)


def _thread_of_step(workspace: Workspace, find: Callable[[Workspace], str | None]) -> str | None:
    """The thread that `find` names. Where its newest step turns out not to have been carried out, because the program
    was killed before, that is noted and another is looked for."""
    stem = find(workspace)
    while stem is not None:
        _current(workspace, stem)
        again = find(workspace)
        if again == stem:
            break
        stem = again
    return stem


def _again(
    workspace: Workspace, stem: str, direction: Direction, seen: str | None, progress: Progress | None
) -> Undone:
    present, past = _current(workspace, stem)
    if seen is not None and present != seen:
        raise ConflictError(f"{stem}.json was changed by another program since it was read; look at that first")
    step = _next(past, direction)
    if step is None:
        raise UsageError(f"there is nothing to {direction} in {stem}")
    _carry_out(workspace, stem, direction, past, present)
    changed, left = [stem], 0
    problems: list[str] = []
    stems = history.stems_of_group(workspace, step.group) if step.group else []
    others = [other for other in stems if other != stem]
    for other, done in for_each(
        workspace, others, lambda other: _of_group(workspace, other, direction, step.group), progress
    ):
        if isinstance(done, SensorloomError):
            problems.append(str(done))
        elif done == "done":
            changed.append(other)
        else:
            left += done == "left"
    sentence = _in_words(direction, step.what, len(changed), left, problems)
    return Undone(sentence, _read(workspace, stem), tuple(changed), tuple(problems))


def _of_group(
    workspace: Workspace, stem: str, direction: Direction, group: str
) -> Literal["done", "left", "not in it"]:
    """Undo or redo one thread's step of a group, if that is its next one."""
    present, past = _current(workspace, stem)
    step = _next(past, direction)
    if step is None or step.group != group:
        steps = [past.step(number) for number in past.done] if direction == "undo" else past.steps
        return "left" if any(of_this.group == group for of_this in steps) else "not in it"
    _carry_out(workspace, stem, direction, past, present)
    return "done"


def _next(past: History, direction: Direction) -> Step | None:
    return past.next_undo if direction == "undo" else past.next_redo


def _current(workspace: Workspace, stem: str) -> tuple[str | None, History]:
    """The digest of the file as it is, and the history with that accounted for."""
    with thread_locked(workspace.threads, stem):
        there = store.present(workspace.threads, stem)
        return there and there.digest, history.reconcile(workspace, stem, there)


def _carry_out(workspace: Workspace, stem: str, direction: Direction, past: History, present: str | None) -> None:
    step = _next(past, direction)
    if step is None:
        raise SensorloomError(f"there is nothing to {direction} in {stem}")
    wanted = step.before if direction == "undo" else step.after
    content = None if wanted is None else Content(history.content(workspace, stem, wanted), wanted)

    def record(stem: str, before: Content | None, after: Content | None) -> None:
        if history.read(workspace, stem).steps != past.steps:
            raise ConflictError(f"{stem}.json was changed by another program at the same moment; try again")
        history.record_again(workspace, stem, past, direction)

    put(workspace, stem, content, present, record)


def _read(workspace: Workspace, stem: str) -> Stored | None:
    try:
        return store.read(workspace.threads, stem)
    except ThreadError:
        return None


def _in_words(direction: Direction, what: str, threads: int, left: int, problems: Sequence[str]) -> str:
    did = "undid" if direction == "undo" else "did again"
    many = f" of {threads} threads" if threads > 1 else ""
    stays = f"; {left} changed since and {'stays' if left == 1 else 'stay'}" if left else ""
    failed = f"; {len(problems)} could not be: {problems[0]}" if problems else ""
    return f"{did}: {what}{many}{stays}{failed}"
