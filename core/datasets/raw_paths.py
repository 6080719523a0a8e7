"""The folders and files that a path being typed may mean: what could be imported, the likely ones first."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from core.datasets.archive import may_be_raw
from core.datasets.remote import is_url, shown_url
from core.errors import DatasetError, system_reason

MOST = 2000
"""So many are listed of a folder that holds more."""


@dataclass(frozen=True, slots=True)
class RawPath:
    """A folder or file that could be imported."""

    text: str
    """As it would be typed; a folder ends in `/`."""
    path: Path
    size: int | None
    """Bytes; None for a folder."""


def raw_paths(typed: str, base: Path, last: Collection[Path] = ()) -> list[RawPath]:
    """What a path that is being typed may mean.

    Args:
        typed: the path as far as it is typed, `~` and all.
        base: what it is relative to.
        last: folders that are unlikely to be meant, such as the workspace's own; they stand at the end.

    Returns:
        A folder that is typed whole first, then what begins as the last name does: folders, then files that are called
        as raw ones or archives are.

    Raises:
        DatasetError: the folder that is typed cannot be listed, or a URL is typed.
    """
    if is_url(typed):
        raise DatasetError(f"{shown_url(typed)} is brought by a command: sensorloom datasets import NAME URL")
    if typed in ("~", ".", "..") or typed.endswith(("/..", "/.")):
        typed += "/"
    beginning = typed.rpartition("/")[2]
    head = typed.removesuffix(beginning)
    folder = base / _at_home(head)
    try:
        with os.scandir(folder) as listed:
            entries = [entry for entry in listed if _fits(entry.name, beginning)][:MOST]
            known = [_raw_path(head, folder, entry) for entry in entries]
    except OSError as error:
        raise DatasetError(f"{head or folder}: {system_reason(error)}; name a folder or file that is there") from error

    def order(each: RawPath) -> tuple[bool, bool, bool, str]:
        return (each.path.name != beginning, each.path in last, each.size is not None, each.path.name.casefold())

    itself = [RawPath(head, folder, None)] if head and not beginning else []
    return [*itself, *sorted((each for each in known if each is not None), key=order)]


def _at_home(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # nobody of that name, or no home
        return Path(text)


def _fits(name: str, beginning: str) -> bool:
    hidden = name.startswith(".") and not beginning.startswith(".")
    return not hidden and name.casefold().startswith(beginning.casefold())


def _raw_path(head: str, folder: Path, entry: os.DirEntry[str]) -> RawPath | None:
    try:
        if entry.is_dir():
            return RawPath(f"{head}{entry.name}/", folder / entry.name, None)
        if entry.is_file() and may_be_raw(entry.name):
            return RawPath(f"{head}{entry.name}", folder / entry.name, entry.stat().st_size)
    except OSError:  # it went away, or may not be looked at
        pass
    return None
