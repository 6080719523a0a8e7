"""A program in a terminal of our own: its screen, and when what came.

A thread reads the terminal and notes the time of every piece, so that drawing the screen (pyte, in Python) never
delays what is measured. Linux, for the figures on CPU and memory.
"""

# pyright: reportMissingImports=false
# the libraries of the `bench` extra are not installed where only the checks run

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pyte
from ptyprocess import PtyProcess, PtyProcessError

KEYS = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "pagedown": "\x1b[6~", "pageup": "\x1b[5~",
    "home": "\x1b[H", "end": "\x1b[F", "enter": "\r", "escape": "\x1b", "tab": "\t", "backspace": "\x7f", "space": " ",
    "ctrl+t": "\x14", "ctrl+u": "\x15",
}  # fmt: skip
QUIET_SECONDS = 0.12
"""So long without a byte, and what a key set off is over."""
_SYNC_ASKED = b"\x1b[?2026$p"
_SYNC_KNOWN = b"\x1b[?2026;2$y"
_LEFT_OUT = ("NO_COLOR", "TMUX", "STY", "LINES", "COLUMNS", "SSH_CONNECTION", "SSH_TTY", "OPENAI_", "SENSORLOOM_")


class TooSlowError(Exception):
    """Something did not come to the screen in time; the message ends with the screen."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """What one key did."""

    changed: float | None
    """Seconds until the screen was another one; None when it stayed the same."""
    settled: float | None
    """Seconds until the last byte came; None when none did."""
    sent: int
    """Bytes the program sent."""


class Program:
    """A program in a terminal, from its start to its end."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 160,
        lines: int = 48,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        variables = {key: value for key, value in os.environ.items() if not key.startswith(_LEFT_OUT)}
        variables |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"} | dict(env or {})
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._came: deque[tuple[float, bytes]] = deque()
        self._more = threading.Event()
        self.received = 0
        """Bytes so far."""
        self.started = time.perf_counter()
        self._process = PtyProcess.spawn(
            list(command), cwd=str(cwd) if cwd else None, env=variables, dimensions=(lines, columns)
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._process.fd, 1 << 16)
            except OSError:
                data = b""
            if not data:
                break
            self._came.append((time.perf_counter(), data))
            self.received += len(data)
            self._more.set()
            if _SYNC_ASKED in data:
                os.write(self._process.fd, _SYNC_KNOWN)

    # The screen

    @property
    def text(self) -> str:
        """The screen as it is now."""
        while self._came:
            self._stream.feed(self._came.popleft()[1])
        return "\n".join(self.screen.display)

    def wait(self, wanted: str | Callable[[str], bool], timeout: float = 30.0) -> float:
        """Wait until a pattern (or a condition on the text) is on the screen; the moment its bytes came.

        Raises:
            TooSlowError: it did not come.
        """
        pattern = re.compile(wanted) if isinstance(wanted, str) else None
        deadline = time.perf_counter() + timeout
        moment = time.perf_counter()
        while True:
            text = "\n".join(self.screen.display)
            if pattern.search(text) if pattern else wanted(text):  # pyright: ignore[reportCallIssue] - a pattern or a condition
                return moment
            if not self._draw_next(deadline):
                raise TooSlowError(f"not on the screen after {timeout:g} s: {wanted}\n{self.text}")
            moment = self._last

    def settle(self, quiet: float = QUIET_SECONDS, timeout: float = 30.0) -> None:
        """Wait until nothing has come for `quiet` seconds."""
        deadline = time.perf_counter() + timeout
        while time.perf_counter() < deadline and self._draw_next(time.perf_counter() + quiet):
            pass

    def _draw_next(self, deadline: float) -> bool:
        """Draw the next piece; False when none came before the deadline."""
        while not self._came:
            left = deadline - time.perf_counter()
            if left <= 0:
                return False
            self._more.clear()
            if not self._came:
                self._more.wait(left)
        self._last, data = self._came.popleft()
        self._stream.feed(data)
        return True

    # Keys

    def send(self, keys: str) -> None:
        """Send a named key, or text as it stands."""
        self._process.write(KEYS.get(keys, keys).encode())

    def press(self, key: str, quiet: float = QUIET_SECONDS) -> Pressed:
        """Send a key and wait until what it set off is over."""
        self.settle(0.02)
        before, received = self._drawn(), self.received
        pressed = time.perf_counter()
        self.send(key)
        changed, last = None, None
        while self._draw_next(max(last or 0.0, time.perf_counter()) + quiet if last else pressed + max(quiet, 1.0)):
            last = self._last
            if changed is None and self._drawn() != before:
                changed = last
        return Pressed(
            changed - pressed if changed else None, last - pressed if last else None, self.received - received
        )

    def _drawn(self) -> int:
        """A number for what the screen shows, colours included."""
        return hash(tuple(tuple(sorted(line.items())) for _, line in sorted(self.screen.buffer.items())))

    # The process

    @property
    def alive(self) -> bool:
        """Whether the program still runs."""
        return bool(self._process.isalive())

    def cpu_seconds(self) -> float:
        """Time on a processor so far, of the threads that are alive."""
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def megabytes(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        resident = re.search(r"VmRSS:\s+(\d+)", status)
        return int(resident[1]) / 1024 if resident else 0.0

    def close(self) -> None:
        """End the program: as a terminal that goes away does, then for good."""
        try:
            self._process.kill(signal.SIGHUP)
            deadline = time.perf_counter() + 5
            while self.alive and time.perf_counter() < deadline:
                time.sleep(0.02)
            if self.alive:
                self._process.kill(signal.SIGKILL)
            deadline = time.perf_counter() + 60  # a gigabyte of memory goes back in seconds on a busy machine
            while self.alive and time.perf_counter() < deadline:
                time.sleep(0.02)
        except (OSError, PtyProcessError):
            pass
        self._process.close(force=True)
        self._reader.join(1.0)


def sensorloom(workspace: Path, *arguments: str) -> list[str]:
    """The command that opens a workspace, as it is installed beside this Python."""
    return [str(Path(sys.executable).parent / "sensorloom"), *arguments, "--workspace", str(workspace)]


EMPTY = """
from textual.app import App
from textual.widgets import Static

class Empty(App):
    keys = 0

    def compose(self):
        yield Static("READY")

    def on_key(self):
        self.keys += 1
        self.query_one(Static).update(f"READY {self.keys}")

Empty().run()
"""


def empty_app() -> list[str]:
    """The floor: a Textual app that shows one line, which counts keys."""
    return [sys.executable, "-c", EMPTY]


def compile_all() -> None:
    """Byte code for every module, so that no first run pays for it."""
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *(str(root / part) for part in ("tui", "core", "tools"))])
