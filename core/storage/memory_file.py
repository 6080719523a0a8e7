"""TinyDB's storage as one JSON file that is replaced whole.

TinyDB's own JSONStorage writes in place, so a kill in the middle leaves mixed bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from tinydb.storages import Storage

from core.errors import WorkspaceError, system_reason
from core.files import read_regular_file
from core.storage.atomic import write_atomic

Tables = dict[str, dict[str, dict[str, Any]]]
"""TinyDB's tables by name: documents by number."""


class AtomicStorage(Storage):
    """One JSON file, replaced whole at every write. What a bad disk or another program made of it is set aside before
    anything is written in its place."""

    def __init__(self, path: Path, *, writing: bool) -> None:
        self._path = path
        self._writing = writing

    def read(self) -> Tables | None:
        """The tables, or None when there is no file, or a damaged one.

        Raises:
            WorkspaceError: it cannot be read or moved; nothing was changed.
        """
        try:
            data = read_regular_file(self._path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WorkspaceError(f"{self._path} cannot be read: {system_reason(error)}") from error
        try:
            return msgspec.convert(json.loads(data), Tables)
        except (ValueError, RecursionError):
            if self._writing:
                self._set_aside()
            return None

    def write(self, data: Tables) -> None:
        """Replace the file. Raises SensorloomError."""
        write_atomic(self._path, json.dumps(data).encode())  # ASCII: what was typed may hold a lone surrogate

    def _set_aside(self) -> None:
        number = 1
        while (aside := self._path.with_suffix(f".damaged{number}")).exists():
            number += 1
        try:
            self._path.rename(aside)
        except OSError as error:
            raise WorkspaceError(f"{self._path} is damaged and cannot be moved away: {system_reason(error)}") from error
