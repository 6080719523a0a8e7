"""What the processes of `core.processes.pool` run. A module of its own, so that it starts with little to import."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import chain
from mmap import mmap
from multiprocessing.connection import Connection
from typing import Any

Write = Callable[[bytes], object]
Job = Callable[[Any, Write], Any]
"""Does one part: returns a small value, and writes bytes of any number."""
SLOTS = 4
"""Parts of each worker that may be done before their turn, or under way: what bounds memory."""
SLOT_BYTES = 4_000_000
"""Of the memory a worker shares with its parent, for one part; more goes through the socket."""


def opened(opener: str, setup: Sequence[Any]) -> Job:
    """The job that `module:function` gives for `setup`."""
    module, _, name = opener.partition(":")
    return getattr(import_module(module), name)(*setup)


def place(slot: int, size: int, start: int = 0) -> slice:
    """Where so many bytes of a slot are in the shared memory."""
    return slice(slot * SLOT_BYTES + start, slot * SLOT_BYTES + start + size)


def main() -> None:
    """Start workers, and end them when the parent has had enough, or has ended.

    Arguments: the handle of a socket to the parent, then for each worker that of its own, with `:` and that of the
    memory it shares with the parent, if any. The workers are forks, so what the job needs is imported and opened once.
    """
    control = Connection(int(sys.argv[1]))
    ends = [[int(handle) for handle in end.split(":")] for end in sys.argv[2:]]
    gc.set_threshold(100_000)  # a part is many small values that do not refer to themselves
    workers: list[int] = []
    try:
        job = opened(*control.recv())
        for end in ends:
            if not (worker := os.fork()):
                _keep_only(end, ends, control)
                _work(job, *end)
                return
            workers.append(worker)
        _keep_only([], ends)
        control.poll(None)
    except (EOFError, ConnectionError):
        return
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    for worker in workers:
        os.waitpid(worker, 0)
    os._exit(0)  # somebody waits, and there is nothing to tidy up


def _keep_only(mine: list[int], ends: list[list[int]], control: Connection | None = None) -> None:
    """Close what others hold: a socket tells that its worker has ended only when nobody else has it."""
    if control is not None:
        control.close()
    for handle in chain.from_iterable(ends):
        if handle not in mine:
            os.close(handle)


def _work(job: Job, handle: int, shared: int | None = None) -> None:
    """Do parts until the parent has had enough."""
    connection = Connection(handle)
    memory = None if shared is None else mmap(shared, SLOTS * SLOT_BYTES)
    try:
        while True:
            number, slot, part = connection.recv()
            if memory is not None and isinstance(part, int):
                part = memory[place(slot, part)]
            output = _Output(memory, slot)
            try:
                value = job(pickle.loads(part), output.write)
            except Exception as error:
                value, output = error, _Output(memory, slot)
            packed = pickle.dumps(value)
            if memory is not None and output.is_shared(len(packed)):
                memory[place(slot, len(packed), output.shared)] = packed
                connection.send((number, len(packed), output.shared))
            else:
                connection.send((number, packed, None))
                connection.send_bytes(output.taken())
    except (EOFError, ConnectionError):
        return


class _Output:
    """The bytes of one part. They go to where they will be read, while there is place."""

    def __init__(self, memory: mmap | None, slot: int) -> None:
        self._memory = memory
        self._slot = slot
        self._room = 0 if memory is None else SLOT_BYTES
        self._more: list[bytes] = []
        self.shared = 0
        """Bytes in the shared memory."""
        if memory is not None:
            memory.seek(slot * SLOT_BYTES)

    def write(self, data: bytes) -> None:
        """Add some."""
        if self._memory is not None and self.shared + len(data) <= self._room:
            self.shared += self._memory.write(data)
        else:
            self._room = 0
            self._more.append(data)

    def is_shared(self, further: int) -> bool:
        """Whether all of them are in the shared memory, and there is place for so many behind them."""
        return not self._more and self.shared + further <= SLOT_BYTES

    def taken(self) -> bytes:
        """All of them, taken out of the shared memory."""
        shared = b"" if self._memory is None else self._memory[place(self._slot, self.shared)]
        return b"".join((shared, *self._more))
