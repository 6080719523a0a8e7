"""How a process of ours is started: forked by a server that was started fresh, so that threads and terminals of ours
are left alone, and ending when we do."""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import redirect_stderr, suppress
from multiprocessing import parent_process, resource_tracker
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from types import ModuleType
from typing import Any, TextIO

MOST_FILES = 16_384


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def allow_many_files() -> None:
    """Let this process have as many files and connections open as the system lets it: a thousand threads in flight are
    a thousand connections, and many shells allow fewer."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


_QUIET = "core.processes.quiet"
_one_at_a_time = Lock()
"""Of those who put something else in the place of what the whole program has, for a moment."""


class _Process(ForkServerProcess):
    """A process that never imports the script that started the program: one without an `if __name__ == "__main__"` is
    not to be run again in each process."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:
        with _one_at_a_time:
            script = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            # a ctrl+c reaches the server too, which until it ignores that would write a traceback
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                return ForkServerProcess._Popen(process_obj)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                sys.modules["__main__"] = script


class _Context(ForkServerContext):
    Process = _Process


def fresh(*preload: str) -> ForkServerContext:
    """Where processes are started from. `preload` names modules that the server imports once for all of them, where it
    does not run yet. What they print goes where ours does, and nowhere where a full-screen program took that over."""
    is_drawn_on = not _has_file(sys.stderr)
    with _one_at_a_time, redirect_stderr(sys.__stderr__):
        # what watches over semaphores is handed standard error, which in a full-screen program is no file (Textual's
        # has the number -1, which nothing can be started with)
        resource_tracker.ensure_running()
    context = _Context()
    context.set_forkserver_preload([*([_QUIET] if is_drawn_on else []), *preload])
    return context


def _has_file(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.fileno() >= 0
    except (OSError, ValueError):
        return False


def settle() -> None:
    """Make a process that was started ready: a ctrl+c is the parent's to answer, standard output the parent's to write,
    where a document may stand, and no process outlives a parent that was killed."""
    with suppress(OSError):
        os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # as what starts it has it
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
