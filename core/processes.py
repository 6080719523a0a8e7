"""Large jobs on all cores: parts of one go to processes of this program, the results come back in order.

A worker is `python -m core.processes` with one end of a socket. It is nobody's fork, so threads and terminals are left
alone, and it never imports the script that started it, as `multiprocessing` does. It ends when the socket closes, so
none outlives its parent, however that ended.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from importlib import import_module
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any

from core.errors import SensorloomError

Result = tuple[Any, bytes]
"""A small value, which is pickled, and bytes, which are sent as they are: many megabytes a second pass here."""
Job = Callable[[Any], Result]
"""Does one part."""

_QUEUED = 2
"""Parts a worker has before it, so that it need not wait for the next one."""
_WAITING_BYTES = 64_000
"""A part that may wait in the socket, which holds a multiple of it: a larger one is sent when the worker listens, since
else both sides could wait for the other to read."""
_AHEAD = 4
"""Parts for each worker that may be done before their turn: what bounds memory."""
_MOST = 8
"""Workers at most: beyond, the parent that takes the results is what one waits for."""


def in_order(opener: str, setup: Sequence[Any], parts: Sequence[Any]) -> Generator[Result]:
    """Do `parts` in processes; yields their results in the order of the parts. With one core, does them here.

    Args:
        opener: `module:function`; called in each process with `setup`, it returns the job.
        setup: what the job needs; pickled.
        parts: what the job is called with; pickled.

    Raises:
        SensorloomError: a process cannot be started, or was killed. What a job raises is raised here.
    """
    count = min(len(parts), _cores(), _MOST)
    if count < 2:
        job = _opened(opener, setup)
        yield from (job(part) for part in parts)
        return
    with ExitStack() as stack:
        workers = [stack.enter_context(_Worker(opener, setup)) for _ in range(count)]
        done: dict[int, Result] = {}
        given = taken = 0
        while taken < len(parts):
            for worker in sorted(workers, key=lambda one: one.busy):
                while given < min(len(parts), taken + _AHEAD * count) and worker.takes((given, parts[given])):
                    given += 1
            if taken in done:
                yield done.pop(taken)
                taken += 1
                continue
            ready = wait([worker.connection for worker in workers if worker.busy])
            for worker in workers:
                if worker.connection in ready:
                    number, result = worker.take()
                    done[number] = result


class _Worker:
    """A process and the parts it was given."""

    def __init__(self, opener: str, setup: Sequence[Any]) -> None:
        self.busy = 0
        self.connection, theirs = Pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "core.processes", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=Path(__file__).parents[1],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,  # a ctrl+c or a hang-up is the parent's to answer
            )
        except OSError as error:
            self.connection.close()
            raise SensorloomError(f"cannot start a process: {(error.strerror or str(error)).lower()}") from error
        finally:
            theirs.close()
        self._send(pickle.dumps((opener, setup)))

    def takes(self, message: tuple[int, Any]) -> bool:
        """Give it a numbered part, unless it has enough before it."""
        if self.busy >= _QUEUED:
            return False
        data = pickle.dumps(message)
        if self.busy and len(data) > _WAITING_BYTES:
            return False
        self._send(data)
        self.busy += 1
        return True

    def take(self) -> tuple[int, Result]:
        try:
            number, value = self.connection.recv()
            if isinstance(value, BaseException):
                raise value
            data = self.connection.recv_bytes()
        except (EOFError, ConnectionError) as error:
            raise self._lost() from error
        self.busy -= 1
        return number, (value, data)

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self._process.kill()
        self._process.wait()

    def _send(self, data: bytes) -> None:
        try:
            self.connection.send_bytes(data)
        except ConnectionError as error:
            raise self._lost() from error

    def _lost(self) -> SensorloomError:
        return SensorloomError(f"a process that did a part of the work ended early (exit code {self._process.wait()})")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _opened(opener: str, setup: Sequence[Any]) -> Job:
    module, _, name = opener.partition(":")
    return getattr(import_module(module), name)(*setup)


def _serve(connection: Connection) -> None:
    """Be a worker until the parent has had enough."""
    try:
        job = _opened(*connection.recv())
        while True:
            number, part = connection.recv()
            try:
                value, data = job(part)
            except Exception as error:
                value, data = error, b""
            connection.send((number, value))
            connection.send_bytes(data)
    except (EOFError, ConnectionError):
        return


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
