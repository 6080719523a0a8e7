"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from core.errors import SensorloomError, system_reason

_BUFFER_BYTES = 1 << 20
"""Many small pieces are written together: a thread that writes them rarely has to wait for its turn."""
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES}
"""What file systems answer that cannot be told to write now; a full or failing disk answers something else."""
_AT_FDCWD = -100
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")


def digest(data: bytes) -> str:
    """The SHA-256 of a file's bytes, as hex: how we tell what we read from what is there now."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes with their digest, which for a long file is worth taking only once."""

    data: bytes
    digest: str

    @classmethod
    def of(cls, data: bytes) -> Content:
        """The bytes with their digest."""
        return cls(data, digest(data))


def write_atomic(
    path: Path, data: bytes | Iterable[bytes] | Callable[[IO[bytes]], object], *, durable: bool = True
) -> None:
    """Replace `path` with `data`, or leave it untouched if anything fails.

    The bytes go to a hidden temporary file in the same folder, are flushed to disk and renamed; the
    folder is synced too, so that the rename survives a power cut. An existing file's permissions are kept, or narrowed
    where the file system refuses to set them.

    Args:
        path: what to replace.
        data: its bytes, pieces of them, or what writes them into an open file.
        durable: whether to wait for the disk. What can be made anew, and is known to be damaged when it is, need not.

    Raises:
        SensorloomError: the disk is full, or the folder cannot be written; the message names the path.
    """
    beginning = os.fsdecode(os.fsencode(path.name)[:100])  # a name may have 255 bytes, not characters
    temporary = path.with_name(f".{beginning}.{secrets.token_hex(6)}.tmp")
    mode = _mode_of(path)
    try:
        handle = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666 if mode is None else mode
        )
    except OSError as error:
        raise SensorloomError(f"cannot write {path}: {system_reason(error)}") from error
    buffer = -1 if isinstance(data, bytes) else _BUFFER_BYTES
    try:
        with os.fdopen(handle, "wb", buffering=buffer) as file:
            if mode is not None:
                with suppress(OSError):  # network homes refuse it; the file was opened with no wider permissions
                    os.fchmod(handle, mode)
            if callable(data):
                data(file)
            else:
                for piece in [data] if isinstance(data, bytes) else data:
                    file.write(piece)
            file.flush()
            if durable:
                sync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SensorloomError(f"cannot write {path}: {system_reason(error)}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def exchange(path: Path, other: Path) -> None:
    """Swap the names of two files or folders in one step, so that neither name is ever missing.

    Raises:
        OSError: the system or the file system has no such step; nothing was renamed.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(path), os.fsencode(other)
    if hasattr(libc, "renameat2"):
        failed = libc.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, 2)  # RENAME_EXCHANGE of Linux
    elif hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(first, second, 2)  # RENAME_SWAP of macOS
    else:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if failed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def clear_half_written(folder: Path, older_than_sec: float = 0.0) -> None:
    """Remove what `write_atomic` left in a folder when the program was killed; that of any age only for who knows that
    no other program of ours is writing there."""
    latest = time.time() - older_than_sec
    try:
        with os.scandir(folder) as entries:
            ours = [entry for entry in entries if _TEMPORARY.fullmatch(entry.name)]
            left = [entry.path for entry in ours if not older_than_sec or entry.stat().st_mtime < latest]
    except OSError:
        return
    for path in left:
        Path(path).unlink(missing_ok=True)


def sync(handle: int) -> None:
    """Wait until an open file is on the disk, where the file system can be told to. Raises OSError when the disk is
    full or fails."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def write_json(path: Path, value: Any) -> None:
    """Replace `path` with a value as JSON that a person can read. Raises SensorloomError, as `write_atomic` does."""
    write_atomic(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def sync_folder(folder: Path) -> None:
    """Make a folder's renames durable, where the file system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass  # some network file systems refuse; the rename itself is still atomic
    finally:
        os.close(handle)


def _mode_of(path: Path) -> int | None:
    """The permissions of the file that is to be replaced; None when there is none."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return None
