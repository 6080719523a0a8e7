"""Checking and fixing a whole threads folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core import store
from core.curate.steps import commit
from core.errors import SensorloomError, ThreadError
from core.filters import Filter
from core.lint import Context, Finding, check_thread, fix_thread
from core.lint.duplicates import Duplicates
from core.lint.label_set import dataset_labels
from core.summary import Summary
from core.workspace import Workspace

UNREADABLE = "file"
"""The check that a file which is no thread fails."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in one file."""

    stem: str
    findings: tuple[Finding, ...]
    fixed: tuple[Finding, ...] = ()
    """What was put right just now."""
    problem: str = ""
    """Why it could not be saved; empty when it could, or needed not."""


def check_folder(
    workspace: Workspace,
    listing: Sequence[Summary],
    wanted: Filter,
    *,
    fix: bool = False,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Checked]:
    """Check each selected thread; those with nothing wrong are yielded too. Blocks; belongs in a worker.

    Args:
        workspace: whose threads, and whose datasets' labels.
        listing: the folder's summaries; duplicates are looked for among the selected ones, by their order.
        wanted: which threads.
        fix: save what can be put right without a decision, each as a step that `undo` takes back.
        progress: called with how many were looked at, and of how many.
        cancelled: asked between threads.
    """
    labels = lru_cache(maxsize=None)(lambda dataset: dataset_labels(workspace, dataset))
    duplicates = Duplicates()
    for done, summary in enumerate(listing):
        progress(done, len(listing))
        if cancelled():
            return
        if not wanted.on_summary(summary):
            continue
        if summary.problem:
            if not wanted.needs_file:
                fix_by_hand = "run `sensorloom migrate`" if summary.shape == "v3" else "mend the file by hand"
                yield Checked(summary.stem, (Finding(UNREADABLE, None, summary.problem, fix_by_hand),))
            continue
        try:
            stored = store.read(workspace.threads, summary.stem)
        except ThreadError as error:
            yield Checked(summary.stem, (Finding(UNREADABLE, None, str(error), "mend the file by hand"),))
            continue
        if wanted.needs_file and not wanted.on_thread(stored.thread, summary.stem):
            continue
        context = Context(summary.stem, labels(summary.dataset))
        checked = _check(workspace, stored, context, fix=fix)
        repeated = duplicates.find(summary.stem, stored.thread)
        if repeated is not None:
            checked = Checked(checked.stem, (*checked.findings, repeated), checked.fixed, checked.problem)
        yield checked
    progress(len(listing), len(listing))


def fix_stored(workspace: Workspace, stored: store.Stored) -> store.Stored:
    """Save a thread with everything put right that needs no decision, as one step that can be undone.

    Raises:
        ConflictError: the file is no longer what was read.
    """
    fixed = fix_thread(stored.thread)
    return stored if fixed == stored.thread else commit(workspace, stored, fixed, "fix of what the check found")


def _check(workspace: Workspace, stored: store.Stored, context: Context, *, fix: bool) -> Checked:
    findings = check_thread(stored.thread, context)
    fixable = [one for one in findings if one.fixable]
    if not fix or not fixable:
        return Checked(stored.stem, tuple(findings))
    try:
        left = check_thread(fix_stored(workspace, stored).thread, context)
    except SensorloomError as error:
        return Checked(stored.stem, tuple(findings), problem=str(error))
    return Checked(stored.stem, tuple(left), tuple(fixable))
