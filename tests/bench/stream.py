"""A model that streams fast: what it costs the app, and whether keys wait for it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from core.trust import acts_of, keep_answer
from core.workspace import Workspace
from tests.bench.figures import Figure, median, p95
from tests.bench.terminal import Program, TooSlowError
from tests.fake_server import Answer, Chunk, delta, fake_server

TOKENS_PER_SECOND = 300
SECONDS = 12.0
MEASURED_SECONDS = 5.0
PRESSES = 40
"""Of each kind: enough for a 95th percentile that is no single press; they end before the stream does."""
_LIST_ROWS = 6


class Paced(Sequence[Chunk]):
    """Chunks that come one by one at a steady rate, as from a server."""

    def __init__(self, count: int, per_second: float) -> None:
        self._count = count
        self._per_second = per_second

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Chunk:  # pyright: ignore[reportIncompatibleMethodOverride] - never sliced
        words = ("the", " rhythm", " repeats", " and", " gravity", " lies", " along", " x", ".")
        return delta(content=words[number % len(words)] if number % 90 else "\n")

    def __iter__(self) -> Iterator[Chunk]:
        began = time.perf_counter()
        for number in range(self._count):
            left = began + number / self._per_second - time.perf_counter()
            if left > 0:
                time.sleep(left)
            yield self[number]


def measure(workspace: Workspace, opened: Callable[[], Program]) -> list[Figure]:
    """CPU and the time from a key to the screen while a turn is streamed."""
    with fake_server(Answer(Paced(int(TOKENS_PER_SECOND * SECONDS), TOKENS_PER_SECOND))) as server:
        (workspace.root / "sensorloom.toml").write_text(
            f'[[endpoints]]\nname = "bench"\nbase_url = "{server.url}"\n\n[model]\nendpoint = "bench"\n'
        )
        keep_answer(workspace.root, acts_of(workspace.root).files, trusted=True)
        with opened() as program:
            quiet = pressed(program, itertools.repeat("tab"), borders)
            quiet_moves = _moves(program)
            program.settle()
            program.send("2")
            program.send("r")
            program.wait("rhythm repeats", 20)
            cpu, sent, began = program.cpu_seconds(), program.received, time.perf_counter()
            while time.perf_counter() - began < MEASURED_SECONDS:
                program.settle(1.0, 0.25)
            seconds = time.perf_counter() - began
            share = (program.cpu_seconds() - cpu) / seconds
            rate = (program.received - sent) / seconds
            busy = pressed(program, itertools.repeat("tab"), borders)
            moves = _moves(program)
    return [
        Figure(f"a stream of {TOKENS_PER_SECOND} tokens/s: CPU", f"{share:.0%} of a core", "< 50 %", share < 0.5),
        Figure("… bytes sent", f"{rate / 1000:.1f} kB/s"),
        compared("… another pane meanwhile: to the screen", busy, quiet),
        compared("… another thread meanwhile: to the screen", moves, quiet_moves),
    ]


def compared(what: str, busy: list[float], quiet: list[float]) -> Figure:
    """A line of how long keys take while something is under way, beside how long they take without."""
    measured = (
        f"{median(busy) * 1000:.0f} ms (p95 {p95(busy) * 1000:.0f} ms; without it "
        f"{median(quiet) * 1000:.0f} ms, p95 {p95(quiet) * 1000:.0f} ms)"
    )
    return Figure(what, measured, "no delay: p95 < 50 ms", p95(busy) < 0.05)


def _moves(program: Program) -> list[float]:
    """The cursor of the list goes down and up."""
    program.send("1")
    program.settle(0.02, 0.5)
    return pressed(program, itertools.cycle("jk"), _cursor)


def pressed(
    program: Program, keys: Iterable[str], seen: Callable[[Program], object], pauses: Callable[[], float] = lambda: 0.0
) -> list[float]:
    """Seconds from each key until what is `seen` is another, with pauses before them."""
    times: list[float] = []
    for key in itertools.islice(keys, PRESSES):
        time.sleep(pauses())
        times.append(_press(program, key, seen))
    return times


def _press(program: Program, key: str, seen: Callable[[Program], object]) -> float:
    before = seen(program)
    pressed = time.perf_counter()
    program.send(key)
    try:
        return program.wait(lambda _: seen(program) != before, 5) - pressed
    except TooSlowError:
        return 5.0


def borders(program: Program) -> tuple[str, ...]:
    """The colours of the panes' upper left corners: they tell which has the focus."""
    top = program.screen.buffer[0]
    return tuple(top[column].fg for column in range(program.screen.columns) if top[column].data == "╭")


def _cursor(program: Program) -> tuple[str, ...]:
    """What is behind the list's first rows: it tells which one has the cursor."""
    return tuple(program.screen.buffer[row][2].bg for row in range(1, _LIST_ROWS))
