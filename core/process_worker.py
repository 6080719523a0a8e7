"""What a process of `core.processes` runs. A module of its own, so that it starts with little to import."""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from mmap import mmap
from multiprocessing.connection import Connection
from typing import Any

Job = Callable[[Any], tuple[Any, bytes]]
"""Does one part."""
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
    """Be a worker until the parent has had enough. Arguments: the socket's handle, and the shared memory's, if any."""
    handle, *shared = map(int, sys.argv[1:])
    memory = mmap(shared[0], SLOTS * SLOT_BYTES) if shared else None
    connection = Connection(handle)
    gc.set_threshold(100_000)  # a part is many small values that do not refer to themselves
    try:
        job = opened(*connection.recv())
        while True:
            number, slot, part = connection.recv()
            if memory is not None and isinstance(part, int):
                part = memory[place(slot, part)]
            try:
                value, data = job(pickle.loads(part))
            except Exception as error:
                value, data = error, b""
            packed = pickle.dumps(value)
            if memory is not None and len(data) + len(packed) <= SLOT_BYTES:
                memory[place(slot, len(data))] = data
                memory[place(slot, len(packed), len(data))] = packed
                connection.send((number, len(packed), len(data)))
            else:
                connection.send((number, packed, None))
                connection.send_bytes(data)
    except (EOFError, ConnectionError):
        return
