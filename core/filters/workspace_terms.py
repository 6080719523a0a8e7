"""Filter terms about how a thread stands in its workspace: whether it has left, whether its session is held out, and
what the checks find in it.

They need more than a summary: the export log, the names of what is held out, and the dataset's labels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cache
from typing import Protocol

from core.curate.task import form_named, recorded_form
from core.datasets.held_out import held_out_in
from core.datasets.subjects import Subjects
from core.errors import SensorloomError, UsageError
from core.filters.terms import ANY, NONE, OnSummary
from core.lint import CHECKS, duplicates
from core.lint.finding import UNREADABLE
from core.lint.findings_cache import FindingsCache, with_findings_cache
from core.lint.survey import bring_up_to_date, repeats
from core.listing.index import summaries
from core.listing.similar import NEAR, NOT_THERE, Likeness, similar_to
from core.runs.batches import batch_path, batches, open_batch
from core.storage.export_log import export_state, read_log
from core.storage.pass_rates import latest, read_pass_rates
from core.thread.summary import Summary
from core.workspace import Workspace

LOOK_AGAIN_SEC = 0.05
"""A thread of no batch may be of one that has grown: after so long that is looked at again."""


def checks() -> tuple[str, ...]:
    """The words of `lint`: the names of all checks."""
    return (*(check.name for check in CHECKS), duplicates.NAME, UNREADABLE)


def left(workspace: Workspace, words: Sequence[str]) -> OnSummary:
    """Whether a thread's export state is one of `words`. The log is read once, when the first thread is asked about;
    a thread's file only when it was written since it left."""
    log = cache(lambda: read_log(workspace))

    def test(summary: Summary) -> bool:
        if summary.problem:
            return NONE in words
        state = export_state(workspace.threads, summary, log())
        return state in words or ANY in words

    return test


def held_out(workspace: Workspace, words: Sequence[str]) -> OnSummary:
    """Whether a thread's session is held out, by the names as they are now. Raises WorkspaceError when `splits.json` is
    damaged."""
    is_held_out = held_out_in(workspace)

    def test(summary: Summary) -> bool:
        if not summary.session:
            return NONE in words
        return ("true" if is_held_out(summary) else "false") in words or ANY in words

    return test


def subject(workspace: Workspace, words: Sequence[str]) -> OnSummary:
    """Whether a thread's session is of one of these subjects. Each dataset is opened once, when first asked of."""
    subjects, patterns = Subjects(workspace), [word.casefold() for word in words]

    def test(summary: Summary) -> bool:
        name = subjects.of(summary.dataset, summary.session).casefold() if summary.session else ""
        return any(
            not name if pattern == NONE else bool(name) if pattern == ANY else fnmatchcase(name, pattern)
            for pattern in patterns
        )

    return test


def form_changed(workspace: Workspace, words: Sequence[str]) -> OnSummary:
    """Whether a thread was made with another prompt, or another form of that name, than a new one would be now; the
    only word is `changed`."""

    @cache
    def current(name: str) -> str:
        try:
            return str(recorded_form(workspace, form_named(workspace, name), keeps=False)["sha256"])
        except UsageError:
            return ""

    def test(summary: Summary) -> bool:
        name, _, checksum = summary.form.partition(" ")
        return bool(checksum) and current(name) != checksum

    return test


def difficulty(workspace: Workspace, words: Sequence[str]) -> OnSummary:
    """Whether a thread's session is so difficult, by the model that was asked last. Raises WorkspaceError when
    `pass_rates.json` is damaged."""
    rates = read_pass_rates(workspace.root)

    def test(summary: Summary) -> bool:
        rate = latest(rates, summary.dataset, summary.session)
        return NONE in words if rate is None else rate.difficulty in words or ANY in words

    return test


class OfBatches:
    """A test of summaries: whether one of the batches in `names` made a thread; `any` is all of them. A batch grows
    while it is made, and is read again then."""

    def __init__(self, workspace: Workspace, names: Sequence[str]) -> None:
        """Raises UsageError: there is no such batch."""
        self._workspace = workspace
        self._is_any, self._is_none = ANY in names, NONE in names
        self._names = [name for name in names if name not in (ANY, NONE)]
        self._stems: dict[str, frozenset[str]] = {}
        self._versions: dict[str, tuple[int, int]] = {}
        self._looked_at = 0.0
        for name in self._names:
            open_batch(workspace, name)

    def __call__(self, summary: Summary) -> bool:
        """Whether it holds of one thread."""
        of = self._of(summary.stem)
        if not of and time.monotonic() - self._looked_at > LOOK_AGAIN_SEC:
            self._look()
            of = self._of(summary.stem)
        return self._is_none if not of else self._is_any or any(name in of for name in self._names)

    def _of(self, stem: str) -> list[str]:
        return [name for name, stems in self._stems.items() if stem in stems]

    def _look(self) -> None:
        """Read what has changed."""
        every = batches(self._workspace)
        wanted = every if self._is_any or self._is_none else [name for name in self._names if name in every]
        for name in wanted:
            with suppress(SensorloomError, OSError):  # one that was removed, or is damaged, made none
                status = batch_path(self._workspace, name).stat()
                version = status.st_mtime_ns, status.st_size
                if self._versions.get(name) != version:
                    self._stems[name] = frozenset(open_batch(self._workspace, name).stems.values())
                    self._versions[name] = version
        self._looked_at = time.monotonic()


class OfFolder(Protocol):
    """A test of summaries that wants to know the whole folder before it is asked."""

    def prepare(
        self,
        every: Sequence[Summary],
        progress: Callable[[int, int], object] = ...,
        cancelled: Callable[[], bool] = ...,
    ) -> bool:
        """Find out of these threads, which are all of the folder, what it needs; False when it was cancelled."""
        ...

    def __call__(self, summary: Summary) -> bool:
        """Whether it holds of one thread."""
        ...


class SimilarTo:
    """A test of summaries: whether a thread is like another one (`core.listing.similar`)."""

    def __init__(self, workspace: Workspace, stem: str) -> None:
        self._workspace = workspace
        self.stem = stem
        self.likeness: Mapping[str, Likeness] = {}
        """How much each thread is like it, by stem, once that is known."""

    def prepare(
        self,
        every: Sequence[Summary],
        progress: Callable[[int, int], object] = lambda _done, _total: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Compare these threads, which are all of the folder, with it. Blocks. Nothing is like one that is gone."""
        if all(summary.stem != self.stem or summary.problem for summary in every):
            self.likeness = {self.stem: NOT_THERE}
            return True
        likeness = similar_to(self._workspace, every, self.stem, progress, cancelled)
        if likeness is None:
            return False
        self.likeness = likeness
        return True

    def __call__(self, summary: Summary) -> bool:
        """Whether it holds of one thread, as its summary is."""
        if not self.likeness:
            self.prepare(summaries(self._workspace))
        likeness = self.likeness.get(summary.stem)
        return likeness is not None and likeness.score >= NEAR


class FoundByChecks:
    """A test of summaries: whether one of the checks in `words` finds something; `any` is all of them, `none` is none.

    It needs to know the whole folder. Unless `prepare` told it, it finds that out when it is first asked.
    """

    def __init__(self, workspace: Workspace, words: Sequence[str]) -> None:
        self._workspace = workspace
        self._words = frozenset(words)
        self._checks_by_stem: Mapping[str, frozenset[str]] | None = None

    def prepare(
        self,
        every: Sequence[Summary],
        progress: Callable[[int, int], object] = lambda _done, _total: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Find out what the checks find in these threads, which are all of the folder. Blocks.

        Args:
            every: the folder's summaries.
            progress: called with how many files were looked at, and of how many that had to be.
            cancelled: asked between files.

        Returns:
            Whether it came to its end.
        """

        def names(cache: FindingsCache) -> Mapping[str, frozenset[str]] | None:
            if not bring_up_to_date(cache, self._workspace, every, progress, cancelled):
                return None
            checks_by_stem = cache.checks()
            if self._words & {duplicates.NAME, ANY, NONE}:
                for stem in repeats(cache, {listed.stem for listed in every}, cancelled):
                    checks_by_stem[stem] = checks_by_stem.get(stem, frozenset()) | {duplicates.NAME}
            return checks_by_stem

        checks_by_stem = with_findings_cache(self._workspace, names)
        if checks_by_stem is None or cancelled():
            return False
        self._checks_by_stem = checks_by_stem
        return True

    def __call__(self, summary: Summary) -> bool:
        """Whether it holds of one thread, as its summary is."""
        if self._checks_by_stem is None:
            self.prepare(summaries(self._workspace))
            assert self._checks_by_stem is not None
        names = {UNREADABLE} if summary.problem else self._checks_by_stem.get(summary.stem, frozenset[str]())
        return bool(names & self._words) or (ANY if names else NONE) in self._words


BY_NAME: Mapping[str, Callable[[Workspace, Sequence[str]], OnSummary]] = {
    "exported": left,
    "difficulty": difficulty,
    "heldout": held_out,
    "form": form_changed,
}
"""Terms that one look at a summary answers."""
