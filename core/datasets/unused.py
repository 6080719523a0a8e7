"""Folders that are made anew when they are wanted, and dropped when nothing has wanted them for long."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

UNUSED_SEC = 7 * 24 * 3600.0
"""How long a folder stays that nothing uses."""


def drop_unused(shelf: Path, used: Path) -> None:
    """Note that one folder is used now, and drop those beside it, in `shelf`, that nothing has used for long."""
    with suppress(OSError):
        os.utime(used)
    with suppress(OSError):
        for folder in shelf.iterdir():
            if folder.is_dir() and folder.stat().st_mtime < time.time() - UNUSED_SEC:
                shutil.rmtree(folder, ignore_errors=True)
