"""An export on its way to disk: everything of it is made in a hidden folder, and gets its names when all is whole.

Renaming the hidden folder is the one step that decides. Killed before it, nothing has left; killed after it, the next
export names the rest. A training file gets its name last, so none ever stands without its manifest.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.errors import SensorloomError, system_reason
from core.files import read_regular_file
from core.storage.atomic import sync, sync_folder, write_atomic
from core.storage.export_log import UNNAMED
from core.storage.locks import locked

ENTRIES_FILE = "dataset_info.json"
"""What LLaMA-Factory looks for beside the data. Exports and others add to it; it is never replaced."""
_STAGED, _WHOLE = ".tmp", ".whole"
_PREFIX = ".training_data_"
_ABANDONED_SEC = 6 * 3600
"""A hidden folder this old was left by an export that was killed."""


class Staging:
    """A hidden folder inside the exports folder; a context, in the end of which it is gone."""

    def __init__(self, exports: Path) -> None:
        self._exports = exports
        with refusals_of(exports):
            exports.mkdir(parents=True, exist_ok=True)
            _clear_abandoned(exports)
            self.folder = Path(tempfile.mkdtemp(_STAGED, _PREFIX, exports))

    def __enter__(self) -> Staging:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def publish(self) -> None:
        """Give the files of the folder their names in the exports folder; an existing one is never replaced, and
        `dataset_info.json` is added to. The exports folder is locked by the caller.

        Raises:
            SensorloomError: a file cannot be named. Before the first one, nothing is left.
        """
        entries = self.folder / ENTRIES_FILE
        if entries.exists():
            _with_entries(self._exports / ENTRIES_FILE, entries)
        whole = self.folder.with_suffix(_WHOLE)
        with refusals_of(self._exports):
            for path in self.folder.iterdir():
                _sync_file(path)
            sync_folder(self.folder)
            self.folder.replace(whole)
            self.folder = whole
        _name_files(whole)


@contextmanager
def open_for_names(exports: Path) -> Generator[None]:
    """The exports folder locked, with the names that a killed export still owes given. Raises SensorloomError."""
    with locked(exports):
        for whole in exports.glob(UNNAMED):
            _name_files(whole)
        yield


@contextmanager
def refusals_of(path: Path) -> Generator[None]:
    """Turn what the file system refuses into one sentence with the path."""
    try:
        yield
    except OSError as error:
        raise SensorloomError(f"cannot write {path}: {system_reason(error)}") from error


def _name_files(whole: Path) -> None:
    exports = whole.parent
    with refusals_of(exports):
        for path in sorted(whole.iterdir(), key=lambda path: (path.suffix == ".jsonl", path.name)):
            target = exports / path.name
            if path.name == ENTRIES_FILE:
                write_atomic(target, _with_entries(target, path))
                path.unlink()
            else:
                _move(path, target)
        sync_folder(exports)
        whole.rmdir()


def _move(path: Path, target: Path) -> None:
    """Rename a file, never over another one."""
    try:
        os.link(path, target)
    except FileExistsError:
        if not target.samefile(path):
            raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise
        path.replace(target)
        return
    path.unlink()


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        sync(file.fileno())


def _with_entries(target: Path, added: Path) -> bytes:
    """`dataset_info.json` with our entries added to what others put there."""
    try:
        known: Any = json.loads(read_regular_file(target))
    except FileNotFoundError:
        known = {}
    except (OSError, ValueError) as error:
        raise SensorloomError(f"{target}: cannot be added to: {error}; mend it or move it away") from error
    if not isinstance(known, dict):
        raise SensorloomError(f"{target}: cannot be added to: it holds no JSON object; mend it or move it away")
    return (json.dumps({**known, **json.loads(added.read_bytes())}, indent=2, ensure_ascii=False) + "\n").encode()


def _clear_abandoned(exports: Path) -> None:
    for path in exports.glob(f"{_PREFIX}*{_STAGED}"):
        with suppress(FileNotFoundError):
            if time.time() - max(inner.stat().st_mtime for inner in (path, *path.glob("*"))) > _ABANDONED_SEC:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
