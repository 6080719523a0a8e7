"""Which subject a session is of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from core.errors import SensorloomError
from core.workspace import Workspace


class Subjects:
    """Names the subject of any session, opening each dataset once."""

    def __init__(self, workspace: Workspace) -> None:
        self._of = lru_cache(maxsize=None)(lambda dataset: _subjects(workspace, dataset))

    def of(self, dataset: str, session: str) -> str:
        """The subject, or nothing where it is not known. Reads the dataset's own files; belongs in a worker."""
        from core.datasets.standard import subject_in

        known = self._of(dataset).get(session)
        return known if known is not None else subject_in(session)


def _subjects(workspace: Workspace, dataset: str) -> Mapping[str, str]:
    """Session to subject, as the dataset says; nothing for a dataset that is not at hand."""
    from core.datasets.standard import open_dataset

    try:
        return open_dataset(workspace, dataset).subjects
    except SensorloomError:
        return {}
