"""What a person at the terminal feels, measured: `make bench`, or `python -m tests.bench.screen [PART…] [--full]`.

Every figure is from one run on one machine, medians (and 95th percentiles) of several; starts are compared with an
empty Textual app started in between. Prints a Markdown table; `docs/speed.md` holds one.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import export, live, making, stream
from tests.bench.figures import Figure, median, p95, table
from tests.bench.terminal import Program, compile_all, empty_app, sensorloom
from tests.bench.threads import bench_workspace, documents, long_thread, write, write_threads

ROW = "[○●◐][ ✓✗]"
"""What only a row of the list shows."""
SETTLED = r"threads [\d,]+ · (?!.*reading)"
"""The list's title once the whole folder has been looked at."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    threads: int
    repeats: int
    presses: int
    idle_seconds: float
    columns: int = 160
    lines: int = 48


def main() -> None:
    """Measure what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}; all unless told")
    parser.add_argument("--full", action="store_true", help="100,000 threads; takes a quarter of an hour")
    parser.add_argument("--threads", type=int, help="threads in the large folder")
    parser.add_argument("--repeats", type=int, default=5, help="starts and exports of each kind")
    parser.add_argument("--presses", type=int, default=40, help="key presses of each kind")
    parser.add_argument("--size", default="160x48", help="columns x lines")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    columns, lines = map(int, chosen.size.split("x"))
    many = chosen.threads or (100_000 if chosen.full else 10_000)
    sizes = Sizes(many, chosen.repeats, chosen.presses, 10.0, columns, lines)
    compile_all()
    measured: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="sensorloom-bench-") as folder:
        for name in chosen.parts or PARTS:
            began = time.perf_counter()
            figures = PARTS[name](Path(folder), sizes)
            say(f"{name}: {time.perf_counter() - began:.0f} s")
            measured += figures
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
          f"{columns}×{lines}, {many:,} threads in the large folder\n")  # fmt: skip
    print(table(measured))


def say(text: str) -> None:
    """Tell how far it is, beside the table."""
    print(text, file=sys.stderr, flush=True)


def folder_of(root: Path, count: int) -> Path:
    """A workspace with so many threads, made when first asked for."""
    folder = root / f"threads-{count}"
    if not folder.exists():
        say(f"writing {count:,} threads …")
        write_threads(bench_workspace(folder), count)
        os.sync()
        # what the app would do meanwhile, once in the life of a folder: remember what the checks find
        subprocess.run(sensorloom(folder, "check"), stdout=subprocess.DEVNULL, check=False)
    return folder


def opened(folder: Path, sizes: Sizes, *arguments: str) -> Program:
    """The app on a workspace, ready and quiet."""
    program = Program(sensorloom(folder, *arguments), columns=sizes.columns, lines=sizes.lines)
    program.wait(SETTLED, 180)
    program.settle(0.5)
    return program


def ms(seconds: float) -> str:
    """Seconds as milliseconds to read."""
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


# Starting


def start(root: Path, sizes: Sizes) -> list[Figure]:
    """First paint, and when the list is there, with and without the index, against the empty app."""
    folder = folder_of(root, sizes.threads)
    floor: list[float] = []
    paints: dict[str, list[float]] = {"cold": [], "warm": []}
    rows: dict[str, list[float]] = {"cold": [], "warm": []}
    whole: dict[str, list[float]] = {"cold": [], "warm": []}
    megabytes: list[float] = []
    with opened(folder, sizes):
        pass
    for _ in range(sizes.repeats):
        with Program(empty_app(), columns=sizes.columns, lines=sizes.lines) as program:
            floor.append(program.wait("READY") - program.started)
        for kind in ("cold", "warm"):
            if kind == "cold":
                (folder / ".sensorloom" / "index.cache").unlink(missing_ok=True)
            with Program(sensorloom(folder), columns=sizes.columns, lines=sizes.lines) as program:
                paints[kind].append(program.wait(r"\S") - program.started)
                rows[kind].append(program.wait(ROW) - program.started)
                whole[kind].append(program.wait(SETTLED, 180) - program.started)
                program.settle(0.5)
                megabytes.append(program.megabytes())
    empty = median(floor)
    figures = [Figure("empty Textual app, first paint", ms(empty), "")]
    for kind in ("cold", "warm"):
        times, ratio = median(paints[kind]), median(paints[kind]) / empty
        what = f"{sizes.threads:,} threads, {kind} index"
        figures += [
            Figure(f"first paint, {what}", f"{ratio:.2f} × the empty app ({ms(times)})", "≤ 1.5 ×", ratio <= 1.5),
            Figure(f"first rows of the list, {what}", f"{median(rows[kind]) / empty:.2f} × ({ms(median(rows[kind]))})"),
            Figure(f"whole folder looked at, {what}", f"{median(whole[kind]):.1f} s"),
        ]
    return [*figures, Figure(f"memory with {sizes.threads:,} threads", f"{max(megabytes):.0f} MB")]


# Keys in the list


def keys(root: Path, sizes: Sizes) -> list[Figure]:
    """A key to the screen, in a small folder and in a large one, pressed in turn."""
    times: dict[str, list[float]] = {"empty": [], "small": [], "large": []}
    places = folder_of(root, 100), folder_of(root, sizes.threads)
    with (
        Program(empty_app(), columns=sizes.columns, lines=sizes.lines) as empty,
        opened(places[0], sizes) as small,
        opened(places[1], sizes) as large,
    ):
        programs = {"empty": empty, "small": small, "large": large}
        for press in range(sizes.presses + 3):
            for kind, program in programs.items():
                done = program.press("down" if press % 10 else "pagedown")
                if press >= 3 and done.changed is not None:
                    times[kind].append(done.changed)
    ratio = median(times["large"]) / median(times["small"])
    shown = {kind: f"{ms(median(some))} (p95 {ms(p95(some))})" for kind, some in times.items()}
    return [
        Figure("key to screen, empty Textual app that counts keys", shown["empty"]),
        Figure("key to screen in the list, 100 threads", shown["small"]),
        Figure(
            f"key to screen in the list, {sizes.threads:,} threads",
            f"{shown['large']}, {ratio:.2f} × that",
            "no slower (≤ 1.2 ×)",
            ratio <= 1.2,
        ),
    ]


def move(root: Path, sizes: Sizes) -> list[Figure]:
    """A move of the list's cursor, the conversation and the sensors following."""
    settled: list[float] = []
    sent: list[float] = []
    with opened(folder_of(root, sizes.threads), sizes) as program:
        for _ in range(5):
            program.press("down")
        cpu = program.cpu_seconds()
        for _ in range(sizes.presses):
            done = program.press("down")
            if done.settled is not None:
                settled.append(done.settled)
                sent.append(done.sent)
        cpu = (program.cpu_seconds() - cpu) / sizes.presses
    return [
        Figure(
            "cursor move in the list, conversation and sensors following, until settled",
            f"{ms(median(settled))} (p95 {ms(p95(settled))})",
            "p95 ≤ 40 ms",
            p95(settled) <= 0.04,
        ),
        Figure(
            "… bytes sent",
            f"{median(sent) / 1000:.1f} kB (p95 {p95(sent) / 1000:.1f} kB)",
            "≤ 15 kB",
            median(sent) <= 15_000,
        ),
        Figure("… CPU", ms(cpu)),
    ]


def outside(root: Path, sizes: Sizes) -> list[Figure]:
    """Another program changes the thread on the screen."""
    folder = folder_of(root, sizes.threads)
    workspace = bench_workspace(folder)
    times: list[float] = []
    with opened(folder, sizes) as program:
        document = max(
            documents(workspace, sizes.threads),
            key=lambda document: (document["metadata"]["created_at"], document["id"]),
        )
        program.send("g")
        program.settle(0.5)
        for number in range(sizes.repeats * 3):
            word = f"edit{number:04d}"
            document["messages"][-1] = {"role": "assistant", "content": f"Changed outside: {word}.", "tool_calls": None}
            temporary = workspace.threads / ".edited.tmp"
            write(workspace, document | {"id": ".edited"})
            (workspace.threads / ".edited.json").rename(temporary)
            changed = time.perf_counter()
            temporary.replace(workspace.threads / f"{document['id']}.json")
            times.append(program.wait(word, 20) - changed)
            program.settle(0.3)
    worst = p95(times)
    return [Figure("outside edit of the thread on the screen", f"{ms(median(times))} (p95 {ms(worst)})", "≤ 150 ms",
                   median(times) <= 0.15)]  # fmt: skip


# A long thread


def long(root: Path, sizes: Sizes) -> list[Figure]:
    """200 turns with results of 100 kB: reading, scrolling, editing."""
    workspace = bench_workspace(root / "long")
    workspace.threads.mkdir(exist_ok=True)
    size = write(workspace, long_thread(workspace, 200, 100_000))
    scrolled: list[float] = []
    typed: list[float] = []
    with opened(workspace.root, sizes) as program:
        program.wait("TURN 200", 60)
        program.settle(0.5)
        program.send("2")
        program.settle()
        for press in range(sizes.presses):
            done = program.press(("up", "pageup", "up", "pagedown", "K")[press % 5])
            if done.changed is not None:
                scrolled.append(done.changed)
        searched = _searched(program, sizes.presses)
        program.send("K")
        program.settle()
        pressed = time.perf_counter()
        program.send("e")
        opening = program.wait("editing a") - pressed
        program.settle()
        for press in range(sizes.presses):
            done = program.press("xyz"[press % 3])
            if done.changed is not None:
                typed.append(done.changed)
        program.press("ctrl+t")  # what was typed is no JSON: it takes the key twice
        pressed = time.perf_counter()
        program.send("ctrl+t")
        saved = program.wait(lambda text: "editing a" not in text, 10) - pressed
    return [
        Figure(f"thread of 200 turns, {size / 1e6:.0f} MB: key to screen, scrolling",
               f"{ms(median(scrolled))} (p95 {ms(p95(scrolled))})", "p95 < 50 ms", p95(scrolled) < 0.05),
        Figure("… key to screen, a letter of a search: its hits counted and the first one shown",
               f"{ms(median(searched))} (p95 {ms(p95(searched))})", "≤ 100 ms", median(searched) <= 0.1),
        Figure("… key to screen, typing in the editor", f"{ms(median(typed))} (p95 {ms(p95(typed))})", "p95 < 50 ms",
               p95(typed) < 0.05),
        Figure("… the editor opens", ms(opening)),
        Figure("… saved, with its step in the history", ms(saved)),
    ]  # fmt: skip


def _searched(program: Program, presses: int) -> list[float]:
    """Seconds from a letter typed behind `/` until the count of hits of just these letters is on the screen, over and
    over: the word grows, is taken back by a letter, and grows again. The texts were read before, at the `/`."""
    program.press("/", 1.0)
    times: list[float] = []
    word = ""
    for press in range(presses):
        key = ("t", "h", "e", "backspace", "n")[press % 5]
        word = word[:-1] if key == "backspace" else word + key
        if press % 5 == 0 and press:
            word = "t"
            program.press("ctrl+u")
        told = re.compile(rf"/{re.escape(word)}  (\d+ of \d+|no hit)")
        program.settle()
        pressed = time.perf_counter()
        program.send(key)
        times.append(program.wait(lambda text, told=told: bool(told.search(text)), 20) - pressed)
    program.press("escape", 0.5)
    program.press("escape", 0.5)
    return times


# Nothing happens


def idle(root: Path, sizes: Sizes) -> list[Figure]:
    """Nothing is pressed: what is sent, and what it costs."""
    measured: list[Figure] = []
    with Program(empty_app(), columns=sizes.columns, lines=sizes.lines) as program:
        program.wait("READY")
        floor, _ = _idle(program, sizes.idle_seconds)
    with opened(folder_of(root, sizes.threads), sizes) as program:
        share, sent = _idle(program, sizes.idle_seconds)
    measured.append(Figure("idle: bytes sent", f"{sent / sizes.idle_seconds:.0f} per second", "0", sent == 0))
    measured.append(
        Figure("idle: CPU", f"{share:.1%} of a core (empty app {floor:.1%})", "not measurable", share - floor < 0.005)
    )
    return measured


def _idle(program: Program, seconds: float) -> tuple[float, int]:
    program.settle(8.0)  # the folder is compared with what was found before, once, when nothing else is under way
    cpu, received = program.cpu_seconds(), program.received
    time.sleep(seconds)
    return (program.cpu_seconds() - cpu) / seconds, program.received - received


def streaming(root: Path, sizes: Sizes) -> list[Figure]:
    """A model that streams 300 tokens a second."""
    workspace = bench_workspace(root / "stream")
    write_threads(workspace, 3)
    return stream.measure(workspace, lambda: opened(workspace.root, sizes))


def exports(root: Path, sizes: Sizes) -> list[Figure]:
    """An export against reading the files, and against `jq -c`."""
    folder = folder_of(root, sizes.threads)
    return export.measure(bench_workspace(folder), sizes.repeats, lambda: opened(folder, sizes))


def follow(root: Path, sizes: Sizes) -> list[Figure]:
    """A recording under way in the sensor pane."""
    workspace = bench_workspace(root / "follow")
    write_threads(workspace, 3)
    return live.measure(
        workspace, lambda: opened(workspace.root, sizes), sizes.idle_seconds, max(10, sizes.presses // 2)
    )


def batch(root: Path, sizes: Sizes) -> list[Figure]:
    """A batch of new threads under way, with a server that answers at once."""
    return making.measure(root / "batch", lambda workspace: opened(workspace.root, sizes))


PARTS: dict[str, Callable[[Path, Sizes], Sequence[Figure]]] = {
    "start": start,
    "keys": keys,
    "move": move,
    "outside": outside,
    "long": long,
    "stream": streaming,
    "batch": batch,
    "idle": idle,
    "live": follow,
    "export": exports,
}

if __name__ == "__main__":
    main()
