"""A process that goes on until it is told to end, and is talked with meanwhile."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

from core.errors import SensorloomError, system_reason
from core.processes.starting import fresh, settle


class Talking(NamedTuple):
    """A process, and the end of the line to it."""

    process: BaseProcess
    line: Connection

    def end(self, patience_sec: float) -> None:
        """Hang up, by which it knows that it is to end; one that does not is killed."""
        self.line.close()
        self.process.join(patience_sec)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def started(target: Callable[..., None], *arguments: Any, preload: Sequence[str] = ()) -> Talking:
    """Start a process that calls `target(line, *arguments)`, all of which is pickled. It is to be ended, since the
    program waits for it. `preload` names modules that are imported once for all such processes.

    Raises:
        SensorloomError: it cannot be started.
    """
    context = fresh(target.__module__, *preload)
    ours, theirs = context.Pipe()
    process = context.Process(target=_do, args=(target, theirs, *arguments))
    try:
        process.start()
    except OSError as error:
        ours.close()
        raise SensorloomError(f"cannot start a process: {system_reason(error)}") from error
    finally:
        theirs.close()
    return Talking(process, ours)


def _do(target: Callable[..., None], line: Connection, *arguments: Any) -> None:
    settle()
    for number in (signal.SIGTERM, signal.SIGHUP):  # a whole session is told to end: who talks with us is told, too
        signal.signal(number, signal.SIG_IGN)
    target(line, *arguments)
