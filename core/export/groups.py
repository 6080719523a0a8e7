"""Which subject a session is of, and which threads may not be parted by a split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache

from core.errors import SensorloomError
from core.export.entry import Entry
from core.export.split import Grouping
from core.listing.summary import Summary
from core.thread.lineage import Lineage, lineage
from core.workspace import Workspace

Recorded = Summary | Entry
"""A thread and the session it is about."""


class Groups:
    """Names the group of each thread, for one export."""

    def __init__(self, workspace: Workspace, listing: Callable[[], Iterable[Summary]]) -> None:
        """Args: `listing` gives the folder's summaries, where families are asked for."""
        self._listing = listing
        self._subjects = lru_cache(maxsize=None)(lambda dataset: _subjects(workspace, dataset))

    @cached_property
    def _lineage(self) -> Lineage:
        return lineage(self._listing())

    def subject(self, thread: Recorded) -> str:
        """The subject, or nothing where it is not known."""
        return self.subject_of(thread.dataset, thread.session)

    def subject_of(self, dataset: str, session: str) -> str:
        """The same of any session."""
        from core.datasets.standard import subject_in

        known = self._subjects(dataset).get(session)
        return known if known is not None else subject_in(session)

    def of(self, thread: Recorded, grouping: Grouping) -> str:
        """The group's name. A session of unknown subject is a group of its own."""
        if grouping == "family":
            return self._lineage.family(thread.stem)
        subject = self.subject(thread) if grouping == "subject" else ""
        return f"{thread.dataset}/subject:{subject}" if subject else f"{thread.dataset}/{thread.session}"


def _subjects(workspace: Workspace, dataset: str) -> Mapping[str, str]:
    """Session to subject, as the dataset says; nothing for a dataset that is not at hand."""
    from core.datasets.standard import open_dataset

    try:
        return open_dataset(workspace, dataset).subjects
    except SensorloomError:
        return {}
