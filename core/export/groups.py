"""Which threads may not be parted by a split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from core.datasets.subjects import Subjects
from core.export.entry import Entry
from core.export.split import Grouping
from core.thread.lineage import Lineage, lineage
from core.thread.summary import Summary
from core.workspace import Workspace

Recorded = Summary | Entry
"""A thread and the session it is about."""


class Groups:
    """Names the group of each thread, for one export."""

    def __init__(self, workspace: Workspace, listing: Callable[[], Iterable[Summary]]) -> None:
        """Args: `listing` gives the folder's summaries, where families are asked for."""
        self._listing = listing
        self._subjects = Subjects(workspace)

    @cached_property
    def _lineage(self) -> Lineage:
        return lineage(self._listing())

    def subject(self, thread: Recorded) -> str:
        """The subject, or nothing where it is not known."""
        return self._subjects.of(thread.dataset, thread.session)

    def of(self, thread: Recorded, grouping: Grouping) -> str:
        """The group's name. A session of unknown subject is a group of its own."""
        if grouping == "family":
            return self._lineage.family(thread.stem)
        subject = self.subject(thread) if grouping == "subject" else ""
        return f"{thread.dataset}/subject:{subject}" if subject else f"{thread.dataset}/{thread.session}"
