"""Deleting threads and bringing them back."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from core.curate.bulk import Bulk, Progress, as_one_step
from core.curate.steps import put, recorder, trash, trash_path
from core.errors import UsageError
from core.storage import thread_files
from core.storage.atomic import Content, digest
from core.storage.thread_files import stems
from core.workspace import Workspace


def delete(workspace: Workspace, chosen: Iterable[str], *, progress: Progress | None = None) -> Bulk:
    """Move threads to `.sensorloom/trash/` as one step. Works on files that are no threads, too."""

    def act(stem: str, group: str) -> bool:
        data = thread_files.read_bytes(thread_files.path_of(workspace.threads, stem))
        put(workspace, stem, None, digest(data), recorder(workspace, "deletion", group))
        return True

    return as_one_step(workspace, chosen, act, progress)


def restore(workspace: Workspace, chosen: Iterable[str], *, progress: Progress | None = None) -> Bulk:
    """Bring threads back from the trash as one step, byte for byte."""

    def act(stem: str, group: str) -> bool:
        path = trash_path(workspace, stem)
        if not path.exists():
            raise UsageError(f"{stem} is not in the trash")
        put(workspace, stem, Content.of(thread_files.read_bytes(path)), None, recorder(workspace, "restoring", group))
        return True

    return as_one_step(workspace, chosen, act, progress)


def trash_by_age(workspace: Workspace) -> list[tuple[str, float]]:
    """The stems of the threads in the trash and when each was deleted (seconds since 1970), the newest first."""
    ages: list[tuple[str, float]] = []
    for stem in list_trash(workspace):
        with suppress(FileNotFoundError):  # brought back by another program meanwhile
            ages.append((stem, trash_path(workspace, stem).stat().st_mtime))
    return sorted(ages, key=lambda age: -age[1])


def list_trash(workspace: Workspace) -> list[str]:
    """The stems of the threads in the trash, sorted."""
    return stems(trash(workspace))
