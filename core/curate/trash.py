"""Deleting threads and bringing them back."""

from __future__ import annotations

from collections.abc import Iterable

from core import store
from core.curate.bulk import Bulk, Progress, as_one_step
from core.curate.steps import put, recorder, trash, trash_path
from core.errors import UsageError
from core.files import Content, digest
from core.store import stems
from core.workspace import Workspace


def delete(workspace: Workspace, chosen: Iterable[str], *, progress: Progress | None = None) -> Bulk:
    """Move threads to `.sensorloom/trash/` as one step. Works on files that are no threads, too."""

    def one(stem: str, group: str) -> bool:
        data = store.read_bytes(store.path_of(workspace.threads, stem))
        put(workspace, stem, None, digest(data), recorder(workspace, "deletion", group))
        return True

    return as_one_step(workspace, chosen, one, progress)


def restore(workspace: Workspace, chosen: Iterable[str], *, progress: Progress | None = None) -> Bulk:
    """Bring threads back from the trash as one step, byte for byte."""

    def one(stem: str, group: str) -> bool:
        path = trash_path(workspace, stem)
        if not path.exists():
            raise UsageError(f"{stem} is not in the trash")
        put(workspace, stem, Content.of(store.read_bytes(path)), None, recorder(workspace, "restoring", group))
        return True

    return as_one_step(workspace, chosen, one, progress)


def list_trash(workspace: Workspace) -> list[str]:
    """The stems of the threads in the trash, sorted."""
    return stems(trash(workspace))
