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
from core.lint.survey import bring_up_to_date, repeats
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
) -> Iterator[Checked]:
    """Check each selected thread; those with nothing wrong are yielded too. Blocks; belongs in a worker.

    Args:
        workspace: whose threads, and whose datasets' labels.
        listing: the folder's summaries; duplicates are looked for among all of them, by their stems' order.
        selected: which of them, in their order; looked at only once all are checked, so it may be a generator.
        fix: save what can be put right without a decision, each as a step that `undo` takes back.
        progress: called with how many files were looked at, and of how many that had to be.
        cancelled: asked between files.
    """

    def look(findings_cache: FindingsCache) -> dict[str, tuple[Finding, ...]]:
        if not bring_up_to_date(findings_cache, workspace, listing, progress, cancelled):
            return {}
        repeated = repeats(findings_cache, {summary.stem for summary in listing}, cancelled)
        every = findings_cache.findings(summary.stem for summary in listing if not summary.problem)
        return {stem: (*own, repeated[stem]) if stem in repeated else own for stem, own in every.items()}

    findings = with_findings_cache(workspace, look)
    if cancelled():
        return
    labels = cache(lambda dataset: dataset_labels(workspace, dataset))
    for summary in selected:
        if cancelled():
            return
        if summary.problem:
            yield Checked(summary.stem, (unreadable(summary),))
        elif (own := findings.get(summary.stem)) is None:
            sentence = "it went, or became no thread, while the folder was checked"
            yield Checked(summary.stem, (Finding(UNREADABLE, None, sentence, "check again"),))
        elif fix and any(each.fixable for each in own):
            yield _fixed(workspace, summary.stem, own, labels(summary.dataset))
        else:
            yield Checked(summary.stem, own)


def unreadable(summary: Summary) -> Finding:
    """What there is to say of a file that is no thread."""
    fix_by_hand = "run `sensorloom migrate`" if summary.shape == "v3" else "mend the file by hand"
    return Finding(UNREADABLE, None, summary.problem, fix_by_hand)


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
