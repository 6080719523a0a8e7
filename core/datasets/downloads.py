"""What was brought from URLs to be imported: kept hidden in the data folder until it is, so that a download that broke
off goes on and a form that was wrong costs none anew."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.datasets.importing import alone
from core.datasets.plan import Progress
from core.datasets.remote import name_at, remote_at, shown_url, total_size
from core.datasets.standard import read_object
from core.datasets.unused import drop_unused
from core.errors import DatasetError, system_reason
from core.storage.atomic import digest, write_json

DOWNLOADS = ".downloads"
_LISTING = "listing.json"
"""Beside what was brought: each file's size and version, by which a later download knows what it has."""


def brought(data: Path, url: str, progress: Progress | None = None) -> Path:
    """A folder or file from a URL, as a path of this machine. What is there from an earlier time is not brought again.

    Args:
        data: the data folder.
        url: where it is.
        progress: told the bytes that came. What it raises ends the download; the same call goes on with it.

    Raises:
        UsageError: what reads the URL is not installed; or another program brings it now.
        DatasetError: nothing is there, it cannot be read, or it cannot be written here.
    """
    home, name = _home(data, url), name_at(url) or "download"
    remote = remote_at(url)
    files = remote.files()
    local = home / name
    try:
        home.mkdir(parents=True, exist_ok=True)
        with alone(home.parent, home.name):
            drop_unused(home.parent, home)
            wanted = {file.name: [file.size, file.version] for file in files}
            known = read_object(home / _LISTING) if (home / _LISTING).is_file() else {}
            for old in known:
                if wanted.get(old) != known[old]:
                    (local / old).unlink(missing_ok=True)
            write_json(home / _LISTING, wanted)
            if missing := [file for file in files if file.size is None or _size(local / file.name) != file.size]:
                remote.copy([file.name for file in missing], local, progress, total_size(missing))
    except OSError as error:
        reason = f"{system_reason(error)}; import again to go on where it stopped"
        raise DatasetError(f"{shown_url(url)} cannot be brought to {home}: {reason}") from error
    return local


def drop_brought(data: Path, url: str) -> None:
    """Remove what was brought: it is imported."""
    shutil.rmtree(_home(data, url), ignore_errors=True)


def _home(data: Path, url: str) -> Path:
    return data / DOWNLOADS / digest(url.encode(errors="surrogateescape"))[:16]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
