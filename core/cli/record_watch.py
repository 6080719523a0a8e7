"""What a person sees and presses while it is recorded: lanes that move in a terminal, plain lines anywhere else."""

from __future__ import annotations

import os
import queue
import re
import select
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from core.cli.commands import say
from core.cli.output import in_terminal
from core.text import one_line, printable

if TYPE_CHECKING:
    from core.recording.recorder import Recorder
    from core.recording.tail import LiveTail
    from core.workspace import Workspace
    from tools.session import Samples

LINES_SEC = 10.0
"""Where it is no terminal a line comes so often."""
LAST_SEC = 10.0
_BARS = "▁▂▃▄▅▆▇█"
_LABEL_LINE = re.compile(r"\s*label\s*:\s*(.*)", re.IGNORECASE)


class PlainWatch:
    """Tells what happens, a line each, and from time to time how far it is."""

    def __init__(self, *, quiet: bool) -> None:
        self.marks: queue.Queue[str] = queue.Queue()
        self._quiet = quiet
        self._shown = 0.0

    def tell(self, sentence: str) -> None:
        """Something has happened."""
        say(sentence, err=True)

    def show(self, recorder: Recorder, seconds: float) -> None:
        """So long it goes on now."""
        if seconds - self._shown >= LINES_SEC and not self._quiet:
            self._shown = seconds
            say(facts(recorder, seconds), err=True)

    def press(self, key: str) -> None:
        """A key was pressed: a digit marks."""
        if key.isdecimal() and key.isascii():
            self.marks.put(f"\0{key}")

    def label_wanted(self, labels: tuple[str, ...]) -> str | None:
        """The label that was marked last: by its words, or a digit that stands for one of `labels`."""
        mark = None
        with suppress(queue.Empty):
            while True:
                mark = self.marks.get_nowait()
        if mark is None or not mark.startswith("\0"):
            return mark
        number = int(mark[1:])
        if number > len(labels):
            self.tell(f"there is no label {number}; " + (key_words(labels) or "--labels A,B names some"))
            return None
        return labels[number - 1] if number else ""


class TerminalWatch(PlainWatch):
    """Draws the last seconds in place, below what was told."""

    def __init__(self, out: TextIO) -> None:
        super().__init__(quiet=False)
        self._out = out
        self._rows = 0
        self._tail: LiveTail | None = None

    def tell(self, sentence: str) -> None:
        """Something has happened: above the lanes."""
        self._clear()
        self._out.write(printable(sentence) + "\n")
        self._out.flush()

    def show(self, recorder: Recorder, seconds: float) -> None:
        """Draw it anew."""
        from core.recording.live_folder import read_live
        from core.recording.tail import LiveTail

        if self._tail is None:
            self._tail = LiveTail(read_live(recorder.folder), LAST_SEC)
        self._tail.poll()
        columns, lines = os.get_terminal_size(self._out.fileno())
        rows = [facts(recorder, seconds)]
        window = self._tail.window(LAST_SEC)
        if window is not None:
            width = max((len(name) for name in window.names), default=0)
            room = max(10, columns - width - 22)
            for name, values in list(zip(window.names, window.values, strict=True))[: max(1, lines - 4)]:
                rows.append(f"{name:<{width}} {sparkline(window.time_sec, values, room)} {_range(values)}")
        if keys := key_words(recorder.state.known_labels):
            rows.append(keys)
        self._clear()
        self._out.write("".join(f"{printable(row)[: columns - 1]}\n" for row in rows))
        self._out.flush()
        self._rows = len(rows)

    def _clear(self) -> None:
        if self._rows:
            self._out.write(f"\x1b[{self._rows}A\x1b[J")
            self._rows = 0


def facts(recorder: Recorder, seconds: float) -> str:
    """How far it is, on one line."""
    from core.recording.live_folder import TROUBLES, troubles

    sensors = [
        f"{one_line(sensor.name, 30) + ' ' if sensor.name else ''}{sensor.rows:,} rows"
        + (f" {sensor.timeline.rate_hz:.4g} Hz" if sensor.timeline.rate_hz else "")
        for sensor in recorder.sensors
    ]
    state = recorder.state
    left_out = sum(count for name, count in state.counts.items() if name not in TROUBLES)
    parts = [
        f"{seconds // 60:.0f}:{seconds % 60:04.1f}",
        *(["STALLED"] if recorder.stalled else []),
        f"label: {one_line(state.label, 40) or 'none'}",
        *(sensors or ["no rows yet"]),
        *troubles(state.counts),
        *([f"{left_out:,} left out"] if left_out else []),
    ]
    return " · ".join(parts)


def key_words(labels: tuple[str, ...]) -> str:
    """Which key marks what."""
    keys = [f"{number} {one_line(label, 30)}" for number, label in enumerate(labels[:9], 1)]
    return "keys: " + " · ".join([*keys, "0 no label"]) if keys else ""


def sparkline(time_sec: Samples, values: Samples, width: int) -> str:
    """One channel's last seconds as a row of bars, the newest at the right; blank where there is nothing."""
    import numpy as np

    start = float(time_sec[-1]) - LAST_SEC
    column = np.clip(((time_sec - start) / LAST_SEC * width).astype(int), 0, width - 1)
    there = np.isfinite(values)
    if not there.any():
        return " " * width
    sums = np.bincount(column[there], values[there], width)
    counts = np.bincount(column[there], minlength=width)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    part = (sums / np.maximum(counts, 1) - low) / (high - low or 1.0)
    level = np.clip((part * len(_BARS)).astype(int), 0, len(_BARS) - 1)
    return "".join(_BARS[at] if count else " " for at, count in zip(level, counts, strict=True))


def _range(values: Samples) -> str:
    import numpy as np

    finite = values[np.isfinite(values)]
    return f"{finite.min():.3g} … {finite.max():.3g}" if finite.size else "no data"


@contextmanager
def watching(workspace: Workspace, from_stdin: bool, *, quiet: bool) -> Generator[PlainWatch]:
    """Who watches: a person at a terminal, or whoever reads the lines. Keys come from the terminal, marks by lines from
    standard input where that is not the source."""
    if quiet or not in_terminal(sys.stdout):
        watch = PlainWatch(quiet=quiet)
        if not from_stdin and not sys.stdin.isatty():
            _start(read_lines, watch, sys.stdin)
        yield watch
        return
    watch = TerminalWatch(sys.stdout)
    try:
        keyboard = sys.stdin.fileno() if sys.stdin.isatty() else os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        yield watch
        return
    with _key_by_key(keyboard):
        _start(_read_keys, watch, keyboard)
        yield watch


def _start(work: Any, watch: PlainWatch, source: Any) -> None:
    threading.Thread(target=work, args=(watch, source), name="marks", daemon=True).start()


def read_lines(watch: PlainWatch, stream: TextIO) -> None:
    """Take the marks of a stream of lines, until it ends."""
    with suppress(OSError, ValueError):
        for line in stream:
            if match := _LABEL_LINE.fullmatch(line.rstrip("\n")):
                watch.marks.put(" ".join(match[1].split())[:80])
            elif line.strip():
                watch.tell(f"{one_line(line, 60)!r} is no mark; one is `label: walking`")


def _read_keys(watch: PlainWatch, keyboard: int) -> None:
    with suppress(OSError, ValueError):
        while True:
            if not select.select([keyboard], [], [], 0.5)[0]:
                continue
            keys = os.read(keyboard, 32).decode("ascii", "replace")
            if not keys:
                return
            for key in keys:
                watch.press(key)


@contextmanager
def _key_by_key(keyboard: int) -> Generator[None]:
    """Let each key come at once and unseen, while ctrl-C still ends the program."""
    import termios
    import tty

    try:
        before = termios.tcgetattr(keyboard)
        tty.setcbreak(keyboard, termios.TCSANOW)
    except termios.error:
        yield
        return
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
