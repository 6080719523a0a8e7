"""How a thread stands, beside what its summary tells: what the checks find in it, and whether it has left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from core import store
from core.errors import SensorloomError
from core.export.log import Log, State, export_state, log_stamp, read_log
from core.lint import Context, Finding, check_thread
from core.lint.label_set import dataset_labels
from core.summary import Summary
from core.thread import Thread
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
        self._labels: dict[str, tuple[str, ...]] = {}

    def of(self, listing: Iterable[Summary], cancelled: Callable[[], bool]) -> Iterator[tuple[Summary, Standing]]:
        """How each of these threads stands; files that are no threads are passed over."""
        log = self._read_log()
        for summary in listing:
            if cancelled():
                return
            if summary.problem:
                continue
            try:
                thread = store.read(self._workspace.threads, summary.stem).thread
            except SensorloomError:
                continue  # it went or changed since; what the folder reports next is looked at again
            state = export_state(self._workspace.threads, summary, log)
            yield summary, Standing(state, self.findings(thread, summary.stem))

    def findings(self, thread: Thread, stem: str) -> tuple[Finding, ...]:
        """What the checks find in a thread: a few milliseconds.

        That a thread under way ends on a tool's result is left to `sensorloom check`: where it is worked on, it must.
        """
        labels = self._labels.get(thread.dataset)
        if not labels:  # a dataset that was not there may be by now
            labels = self._labels[thread.dataset] = dataset_labels(self._workspace, thread.dataset)
        found = check_thread(thread, Context(stem, labels))
        return tuple(one for one in found if one.check != "ends_on_tool" or thread.status != "active")

    def _read_log(self) -> Log:
        stamp = log_stamp(self._workspace)
        if self._log is None or self._log[0] != stamp:
            self._log = stamp, read_log(self._workspace)
        return self._log[1]
