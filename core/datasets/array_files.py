"""Arrays in a file that can be made anew: damaged, or of another key, it counts as missing."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from core.errors import SensorloomError
from core.storage.atomic import write_atomic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PATIENCE_SEC = 600.0
"""How long another process is waited for that makes the same; after that it is made here as well."""
_LOOK_SEC = 0.2
"""How often who waits is told so."""


def read_arrays(path: Path, key: bytes) -> dict[str, NDArray[Any]] | None:
    """The arrays that were written with this key; None where there are none, or the file is damaged."""
    import numpy as np

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if arrays["key"].tobytes() != key:
                return None
            return {name: arrays[name] for name in arrays.files if name != "key"}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError):
        return None


def write_arrays(path: Path, key: bytes, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays for `read_arrays`, whole or not at all. On a disk that is full or cannot be written nothing is: it
    costs the next start the same work again."""
    import numpy as np

    known: dict[str, np.ndarray[Any, Any]] = {"key": np.frombuffer(key, np.uint8), **arrays}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, partial(_save, arrays=known), durable=False)
    except (OSError, SensorloomError):
        return


def _save(file: IO[bytes], arrays: Mapping[str, NDArray[Any]]) -> None:
    import numpy as np

    np.savez(file, allow_pickle=False, **arrays)


@contextmanager
def only_maker(path: Path, waiting: Callable[[], object]) -> Generator[bool]:
    """One process at a time that makes what is kept in a file; `waiting` is told now and then while another one does.

    Yields:
        Whether another one was waited for, so that the file is worth a look.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, poll_interval=0.05)
    begun, waited = time.monotonic(), False
    while time.monotonic() - begun < PATIENCE_SEC:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=_LOOK_SEC if waited else 0)
            break
        except Timeout:
            waited = True
            waiting()
        except (OSError, NotImplementedError):
            break  # a file system without locks, or one that cannot be written: then nothing is kept either
    try:
        yield waited
    finally:
        lock.release()
