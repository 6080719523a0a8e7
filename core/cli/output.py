"""Standard output and error for a command: what cannot be written ends no action, and is told once."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from core.errors import system_reason

UNWRITTEN = 74
"""The exit code of a command that did what was asked and could not write its output (EX_IOERR of sysexits.h)."""


class Outlet:
    """A stream that goes on when it cannot be written to: what comes later is dropped, and the reason kept."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.problem: OSError | None = None

    def write(self, text: str) -> int:
        """Write text. Characters that the stream's encoding has not are written as escapes."""
        if self.problem is None:
            try:
                return self._stream.write(text)
            except UnicodeEncodeError:
                encoding = self._stream.encoding or "ascii"
                return self.write(text.encode(encoding, "backslashreplace").decode(encoding))
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Hand what was written to the system."""
        if self.problem is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Write nothing from now on. What the stream still holds goes nowhere, lest Python fail on it when it ends."""
        self.problem = error
        with suppress(OSError, ValueError, AttributeError):
            descriptor = self._stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)

    @property
    def told(self) -> str:
        """Why something was not written, as a sentence; empty where it was, or where the reader simply left."""
        if self.problem is None or self.problem.errno == errno.EPIPE:
            return ""
        return f"done, but the output could not be written: {system_reason(self.problem)}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lasting_output() -> Generator[Outlet | None]:
    """Let what is written to the standard streams end no command; yields that of standard output, if there is one."""
    out, err = sys.stdout, sys.stderr
    outlet = None if cast("TextIO | None", out) is None else Outlet(out)
    try:
        if outlet is not None:
            sys.stdout = cast("TextIO", outlet)
        if cast("TextIO | None", err) is not None:
            sys.stderr = cast("TextIO", Outlet(err))
        yield outlet
    finally:
        sys.stdout, sys.stderr = out, err


def in_terminal(*streams: TextIO | None) -> bool:
    """Whether a person sits at all of these streams; one that is closed has nobody."""
    return all(stream is not None and stream.isatty() for stream in streams)
