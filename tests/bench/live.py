"""The sensor as it is now: from a row that a source writes to the pane, and what that costs in bytes and CPU."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from core.workspace import Workspace
from tests.bench.figures import Figure, median, p95
from tests.bench.terminal import Program

RATE = 50
CHANNELS = "acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z"
ROOT = Path(__file__).parents[2]


class Walker:
    """A phone that somebody carries; on request one row has a peak in the first channel, which is else nearly still."""

    def __init__(self, workspace: Workspace) -> None:
        command = [sys.executable, "-m", "tui", "record", "walk", "--workspace", str(workspace.root)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._end = threading.Event()
        self._peak = threading.Event()
        self.peaked = 0.0
        """When the last peak was written."""
        self._thread = threading.Thread(target=self._walk, daemon=True)
        self._thread.start()

    def peak(self) -> None:
        """Have one with the next row, and wait until it is written."""
        self._peak.set()
        while self._peak.is_set():
            time.sleep(0.001)

    def _walk(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        pipe.write(f"{CHANNELS}\n".encode())
        began, noise = time.perf_counter(), random.Random(1)
        row = 0
        while not self._end.is_set():
            t = row / RATE
            peak = self._peak.is_set()
            first = 1.0 if peak else noise.gauss(0, 0.02)
            values = (first, 0.8 * math.sin(12 * t), 0.9 * math.cos(12 * t),
                      math.sin(6 * t), math.cos(6 * t), noise.gauss(0, 0.1))  # fmt: skip
            pipe.write((",".join(f"{value:.4f}" for value in values) + "\n").encode())
            pipe.flush()
            if peak:
                self.peaked = time.perf_counter()
                self._peak.clear()
            row += 1
            time.sleep(max(0.0, began + row / RATE - time.perf_counter()))
        pipe.close()

    def close(self) -> None:
        """End the source, and so the recording."""
        self._end.set()
        self._thread.join()
        self._process.wait(30)


def measure(workspace: Workspace, opened: Callable[[], Program], seconds: float, peaks: int) -> list[Figure]:
    """Follow a recording of six channels for some seconds, then see how soon some peaks are on the screen."""
    walker = Walker(workspace)
    times: list[float] = []
    try:
        with opened() as program:
            program.send("4")
            program.wait("● live", 30)
            deadline = time.perf_counter() + 12  # once all over, so that every cell has something to change
            while time.perf_counter() < deadline:
                program.settle(0.05, 0.5)
            cpu, received, began = program.cpu_seconds(), program.received, time.perf_counter()
            while time.perf_counter() < began + seconds:
                program.settle(0.05, 0.5)
            lasted = time.perf_counter() - began
            share, rate = (program.cpu_seconds() - cpu) / lasted, (program.received - received) / lasted
            for number in range(peaks):
                program.settle(5.0, 1.1 + 0.13 * (number % 5))  # the peak before has its columns by then
                shows_more = _more_than(_peaks(program.text))
                walker.peak()
                moment = program.wait(shows_more, 10)
                times.append(moment - walker.peaked)
    finally:
        walker.close()
    soon = f"{median(times) * 1000:.0f} ms (p95 {p95(times) * 1000:.0f} ms)"
    what = f"… bytes sent, {CHANNELS.count(',') + 1} channels at {RATE} Hz"
    return [
        Figure("a sample to the sensor pane, following a recording", soon, "≤ 200 ms", median(times) <= 0.2),
        Figure(what, f"{rate / 1000:.1f} kB a second", "≤ 8 kB", rate <= 8000),
        Figure("… CPU", f"{share:.1%} of a core", "a few per cent", share <= 0.08),
    ]


def _more_than(before: set[int]) -> Callable[[str], bool]:
    """Whether a peak is shown that was not there before; one that the gap has swept away is forgotten."""

    def shows_more(text: str) -> bool:
        now = _peaks(text)
        before.intersection_update(now)
        return bool(now - before)

    return shows_more


def _peaks(text: str) -> set[int]:
    """The columns in which the first lane has something on its topmost row."""
    lane = next((line for line in text.split("\n") if "│x " in line or "│ x " in line), "")
    start = lane.rfind("│x ") + 3
    return {start + at for at, mark in enumerate(lane[start:-9]) if mark not in " ▁"} if lane else set()
