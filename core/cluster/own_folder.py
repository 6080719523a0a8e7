"""The folder of a worker's process on its machine, under one that all workers of a person share there."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def machines_folder() -> Path:
    """What all workers of this machine share, unless told otherwise."""
    return Path(tempfile.gettempdir()) / f"sensorloom-workers-{os.getuid()}"


def own_folder(base: Path) -> Path:
    """A folder of this process under the machine's own; those of processes that are no more are removed.

    Raises:
        OSError: the machine's folder is somebody else's, or cannot be written.
    """
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    if base.lstat().st_uid != os.getuid():  # a link of somebody else's to a folder of ours, too
        raise PermissionError(f"{base} belongs to somebody else")
    for other in base.glob("worker-*-*"):
        number = other.name.split("-")[1]
        if number.isdecimal() and not _is_alive(int(number)):
            shutil.rmtree(other, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"worker-{os.getpid()}-", dir=base))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
