"""Work that goes on by itself, in a process of its own: begun, heard, stopped, waited for.

Whoever begins it from a screen has its own process for the keys: Python computes on one core at a time in a process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from core.datasets.table_news import TableNews, pass_on, stop_tables, told_of_tables
from core.errors import SensorloomError
from core.processes.starting import allow_many_files
from core.processes.talking import Talking, started
from core.runs.worker import PRELOAD

CLOSE_TIMEOUT_SEC = 5.0
"""How long `close` waits for what came to be saved; then the process is ended."""
END_SEC = 1.0
"""How long a process may take to end once it said that it is over."""

Tell = Callable[[Any], object]
Work = Callable[..., Awaitable[object]]
"""Does it; a function of a module. It is given what tells how far it is, then its arguments; all of that is pickled."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Over:
    """The last word of the process."""

    problem: str = ""
    stopped: bool = False


class Background:
    """One such work. All methods may be called from any thread."""

    def __init__(self, name: str, work: Work, *arguments: Any, heard: Tell, ended: Callable[[str], object]) -> None:
        """Args:
        name: what it is, for a sentence: `the evaluation`.
        work: does it.
        arguments: what it is given.
        heard: called on a thread of this with each value that the work tells.
        ended: called there when it is over, with what went wrong, in a sentence, or nothing.
        """
        self._name = name
        self._call = name, work, arguments
        self._heard = heard
        self._ended = ended
        self._talking: Talking | None = None
        self._asking = threading.Lock()
        self.stopping = False
        """Whether it was stopped, by whomever."""
        self._thread = threading.Thread(target=self._listen, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Cancel it."""
        with self._asking:
            self.stopping = True
            if self._talking is not None:
                _ask_to_stop(self._talking)

    def close(self) -> None:
        """Stop it, and wait until what came is saved."""
        if not self._thread.is_alive():
            return
        self.stop()
        self._thread.join(CLOSE_TIMEOUT_SEC)
        if self._thread.is_alive() and self._talking is not None:
            self._talking.process.kill()
            self._thread.join(CLOSE_TIMEOUT_SEC)

    def _listen(self) -> None:
        try:
            talking = started(_serve, *self._call, preload=PRELOAD)
        except SensorloomError as error:
            self._ended(str(error))
            return
        with self._asking:
            self._talking = talking
            if self.stopping:
                _ask_to_stop(talking)
        try:
            over = self._last_word(talking.line)
        except (EOFError, OSError):
            over = _Over(f"the process of {self._name} ended early; perhaps there was no memory left for it")
        with self._asking:
            self._talking = None
            self.stopping = self.stopping or over.stopped
        talking.end(END_SEC)
        self._ended(over.problem)

    def _last_word(self, line: Connection) -> _Over:
        """Hear what it tells until it is over. Raises EOFError, OSError: its process is gone."""
        while True:
            match line.recv():
                case _Over() as over:
                    return over
                case logging.LogRecord() as record:
                    logging.getLogger(record.name).handle(record)
                case TableNews() as news:
                    pass_on(news)
                case value:
                    self._heard(value)


def _ask_to_stop(talking: Talking) -> None:
    with suppress(OSError):  # it ended just now
        talking.line.send("stop")


def _serve(line: Connection, name: str, work: Work, arguments: tuple[Any, ...]) -> None:
    """What such a process does, to its end."""
    with suppress(OSError):
        os.setpgid(0, 0)  # ctrl+z stops the group of who began it, and the work goes on
    words: SimpleQueue[Any] = SimpleQueue()
    # who began it may be suspended and hear nothing for hours, which must not hold up the work
    teller = threading.Thread(target=_tell, args=(line, words), daemon=True)
    teller.start()
    log = QueueHandler(words)  # who began it has the log
    log.setLevel(logging.WARNING)
    logging.getLogger().addHandler(log)
    logging.captureWarnings(True)
    allow_many_files()

    async def done() -> None:
        task = asyncio.current_task()
        assert task is not None

        def stop() -> None:
            loop.remove_reader(line.fileno())  # said twice, it would cut off what is being saved
            stop_tables()
            task.cancel()

        loop = asyncio.get_running_loop()
        loop.add_reader(line.fileno(), stop)
        try:
            await work(words.put, *arguments)
        finally:
            loop.remove_reader(line.fileno())

    over = _Over()
    try:
        with told_of_tables(words.put):
            asyncio.run(done())
    except asyncio.CancelledError:
        over = _Over(stopped=True)
    except SensorloomError as error:
        over = _Over(str(error))
    except Exception as error:
        _log.exception("%s failed", name)
        over = _Over(f"{name} failed unexpectedly: {type(error).__name__}: {error}")
    words.put(over)
    words.put(None)
    teller.join()


def _tell(line: Connection, words: SimpleQueue[Any]) -> None:
    with suppress(OSError):  # nobody is there any more: this process is about to end
        while (word := words.get()) is not None:
            line.send(word)
