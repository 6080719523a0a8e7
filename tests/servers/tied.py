"""A program that ends with the one that started it, however that ends: a server that nobody stops keeps its memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

GRACE_SEC = 20.0
"""So long it may take to end by itself."""


@contextmanager
def tied(
    command: Sequence[str], told: IO[bytes], environ: Mapping[str, str], cwd: Path
) -> Generator[subprocess.Popen[bytes]]:
    """Run a program, whose words go to `told`, until the end of the block or of this process.

    Yields what waits for it and ends when it does.
    """
    holding = [sys.executable, "-c", f"from {__name__} import hold; hold()", *command]
    # the pipe is closed with this process, also where it is killed
    process = subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=told, stderr=told, env=environ, cwd=cwd)
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait()


def hold() -> None:
    """Run the program that the command line names, with all that it starts, until standard input is closed."""
    program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)

    def end() -> None:
        sys.stdin.buffer.read()
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            program.wait(GRACE_SEC)
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)

    ending = threading.Thread(target=end, daemon=True)
    ending.start()
    status = program.wait()
    with suppress(ProcessLookupError):  # what it started and left
        os.killpg(program.pid, signal.SIGKILL)
    os._exit(status if status >= 0 else 1)
