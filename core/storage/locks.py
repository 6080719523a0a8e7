"""One writer of ours at a time: in a folder, or of one thread in it.

Threads of this program wait for each other by notification. Only where another program of ours has the lock of the
file system is that looked at again and again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import SensorloomError, system_reason

PATIENCE_SEC = 20.0
_LOOK_AGAIN_SEC = 0.01
_FILE = ".sensorloom.threads.lock"
"""Each thread has one byte of it, which is locked and never written. Nothing else may open it: a process that closes a
file gives up all the locks that it has on it."""


class BusyError(SensorloomError):
    """Another writer of ours did not let go in time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"another sensorloom has been writing in {folder} for {PATIENCE_SEC:.0f} s; try again")


_Key = tuple[str, str]
"""What is locked: a folder, under an empty name, or a thread in it. The folder's path is the one without links, so that
all names of a folder are one."""
_held: ContextVar[frozenset[_Key]] = ContextVar("held", default=frozenset())
"""What the running code is under. A thread that is given a copy of the context is under it too."""


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """One of ours at a time in a folder; the single threads in it are free meanwhile. The folder is made when it is not
    there. Entered again by code that is under it already, it does nothing.

    Raises:
        SensorloomError: another program of ours does not let go, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    with _turn_at(folder, "", PATIENCE_SEC) as is_outermost:
        if not is_outermost:
            yield
            return
        lock = FileLock(folder / ".sensorloom.lock", timeout=PATIENCE_SEC, poll_interval=_LOOK_AGAIN_SEC)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise BusyError(folder) from error
        except OSError as error:
            raise _refused(folder, error) from error
        try:
            yield
        finally:
            lock.release()


@contextmanager
def thread_locked(folder: Path, stem: str, patience_sec: float | None = None) -> Generator[None]:
    """One of ours at a time with one thread, so that a look at its file and what is written after it are one step. As
    `locked` otherwise.

    Raises:
        BusyError: another one did not let go in time.
        SensorloomError: the folder cannot be written.
    """
    patience = PATIENCE_SEC if patience_sec is None else patience_sec
    until = time.monotonic() + patience
    with _turn_at(folder, stem, patience) as is_outermost:
        if not is_outermost:
            yield
            return
        byte = int.from_bytes(hashlib.blake2b(os.fsencode(stem), digest_size=7).digest())
        with _lock_file(folder) as handle:
            while not _could_lock(folder, handle, byte):
                if time.monotonic() >= until:
                    raise BusyError(folder)
                time.sleep(_LOOK_AGAIN_SEC)
            try:
                yield
            finally:
                with suppress(OSError):  # it is given up with the file at the latest
                    fcntl.lockf(handle, fcntl.LOCK_UN, 1, byte)


def _could_lock(folder: Path, handle: int, byte: int) -> bool:
    """Lock one byte of the file, unless another process has it."""
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise _refused(folder, error) from error
    return True


def _refused(folder: Path, error: OSError) -> SensorloomError:
    return SensorloomError(f"cannot write in {folder}: {system_reason(error)}")


_Identity = tuple[int, int]
"""A file's device and inode: it has one, under however many names."""


@dataclass(slots=True)
class _Turn:
    """Where the threads of this program wait for each other."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


@dataclass(slots=True)
class _File:
    """A lock file that is open as long as anything in it is used."""

    handle: int
    identity: _Identity
    users: int = 0


_guard = threading.Lock()
"""Of the two tables, which hold only what is used just now."""
_turns: dict[_Key, _Turn] = {}
_files: dict[_Identity, _File] = {}


@contextmanager
def _turn_at(folder: Path, stem: str, patience_sec: float) -> Generator[bool]:
    """Wait for the other threads of this program; gives whether the running code was not under it already."""
    key: _Key = os.path.realpath(folder), stem
    if key in _held.get():
        yield False
        return
    with _guard:
        turn = _turns.setdefault(key, _Turn())
        turn.users += 1
    try:
        if not turn.lock.acquire(timeout=patience_sec):
            raise BusyError(folder)
        token = _held.set(_held.get() | {key})
        try:
            yield True
        finally:
            _held.reset(token)
            turn.lock.release()
    finally:
        with _guard:
            turn.users -= 1
            if not turn.users:
                del _turns[key]


@contextmanager
def _lock_file(folder: Path) -> Generator[int]:
    """The folder's lock file, opened once for all who use it: another handle that is closed would free their locks."""
    try:
        with _guard:
            file = _opened(folder)
            file.users += 1
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        yield file.handle
    finally:
        with _guard:
            file.users -= 1
            if not file.users:
                os.close(file.handle)
                del _files[file.identity]


def _opened(folder: Path) -> _File:
    """The file as it is open, unless its folder went and came again since."""
    path = folder / _FILE
    with suppress(FileNotFoundError):
        if (file := _files.get(_identity(path.stat()))) is not None:
            return file
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    identity = _identity(os.fstat(handle))
    file = _files[identity] = _File(handle, identity)
    return file


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino
