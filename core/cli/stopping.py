"""Ctrl-C as a question: a command that is asked to stop tells what it has done by then."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def stopped_by_signals() -> Generator[threading.Event]:
    """Ctrl-C, a polite kill and a hang-up set the event; a second ctrl-C ends at once, losing nothing that came."""
    stop = threading.Event()

    def ask(_number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {name: signal.signal(name, ask) for name in names if signal.getsignal(name) != signal.SIG_IGN}
    try:
        yield stop
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
