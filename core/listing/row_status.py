"""How a thread stands, beside what its summary tells: what the checks find in it, and whether it has left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.lint import Context, Finding, check_thread
from core.lint.findings_cache import FindingsCache, with_findings_cache
from core.lint.label_set import dataset_labels
from core.lint.survey import bring_up_to_date, repeats
from core.storage.export_log import Log, State, export_state, log_stamp, read_log
from core.thread.summary import Summary
from core.thread.value import Thread
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Standing:
    """One thread's."""

    exported: State
    """Whether it has left as it is now, in any profile."""
    findings: tuple[Finding, ...]
    """What the checks of a thread on its own find; not whether it repeats another."""


class Survey:
    """Finds out how threads stand, remembering what they share. Blocks; for one worker at a time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._log: tuple[tuple[int, int], Log] | None = None

    def of(self, listing: Sequence[Summary], cancelled: Callable[[], bool]) -> Iterator[tuple[Summary, Standing]]:
        """How each of these threads stands; files that are no threads are passed over."""

        def findings_of(cache: FindingsCache) -> Mapping[str, tuple[Finding, ...]]:
            bring_up_to_date(cache, self._workspace, listing, cancelled=cancelled)
            return cache.findings(summary.stem for summary in listing)

        log = self._read_log()
        findings = with_findings_cache(self._workspace, findings_of)
        for summary in listing:
            if cancelled():
                return
            if summary.stem in findings:
                state = export_state(self._workspace.threads, summary, log)
                yield summary, Standing(state, _told(findings[summary.stem], summary.status))

    def findings(self, thread: Thread, stem: str) -> tuple[Finding, ...]:
        """What the checks find in a thread that was read already: a few milliseconds."""
        findings = check_thread(thread, Context(stem, dataset_labels(self._workspace, thread.dataset)))
        return _told(findings, thread.status)

    def _read_log(self) -> Log:
        stamp = log_stamp(self._workspace)
        if self._log is None or self._log[0] != stamp:
            self._log = stamp, read_log(self._workspace)
        return self._log[1]


def repeated(
    workspace: Workspace, every: Sequence[Summary], cancelled: Callable[[], bool] = lambda: False
) -> Mapping[str, Finding] | None:
    """Which threads of a folder repeat another one. Blocks; what was never looked at is looked at now.

    Returns:
        By stem; None when it was cancelled, or when nothing can be kept and so each time would be the first.
    """

    def repeated_in(cache: FindingsCache) -> Mapping[str, Finding] | None:
        if not cache.lasting or not bring_up_to_date(cache, workspace, every, cancelled=cancelled):
            return None
        stems = {summary.stem for summary in every}
        cache.keep_only(stems)
        return repeats(cache, stems, cancelled)

    known = with_findings_cache(workspace, repeated_in)
    return None if cancelled() else known


def _told(findings: Sequence[Finding], status: str) -> tuple[Finding, ...]:
    """That a thread under way ends on a tool's result is left to `sensorloom check`: where it is worked on, it must."""
    return tuple(finding for finding in findings if finding.check != "ends_on_tool" or status != "active")
