"""TinyDB's storage, written atomically.

TinyDB's own JSONStorage writes in place, so a kill in the middle leaves mixed bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tinydb.storages import Storage

from core.storage.atomic import write_atomic


class AtomicStorage(Storage):
    """One JSON file, replaced whole at every write. A damaged one is set aside and begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, dict[str, Any]] | None:
        """The tables, or None when there is no file or it cannot be used: nothing in it is irreplaceable."""
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            self._path.replace(self._path.with_suffix(".damaged"))
            return None
        return found if isinstance(found, dict) else None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace the file."""
        write_atomic(self._path, json.dumps(data, ensure_ascii=False).encode())
