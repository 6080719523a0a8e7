"""A batch under way as other processes see it: who makes it, how far it is, and what somebody asks of it.

Beside `NAME.jsonl` lie `NAME.lock`, held by the process that makes the batch, `NAME.live`, which that process writes
twice a second, and `NAME.wish`, what it is asked to do. Whoever looks needs no more than the files.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from core.errors import SensorloomError, UsageError, system_reason
from core.files import read_regular_file
from core.runs.batches import FOLDER, batch_path, open_batch, remove_batch
from core.runs.progress import Meter, Progress
from core.storage.atomic import write_atomic
from core.workspace import Workspace

if TYPE_CHECKING:
    from filelock import BaseFileLock

BEAT_SEC = 0.5
"""Between two looks at what is asked, and two words of how far it is."""
CLAIM_SEC = 0.3
"""Who looks whether a batch is under way has its lock for a moment: so long it is tried to be had."""

Wish = Literal["pause", "resume", "stop"]
WISHES: tuple[Wish, ...] = ("pause", "resume", "stop")
State = Literal["whole", "left", "under way", "paused", "pausing", "going on", "stopping", "damaged"]

NOT_KNOWN = Progress(0)

_log = logging.getLogger(__name__)


class _Live(msgspec.Struct, frozen=True):
    pid: int
    host: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class Look:
    """A batch as it is now."""

    name: str
    progress: Progress = NOT_KNOWN
    whole: bool = False
    """Whether nothing is left to do."""
    alive: bool = False
    """Whether a process makes it."""
    maker: str = ""
    """Which, where one does."""
    wish: Wish | None = None
    """What that was asked to do and has not done."""
    begun_at: str = ""
    endpoint: str = ""
    model: str = ""
    threads: str = ""
    """The folder of its threads, as it is shown."""
    datasets: tuple[str, ...] = ()
    problem: str = ""
    """Why it cannot be read."""
    version: tuple[int, int] = (0, 0)
    """Of the file that was read."""

    @property
    def state(self) -> State:
        """In a word. One that is `left` has threads that were not begun or not finished, and nobody makes it."""
        if self.problem:
            return "damaged"
        if not self.alive:
            return "whole" if self.whole else "left"
        paused = self.progress.paused
        match self.wish:
            case "stop":
                return "stopping"
            case "pause" if not paused or self.progress.asking:
                return "pausing"
            case "resume" if paused:
                return "going on"
            case _:
                return "paused" if paused else "under way"


@asynccontextmanager
async def shown_live(workspace: Workspace, name: str, meter: Meter) -> AsyncGenerator[None]:
    """Make a batch in here: no other process does meanwhile, how far it is can be seen, and what is asked is done. To
    stop is to cancel the task that is in here.

    Raises:
        UsageError: there is no such batch, or another process makes it.
    """
    lock = _lock(workspace, name, CLAIM_SEC)
    await asyncio.to_thread(_claim, workspace, name, lock)
    owner = asyncio.current_task()
    assert owner is not None
    _beside(workspace, name, "wish").unlink(missing_ok=True)
    beating = asyncio.create_task(_beat(workspace, name, meter, owner))
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait([beating])
        with suppress(OSError):
            for kind in ("live", "wish"):
                _beside(workspace, name, kind).unlink(missing_ok=True)
        lock.release()


def look(workspace: Workspace, name: str, known: Look | None = None) -> Look:
    """How a batch is now. Its own file is not read where it is `known` already and what stands in it is."""
    path, alive = batch_path(workspace, name), is_alive(workspace, name)
    try:
        status = path.stat()
        version = status.st_mtime_ns, status.st_size
        if known is None or known.problem or (not alive and (known.alive or known.version != version)):
            known = _read(workspace, name, version)
    except SensorloomError as error:
        return Look(name, problem=str(error))
    except OSError as error:
        return Look(name, problem=f"cannot read {workspace.shown(path)}: {system_reason(error)}")
    if not alive:
        return known
    live = _live(workspace, name)
    return replace(
        known,
        progress=live.progress if live else known.progress,
        alive=True,
        maker=f"process {live.pid} on {live.host}" if live else "another process",
        wish=_wish(workspace, name),
    )


def _read(workspace: Workspace, name: str, version: tuple[int, int]) -> Look:
    batch = open_batch(workspace, name)
    setup, failed = batch.setup, batch.failed
    progress = Progress(len(setup.jobs), len(batch.over), len(failed), problem=["", *failed.values()][-1])
    datasets = tuple(sorted({job.dataset for job in setup.jobs}))
    return Look(
        name,
        progress,
        batch.whole,
        begun_at=setup.begun_at,
        endpoint=setup.endpoint,
        model=setup.model,
        threads=setup.threads,
        datasets=datasets,
        version=version,
    )


def _beside(workspace: Workspace, name: str, kind: Literal["lock", "live", "wish"]) -> Path:
    return workspace.private / FOLDER / f"{name}.{kind}"


def _live(workspace: Workspace, name: str) -> _Live | None:
    try:
        return msgspec.json.decode(read_regular_file(_beside(workspace, name, "live")), type=_Live)
    except (OSError, ValueError):
        return None


def _wish(workspace: Workspace, name: str) -> Wish | None:
    try:
        words = read_regular_file(_beside(workspace, name, "wish")).decode(errors="replace")
    except (OSError, ValueError):
        return None
    return next((wish for wish in WISHES if wish == words), None)


def ask(workspace: Workspace, name: str, wish: Wish) -> None:
    """Ask the process that makes a batch to pause it, to go on after that, or to stop it. `Look.wish` says so until it
    is done.

    Raises:
        UsageError: there is no such batch, or nobody makes it.
    """
    open_batch(workspace, name)
    if not is_alive(workspace, name):
        raise UsageError(f"batch {name} is not under way; `sensorloom run --resume {name}` goes on with what is left")
    write_atomic(_beside(workspace, name, "wish"), wish.encode(), durable=False)


def remove(workspace: Workspace, name: str) -> None:
    """Put a batch aside that nobody makes; see `core.runs.batches.remove_batch`. Raises UsageError where one does."""
    if is_alive(workspace, name):
        raise UsageError(f"batch {name} is under way; `sensorloom batches stop {name}` stops it")
    remove_batch(workspace, name)
    for kind in ("lock", "live", "wish"):
        _beside(workspace, name, kind).unlink(missing_ok=True)


def is_alive(workspace: Workspace, name: str) -> bool:
    """Whether a process makes the batch."""
    try:
        with _beside(workspace, name, "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who looks at the same time is no maker
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def killed_here(workspace: Workspace) -> list[str]:
    """The batches whose process was killed on this machine: it left how far it was."""
    names = sorted(path.stem for path in (workspace.private / FOLDER).glob("*.live"))
    hosts = {name: live.host for name in names if (live := _live(workspace, name))}
    return [name for name, host in hosts.items() if host == socket.gethostname() and not is_alive(workspace, name)]


@contextmanager
def claimed(workspace: Workspace, name: str) -> Generator[bool]:
    """Keep everybody from making a batch in here; False where somebody makes it."""
    from filelock import Timeout

    lock = _lock(workspace, name, CLAIM_SEC)
    try:
        lock.acquire()
    except (Timeout, OSError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _lock(workspace: Workspace, name: str, seconds: float) -> BaseFileLock:
    from filelock import FileLock

    return FileLock(_beside(workspace, name, "lock"), timeout=seconds, poll_interval=0.05, thread_local=False)


def _claim(workspace: Workspace, name: str, lock: Any) -> None:
    from filelock import Timeout

    try:
        lock.acquire()
    except Timeout as error:
        live = _live(workspace, name)
        who = f"process {live.pid} on {live.host}" if live else "another process"
        raise UsageError(
            f"batch {name} is being made by {who}: `sensorloom batches show {name}` says how far it is"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot write {_beside(workspace, name, 'lock')}: {system_reason(error)}") from error


async def _beat(workspace: Workspace, name: str, meter: Meter, owner: asyncio.Task[Any]) -> None:
    path, pid, host = _beside(workspace, name, "live"), os.getpid(), socket.gethostname()
    while True:
        match _wish(workspace, name):
            case "stop":
                meter.stopped = True
                owner.cancel()
            case "pause":
                meter.pace.pause()
            case "resume":
                meter.pace.pause(False)
            case None:
                pass
        live = msgspec.json.encode(_Live(pid, host, meter.progress))
        try:
            await asyncio.to_thread(write_atomic, path, live, durable=False)
        except SensorloomError as error:
            _log.warning("how far the batch is cannot be shown: %s", error)  # no reason to end it
        if meter.stopped:
            return
        await asyncio.sleep(BEAT_SEC)
