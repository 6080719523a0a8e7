"""What nobody foresaw: written to the log, said in one sentence, and lived through where that can be.

A handler, a worker or a row that fails must not take the app with it: the thread on the screen and the runs beside
it are worth more than whatever failed. Only what fails again and again, or before the app stands, ends it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, cast

from textual.dom import DOMNode
from textual.message_pump import MessagePump
from textual.worker import ResultType, Worker, WorkerFailed, WorkType

from core.errors import SensorloomError
from core.text import one_line
from core.workspace import Workspace, private_folder
from tui.terminal.textual_private import CatchingPump

LOG_BYTES = 1_000_000
LOG_FILES = 3
GIVE_UP_COUNT = 30
"""So many mishaps within `GIVE_UP_SECONDS` are no accident: going on would only repeat them."""
GIVE_UP_SECONDS = 10.0
SAY_AGAIN_SECONDS = 5.0
"""The same mishap is said again only after this long."""


class Mishaps:
    """Takes every exception that nobody caught, from any thread, and everything that is logged."""

    def __init__(self, workspace: Workspace, say: Callable[[str], object]) -> None:
        """Args: `say` shows a sentence; it is called on the thread of the mishap."""
        self._workspace = workspace
        self._say = say
        self._times: deque[float] = deque(maxlen=GIVE_UP_COUNT)
        self._shown_at: dict[str, float] = {}
        self._handler = _LogFile(workspace)
        self._before = threading.excepthook

    def begin(self) -> None:
        """Write what is logged to the file from now on, and never to the terminal, which the app draws on."""
        logging.getLogger().addHandler(self._handler)  # a handler that is there already is not added again
        logging.captureWarnings(True)
        threading.excepthook = self._in_thread

    def end(self) -> None:
        """Leave things as they were before."""
        logging.getLogger().removeHandler(self._handler)
        logging.captureWarnings(False)
        threading.excepthook = self._before
        self._handler.close()

    def note(self, error: BaseException) -> bool:
        """Log a mishap and say so. False when there have been too many for going on."""
        error = _first(error)
        logging.getLogger("sensorloom").error("not foreseen", exc_info=error)
        now = time.monotonic()
        text = self.sentence(error)
        if now - self._shown_at.get(text, -SAY_AGAIN_SECONDS) >= SAY_AGAIN_SECONDS:
            self._shown_at[text] = now
            self._say(text)
        self._times.append(now)
        return len(self._times) < GIVE_UP_COUNT or now - self._times[0] > GIVE_UP_SECONDS

    def sentence(self, error: BaseException) -> str:
        """What happened, and where the details are, on one line."""
        what = one_line(f"{type(error).__name__}: {error}", 160).rstrip(": ")
        where = self._handler.shown
        return f"something went wrong that was not foreseen ({what}); " + (
            f"details are in {where}" if where else "the log could not be written"
        )

    def _in_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self.note(arguments.exc_value)


class Guarded(CatchingPump):
    """A part of the app whose handlers may fail without it falling silent."""

    def run_worker(
        self,
        work: WorkType[ResultType],
        name: str | None = "",
        group: str = "default",
        description: str = "",
        exit_on_error: bool = True,
        start: bool = True,
        exclusive: bool = False,
        thread: bool = False,
    ) -> Worker[ResultType]:
        """Run work in a worker. Textual's own describes it by its `repr`, which with a hundred thousand threads among
        its arguments takes a quarter of a second."""
        return DOMNode.run_worker(
            cast("DOMNode", self), work, name, group, description or group, exit_on_error, start, exclusive, thread
        )

    def caught(self, error: Exception) -> None:
        """Hand it to the app, which takes mishaps."""
        survive(self, error)


def survive(part: MessagePump, error: Exception) -> None:
    """Hand an exception to the app that takes mishaps; raise it again in any other."""
    went_wrong: Callable[[Exception], None] | None = getattr(part.app, "went_wrong", None)
    if went_wrong is None:
        raise error
    went_wrong(error)


def _first(error: BaseException) -> BaseException:
    """The exception itself rather than what a framework wrapped it in."""
    if isinstance(error, WorkerFailed):
        return error.error
    if type(error).__name__ == "CallbackError" and error.__context__ is not None:
        return error.__context__
    return error


class _LogFile(RotatingFileHandler):
    """`.sensorloom/log/sensorloom.log`, made when there is something to write. One that cannot be written is none."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.shown = ""
        """Where the log is, as a person reads it; empty while nothing could be written."""
        path = workspace.private / "log" / "sensorloom.log"
        super().__init__(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8", errors="backslashreplace",
                         delay=True)  # fmt: skip
        self.setLevel(logging.WARNING)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def _open(self) -> TextIOWrapper[Any]:
        try:
            private_folder(self._workspace, "log")
        except SensorloomError as error:
            raise OSError(str(error)) from error
        opened = super()._open()
        self.shown = self._workspace.shown(Path(self.baseFilename))
        return opened

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, RUF100 - logging's own name
        """A full disk is no reason to write to the terminal."""
        self.shown = ""
