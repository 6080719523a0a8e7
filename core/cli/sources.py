"""What a command reads raw files or a dataset from: paths, and URLs that are brought here first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.cli.commands import progress_bar, say
from core.workspace import Workspace


def local_paths(workspace: Workspace, sources: Sequence[str]) -> list[Path]:
    """Each source as a path of this machine, with a bar while it is brought.

    Raises:
        UsageError: what reads a URL is not installed.
        DatasetError: nothing is there, or it cannot be read.
    """
    return [_local_path(workspace, source) for source in sources]


def _local_path(workspace: Workspace, source: str) -> Path:
    from core.datasets.remote import is_url, name_at, shown_url

    if not is_url(source):
        return Path(source)
    from core.datasets.downloads import brought

    try:
        with progress_bar(f"downloading {name_at(source)}") as progress:
            return brought(workspace.data, source, progress)
    except KeyboardInterrupt:
        say(f"what came of {shown_url(source)} is kept; the same command goes on from there", err=True)
        raise


def drop_downloads(workspace: Workspace, sources: Sequence[str]) -> None:
    """Remove what was brought of these sources: it is imported."""
    from core.datasets.remote import is_url

    for source in filter(is_url, sources):
        from core.datasets.downloads import drop_brought

        drop_brought(workspace.data, source)
