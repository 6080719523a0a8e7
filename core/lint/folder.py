"""Checking and fixing a whole threads folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from core.curate.steps import commit
from core.errors import SensorloomError
from core.lint import Context, Finding, check_thread, fix_thread
from core.lint.duplicates import NAME
from core.lint.finding import UNREADABLE
from core.lint.findings_cache import FindingsCache, with_findings_cache
from core.lint.label_set import dataset_labels
from core.lint.survey import Elsewhere, left_over, repeats
from core.processes.items import Spread
from core.storage import store
from core.thread.summary import Summary
from core.workspace import Workspace


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
    selected: Iterable[Summary],
    *,
    fix: bool = False,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    stopped: Callable[[int], object] = lambda _count: None,
    spread: Spread | None = None,
) -> Iterator[Checked]:
    """Check each selected thread; those with nothing wrong are yielded too. Blocks; belongs in a worker.

    Args:
        workspace: whose threads, and whose datasets' labels.
        listing: the folder's summaries; duplicates are looked for among all of them, by their stems' order.
        selected: which of them, in their order; looked at only once all are checked, so it may be a generator.
        fix: save what can be put right without a decision, each as a step that `undo` takes back.
        progress: called with how many files were looked at, and of how many that had to be.
        cancelled: asked between files. What was looked at by then is yielded, without duplicates, and nothing is fixed.
        stopped: told then how many files were not looked at.
        spread: looks at files elsewhere than in processes of this machine.
    """
    undone: dict[str, str] = {}
    elsewhere = None if spread is None else Elsewhere(spread, undone.__setitem__)

    def look(findings_cache: FindingsCache) -> tuple[dict[str, tuple[Finding, ...]], set[str]]:
        left = left_over(findings_cache, workspace, listing, progress, cancelled, elsewhere)
        stems = set[str]() if left else {summary.stem for summary in listing}
        repeated = repeats(findings_cache, stems, cancelled)
        every = findings_cache.findings(summary.stem for summary in listing if not summary.problem)
        return {stem: (*own, repeated[stem]) if stem in repeated else own for stem, own in every.items()}, left

    findings, left = with_findings_cache(workspace, look)
    if left:
        stopped(len(left))
    labels = cache(lambda dataset: dataset_labels(workspace, dataset))
    for summary in selected:
        if summary.stem in left:
            continue
        if summary.problem:
            yield Checked(summary.stem, (unreadable(summary),))
        elif (own := findings.get(summary.stem)) is None:
            yield Checked(summary.stem, (_not_looked_at(undone.get(summary.stem)),))
        elif cancelled():
            yield Checked(summary.stem, own)
        elif fix and any(each.fixable for each in own):
            yield _fixed(workspace, summary.stem, own, labels(summary.dataset))
        else:
            yield Checked(summary.stem, own)


def unreadable(summary: Summary) -> Finding:
    """What there is to say of a file that is no thread."""
    fix_by_hand = "run `sensorloom migrate`" if summary.shape == "v3" else "mend the file by hand"
    return Finding(UNREADABLE, None, summary.problem, fix_by_hand)


def _not_looked_at(reason: str | None) -> Finding:
    """What there is to say of a thread that no check has seen."""
    if reason is None:
        return Finding(UNREADABLE, None, "it went, or became no thread, while the folder was checked", "check again")
    return Finding(UNREADABLE, None, f"it could not be checked: {reason}", "check it on this machine alone")


def fix_stored(workspace: Workspace, stored: store.Stored) -> store.Stored:
    """Save a thread with everything put right that needs no decision, as one step that can be undone.

    Raises:
        ConflictError: the file is no longer what was read.
    """
    fixed = fix_thread(stored.thread)
    return stored if fixed == stored.thread else commit(workspace, stored, fixed, "fix of what the check found")


def _fixed(workspace: Workspace, stem: str, before: tuple[Finding, ...], labels: tuple[str, ...]) -> Checked:
    """What is left of what was found before, once what can be put right is saved."""
    context = Context(stem, labels)
    try:
        stored = store.read(workspace.threads, stem)
        fixable = tuple(finding for finding in check_thread(stored.thread, context) if finding.fixable)
        left = check_thread(fix_stored(workspace, stored).thread, context)
    except SensorloomError as error:
        return Checked(stem, before, problem=str(error))
    repeated = (finding for finding in before if finding.check == NAME)
    return Checked(stem, (*left, *repeated), fixable)
