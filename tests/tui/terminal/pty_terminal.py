"""A program in a pseudo-terminal of its own, as a person's terminal or sshd would start it."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

pytest.importorskip("pty", reason="there are no pseudo-terminals here")
import fcntl
import struct
import termios

COMMAND = Path(sys.executable).with_name("sensorloom")
_ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[P_^][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]"
)
DEADLINE_SECONDS = 60


class Terminal:
    """A program in a terminal of 120 × 40, and everything it has written."""

    def __init__(
        self,
        *arguments: str,
        program: Sequence[str] = (str(COMMAND),),
        environ: Mapping[str, str] | None = None,
        controlling: bool = True,
    ) -> None:
        """Args:
        arguments: of the program.
        program: what is run.
        environ: put over this process's own environment.
        controlling: whether the kernel tells the program when the terminal goes away, as it does for sshd's.
        """
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        names = ("NO_COLOR", "COLORTERM")
        inherited = {name: value for name, value in os.environ.items() if name not in names}
        self.process = subprocess.Popen(
            [*program, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**inherited, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40", **(environ or {})},
            start_new_session=True,
            preexec_fn=_take_terminal if controlling else None,
        )
        os.close(slave)
        self.written = b""

    def read(self, seconds: float) -> None:
        if self.master < 0:
            time.sleep(seconds)
        elif select.select([self.master], [], [], seconds)[0]:
            try:
                self.written += os.read(self.master, 1 << 16)
            except OSError:
                time.sleep(seconds)

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    @property
    def text(self) -> str:
        return _ESCAPES.sub(b"", self.written).decode("utf-8", "replace")

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come:\n{self.text[-3000:]}"
            assert self.process.poll() is None, self.text[-3000:]
            self.read(0.05)

    def wait(self, *texts: str) -> None:
        self.until(lambda: all(text in self.text for text in texts), f"{texts}")
        self.written = b""

    def ended(self) -> int:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still running; its threads: {self.threads()}"
            self.read(0.05)
        self.read(0.05)
        return self.process.returncode

    def threads(self) -> list[str]:
        """The names of the program's threads, as the kernel has them."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sorted((task / "comm").read_text().strip() for task in tasks.iterdir()) if tasks.exists() else []

    def hang_up(self) -> None:
        """Go away, as a terminal window that is closed or a connection that breaks."""
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        if self.master >= 0:
            self.hang_up()


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
