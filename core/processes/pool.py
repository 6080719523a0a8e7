"""Large jobs on all cores: parts of one go to processes of this program, the results come back in order.

A new process runs `core.processes.worker`, which forks itself into the workers; each has one end of a socket. They
are no forks of ours, so threads and terminals are left alone, and they never import the script that started them, as
those of `multiprocessing` do. They end when their sockets close, so none outlives us, however we ended.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from mmap import mmap
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any

from core.errors import SensorloomError, system_reason
from core.processes.worker import SLOT_BYTES, SLOTS, Job, opened, place

Result = tuple[Any, bytes | memoryview]
"""What a job returned, which is pickled, and what it wrote, which is not: hundreds of megabytes a second pass here."""

_MAIN = "from core.processes.worker import main; main()"
_QUEUED = 2
"""Parts a worker has before it, so that it need not wait for the next one."""
_WAITING_BYTES = 64_000
"""A part that may wait in the socket, which holds a multiple of it. A larger one goes through the memory that will take
its result; one that is too large for that is sent when the worker listens, since else both sides could wait for the
other to read."""
_AHEAD = 12
"""Parts done here at most before the first result from a process."""
_MOST = 8
"""Workers at most: beyond, the parent that takes the results is what one waits for."""


def in_order(
    opener: str, setup: Sequence[Any], parts: Iterable[Any], *, help_at_first: bool = False
) -> Generator[Result]:
    """Do `parts` in processes; yields their results in the order of the parts. With one core, does them here.

    The bytes of a result may be gone when the next one is asked for.

    The processes start before the first part is taken, and no more parts are taken than are soon done.

    Args:
        opener: `module:function`; called in each process with `setup`, it returns the job.
        setup: what the job needs; pickled.
        parts: what the job is called with; pickled.
        help_at_first: do some parts here as long as the processes are starting, which takes a tenth of a second.

    Raises:
        SensorloomError: a process cannot be started, or was killed. What a job raises is raised here.
    """
    count = min(_cores(), _MOST)
    if count < 2:
        job = opened(opener, setup)
        yield from (done_here(job, part) for part in parts)
        return
    with ExitStack() as stack:
        workers = stack.enter_context(_workers(count, opener, setup))
        selector = stack.enter_context(DefaultSelector())
        for worker in workers:
            selector.register(worker.connection, EVENT_READ, worker)
        done: dict[int, _Done] = {}
        waiting = enumerate(parts)
        following = next(waiting, None)
        taken = 0
        help_with = opened(opener, setup) if help_at_first else None
        while True:
            for worker in sorted(workers, key=lambda one: one.busy):
                while following and worker.takes(*following):
                    following = next(waiting, None)
            if first := done.pop(taken, None):
                with first:
                    yield first.value, first.data
                taken += 1
                continue
            if not any(worker.busy for worker in workers):
                return
            if help_with and following and len(done) < _AHEAD and not selector.select(0):
                number, part = following
                done[number] = _Done(number, *done_here(help_with, part))
                following = next(waiting, None)
                continue
            help_with = None
            for ready, _ in selector.select():
                one = ready.data.take()
                done[one.number] = one


def done_here(job: Job, part: Any) -> tuple[Any, bytes]:
    """A part done without another process."""
    written: list[bytes] = []
    value = job(part, written.append)
    return value, b"".join(written)


@dataclass(slots=True)
class _Done:
    """A part that was done, and the place its bytes are in until they are no longer wanted."""

    number: int
    value: Any
    data: bytes | memoryview
    release: Callable[[], None] | None = None

    def __enter__(self) -> _Done:
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self.data, memoryview):
            self.data.release()
        if self.release is not None:
            self.release()


@contextmanager
def _workers(count: int, opener: str, setup: Sequence[Any]) -> Generator[list[_Worker]]:
    """Workers that have begun to start; in the end they are gone."""
    with ExitStack() as ours:
        try:
            with ExitStack() as theirs:
                control, end = _socket(ours, theirs)
                workers = [_Worker(ours, theirs) for _ in range(count)]
                process = subprocess.Popen(
                    [sys.executable, "-c", _MAIN, str(end), *(":".join(map(str, one.handles)) for one in workers)],
                    pass_fds=[end, *chain.from_iterable(one.handles for one in workers)],
                    cwd=Path(__file__).parents[2],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    process_group=0,  # a ctrl+c or a hang-up is ours to answer
                )
        except OSError as error:
            raise SensorloomError(f"cannot start a process: {system_reason(error)}") from error
        ours.callback(process.wait)
        ours.callback(control.close)
        _send(control, pickle.dumps((opener, setup)))
        yield workers


class _Worker:
    """A process and the parts it was given."""

    def __init__(self, ours: ExitStack, theirs: ExitStack) -> None:
        self.busy = 0
        self._free = list(range(SLOTS))
        self._given: deque[int] = deque()
        self.connection, end = _socket(ours, theirs)
        shared = _shared_memory(theirs)
        self._memory = None if shared is None else mmap(shared, SLOTS * SLOT_BYTES)
        self.handles = [end] if shared is None else [end, shared]
        """What the process is to have."""

    def takes(self, number: int, part: Any) -> bool:
        """Give it a numbered part, unless it has enough before it, or no place for the result."""
        if self.busy >= _QUEUED or not self._free:
            return False
        slot, data = self._free[-1], pickle.dumps(part)
        if self._memory is not None and _WAITING_BYTES < len(data) <= SLOT_BYTES:
            self._memory[place(slot, len(data))] = data
            _send(self.connection, pickle.dumps((number, slot, len(data))))
        elif self.busy and len(data) > _WAITING_BYTES:
            return False
        else:
            _send(self.connection, pickle.dumps((number, slot, data)))
        self._given.append(self._free.pop())
        self.busy += 1
        return True

    def take(self) -> _Done:
        """The next part it has done; waits for it."""
        try:
            number, packed, size = self.connection.recv()
            slot = self._given.popleft()
            if size is None:
                data = self.connection.recv_bytes()
            else:
                assert self._memory is not None, "it was given none"
                shared = memoryview(self._memory)
                data, packed = shared[place(slot, size)], shared[place(slot, packed, size)]
            value = pickle.loads(packed)
            if isinstance(value, BaseException):
                raise value
        except (EOFError, ConnectionError) as error:
            raise _lost() from error
        self.busy -= 1
        return _Done(number, value, data, lambda: self._free.append(slot))


def _send(connection: Connection, data: bytes) -> None:
    try:
        connection.send_bytes(data)
    except ConnectionError as error:
        raise _lost() from error


def _lost() -> SensorloomError:
    return SensorloomError("a process that did a part of the work ended early; perhaps there was no memory left for it")


def _socket(ours: ExitStack, theirs: ExitStack) -> tuple[Connection, int]:
    """Our end of a new socket, and the handle of the other one."""
    mine, other = Pipe()
    return ours.enter_context(mine), theirs.enter_context(other).fileno()


def _shared_memory(theirs: ExitStack) -> int | None:
    """Memory that another process can be given, where the system has such; else all bytes go through the socket."""
    if not hasattr(os, "memfd_create"):
        return None
    try:
        handle = os.memfd_create("sensorloom")
    except OSError:
        return None
    theirs.callback(os.close, handle)
    os.ftruncate(handle, SLOTS * SLOT_BYTES)
    return handle


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
