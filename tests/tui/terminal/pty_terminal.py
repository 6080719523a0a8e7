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

import pyte

COMMAND = Path(sys.executable).with_name("sensorloom")
_ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[P_^][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]"
)
DEADLINE_SECONDS = 60
COLUMNS, ROWS = 120, 40


class Terminal:
    """A program in a terminal of 120 × 40, everything it has written, and what stands on the screen."""

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
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        names = ("NO_COLOR", "COLORTERM")
        inherited = {name: value for name, value in os.environ.items() if name not in names}
        self.process = subprocess.Popen(
            [*program, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**inherited, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS), **(environ or {})},
            start_new_session=True,
            preexec_fn=_take_terminal if controlling else None,
        )
        os.close(slave)
        self.written = b""
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._before, self._fed = "", False

    def read(self, seconds: float) -> bool:
        """Read what comes within so many seconds; whether anything came."""
        if self.master < 0:
            time.sleep(seconds)
        elif select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:
                time.sleep(seconds)
            else:
                self.written += data
                self._stream.feed(data)
                self._fed = True
                return True
        return False

    def press(self, keys: str) -> None:
        if self._fed:
            self._before, self._fed = self.screen, False
        os.write(self.master, keys.encode())

    @property
    def text(self) -> str:
        return _ESCAPES.sub(b"", self.written).decode("utf-8", "replace")

    @property
    def screen(self) -> str:
        """What stands on the screen."""
        return "\n".join(self._screen.display)

    def came(self, text: str) -> bool:
        """Whether text was written, or stands on the screen and did not before the last keys: cells that stay as they
        are, a letter of a word among them, are not written again."""
        return text in self.text or (text in self.screen and text not in self._before)

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come:\n{self.screen}"
            over = self.process.poll() is not None
            more = self.read(0.05)
            assert more or not over or condition(), self.text[-3000:]

    def wait(self, *texts: str) -> None:
        self.until(lambda: all(map(self.came, texts)), f"{texts}")
        self.written = b""

    def ended(self) -> int:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still running; its threads: {self.threads()}"
            self.read(0.05)
        while self.read(0.05):
            pass
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
