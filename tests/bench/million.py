"""A million threads, half of them in packs: `make bench-million`, or `python -m tests.bench.million [--threads N]`.

They are made from a few thousand different ones under names and times of their own, 9 GB as files and packs. `--folder`
keeps them for another run. Prints a Markdown table; docs/speed.md holds two.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from core.export import run
from core.export.report import ExportRequest
from core.storage import pack_file, packed
from core.storage.atomic import write_atomic
from core.storage.thread_files import stems
from core.thread.json_form import encode
from core.thread.value import Thread
from core.workspace import PACKS, Workspace
from tests.bench import export
from tests.bench.figures import Figure, median, p95, table
from tests.bench.screen import ROW, SETTLED, ms, say
from tests.bench.terminal import Program, compile_all, empty_app, sensorloom
from tests.bench.threads import bench_workspace, documents, write_threads

DIFFERENT = 4_000
"""Threads that are made as such; the others are copies under other names."""
IN_A_PACK = 50_000
FILTERS = ("correct:false", "truth:walking", "status:finished", "tools>=2")


def main() -> None:
    """Make the threads, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}; all unless told")
    parser.add_argument("--threads", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3, help="starts and exports of each kind")
    parser.add_argument("--presses", type=int, default=30, help="key presses of each kind")
    parser.add_argument("--folder", type=Path, help="where they are made, or were; removed in the end unless told")
    chosen = parser.parse_args()
    compile_all()
    with tempfile.TemporaryDirectory(prefix="sensorloom-bench-") as temporary:
        root = chosen.folder or Path(temporary)
        many, few = bench_workspace(root / f"threads-{chosen.threads}"), bench_workspace(root / "threads-100")
        if not few.threads.exists():
            write_threads(few, 100)
        if not many.threads.exists():
            began = time.perf_counter()
            make(many, chosen.threads)
            say(f"{chosen.threads:,} threads made in {time.perf_counter() - began:.0f} s")
        bench = Bench(many, few, chosen.threads, chosen.repeats, chosen.presses)
        figures: list[Figure] = []
        for name in chosen.parts or PARTS:
            began = time.perf_counter()
            figures += PARTS[name](bench)
            say(f"{name}: {time.perf_counter() - began:.0f} s")
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
          f"160×48, {chosen.threads:,} threads, half of them in packs\n")  # fmt: skip
    print(table(figures))


def make(workspace: Workspace, count: int, different: int = DIFFERENT, in_a_pack: int = IN_A_PACK) -> None:
    """Write so many threads, the first half of them into packs, the others as files."""
    (workspace.threads / PACKS).mkdir(parents=True)
    threads = _threads(workspace, count, different)
    left = count // 2
    now = time.time_ns()
    while left > 0:
        part = islice(threads, min(left, in_a_pack))
        members = (pack_file.packed(stem, data, now) for stem, data in sorted(part))
        write_atomic(packed.next_path(workspace.threads), pack_file.pieces(filter(None, members)))
        left -= in_a_pack
    for stem, data in threads:
        (workspace.threads / f"{stem}.json").write_bytes(data)
    os.sync()


def _threads(workspace: Workspace, count: int, different: int) -> Iterator[tuple[str, bytes]]:
    """Stems and bytes: different threads over and over, each time under other names and times."""
    chance = random.Random(0)
    originals = [
        (str(document["id"]), document["metadata"]["created_at"].encode(), encode(Thread(document)))
        for document in documents(workspace, min(count, different))
    ]
    start = datetime(2025, 1, 1, tzinfo=UTC)
    for number in range(count):
        name, created, data = originals[number % len(originals)]
        stem = f"{name.rpartition('_')[0]}_{number:07d}"
        at = (start + timedelta(seconds=chance.randint(0, 40_000_000))).isoformat().encode()
        yield stem, data.replace(name.encode(), stem.encode()).replace(created, at)


class Bench:
    """What is measured, and how often."""

    def __init__(self, many: Workspace, few: Workspace, threads: int, repeats: int, presses: int) -> None:
        self.many, self.few, self.threads, self.repeats, self.presses = many, few, threads, repeats, presses

    def opened(self, workspace: Workspace | None = None) -> Program:
        """The app on the large folder or another, ready and quiet."""
        program = Program(sensorloom((workspace or self.many).root))
        program.wait(SETTLED, 900)
        program.settle(1.0)
        return program


def start(bench: Bench) -> list[Figure]:
    """The first rows, and when the folder has been looked at, against the empty app."""
    floor: list[float] = []
    times: dict[str, list[float]] = {"paint": [], "rows": [], "loaded": [], "whole": []}
    small: list[float] = []
    megabytes: list[float] = []
    index = bench.many.private / "index.cache"
    cold = 0.0 if index.exists() else time.perf_counter()
    with bench.opened() as program:
        cold = cold and time.perf_counter() - cold
        program.settle(3.0)
        megabytes.append(program.megabytes())
        while not index.exists():  # what an end of the program before leaves out, the next start reads again
            time.sleep(0.1)
    with bench.opened(bench.few):
        pass
    for _ in range(bench.repeats):
        with Program(empty_app()) as program:
            floor.append(program.wait("READY") - program.started)
        with Program(sensorloom(bench.few.root)) as program:
            small.append(program.wait(ROW) - program.started)
            program.wait(SETTLED)
        with Program(sensorloom(bench.many.root)) as program:
            times["paint"].append(program.wait(r"\S") - program.started)
            times["rows"].append(program.wait(ROW) - program.started)
            times["loaded"].append(program.wait(rf"threads {bench.threads:,} ", 300) - program.started)
            times["whole"].append(program.wait(SETTLED, 300) - program.started)
            program.settle(3.0)
            megabytes.append(program.megabytes())
    empty, goal = median(floor), 2.0 if bench.threads > 100_000 else 1.5
    ratio = median(times["rows"]) / empty
    return [
        Figure("empty Textual app, first paint", ms(empty)),
        Figure("first paint", f"{median(times['paint']) / empty:.2f} × the empty app ({ms(median(times['paint']))})"),
        Figure("first rows of the list", f"{ratio:.2f} × ({ms(median(times['rows']))}; with 100 threads "
               f"{median(small) / empty:.2f} ×)", f"≤ {goal} ×", ratio <= goal),
        Figure("the whole list is there, as it was left", f"{median(times['loaded']):.1f} s"),
        Figure("the whole folder looked at", f"{median(times['whole']):.1f} s"),
        *([Figure("… at the very first start, without an index", f"{cold:.0f} s")] if cold else []),
        Figure("memory at most", f"{max(megabytes):,.0f} MB", "< 1,000 MB", max(megabytes) < 1000),
    ]  # fmt: skip


def keys(bench: Bench) -> list[Figure]:
    """A move in the list beside one among 100 threads, letters of a filter, and a verdict."""
    moved: dict[str, list[float]] = {"few": [], "many": []}
    with bench.opened(bench.few) as few, bench.opened() as many:
        many.settle(8.0, 60)
        for press in range(bench.presses + 3):
            for name, program in (("few", few), ("many", many)):
                done = program.press("down" if press % 10 else "pagedown")
                if press >= 3 and done.changed is not None:
                    moved[name].append(done.changed)
        typed, first, whole = _filtered(many)
        judged = _judged(bench, many)
    ratio = median(moved["many"]) / median(moved["few"])
    return [
        Figure("key to screen in the list, 100 threads", f"{ms(median(moved['few']))} (p95 {ms(p95(moved['few']))})"),
        Figure("key to screen in the list", f"{ms(median(moved['many']))} (p95 {ms(p95(moved['many']))}), "
               f"{ratio:.2f} × that", "≤ 1.2 ×", ratio <= 1.2),
        Figure("a letter of a filter: on the screen", f"{ms(median(typed))} (p95 {ms(p95(typed))})", "< 100 ms",
               p95(typed) < 0.1),
        Figure("a filter: first rows of what matches", f"{ms(median(first))} (at most {ms(max(first))})", "< 100 ms",
               median(first) < 0.1),
        Figure("… all of what matches, counted", f"{ms(median(whole))} (at most {ms(max(whole))})"),
        Figure("a verdict: on the screen, and saved", f"{ms(median(judged))} (at most {ms(max(judged))})"),
    ]  # fmt: skip


def _filtered(program: Program) -> tuple[list[float], list[float], list[float]]:
    """Seconds from a letter to the screen; from a filter's last letter to rows, and to the count of all that match."""
    typed: list[float] = []
    first: list[float] = []
    whole: list[float] = []
    program.press("/", 1.0)
    for text in FILTERS:
        before = _rows(program.text)
        for letter in text[:-1]:
            done = program.press(letter)
            if done.changed is not None:
                typed.append(done.changed)
        program.settle(1.5, 60)
        before = _rows(program.text)
        pressed = time.perf_counter()
        program.send(text[-1])
        first.append(program.wait(lambda shown, before=before: _rows(shown) != before, 60) - pressed)
        whole.append(program.wait(r"threads [\d,]+ of [\d,]+ ·", 60) - pressed)
        program.settle(1.5, 60)
        program.press("ctrl+u")
        program.settle(2.0, 60)
    program.press("escape", 0.5)
    return typed, first, whole


def _rows(text: str) -> list[str]:
    """The rows of the list that a screen shows."""
    return [match[0] for match in re.finditer(rf"{ROW}.{{20}}", text)]


def _judged(bench: Bench, program: Program) -> list[float]:
    """Seconds from `a` until the verdict is on the disk, on threads that are files and threads that are packed."""
    times: list[float] = []
    log = bench.many.private / "history"
    for _ in range(8):
        program.settle(1.0, 20)
        before = _written(log)
        pressed = time.perf_counter()
        program.send("a")
        while _written(log) == before:
            if time.perf_counter() - pressed > 20:
                break  # it has this verdict already, which saves nothing
            time.sleep(0.002)
        else:
            times.append(time.perf_counter() - pressed)
    program.settle(1.0, 20)
    return times


def _written(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.exists() else 0


def exports(bench: Bench) -> list[Figure]:
    """The plain export of what is finished, against reading the same files and packs."""
    reads = [_read_all(bench.many.threads) for _ in range(bench.repeats)]
    times: list[float] = []
    megabytes, rows = 0.0, 0
    for _ in range(bench.repeats):
        seconds, exported, own, worker = export.run_export(bench.many)
        shutil.rmtree(bench.many.exports)
        times.append(seconds)
        megabytes, rows = max(megabytes, own + worker), exported
    ratio = median(times) / median(reads)
    packed_us, files_us = _computing(bench.many)
    return [
        Figure("reading all files and packs", f"{median(reads):.1f} s"),
        Figure(f"export of {rows:,} finished ones", f"{ratio:.1f} × the reading ({median(times):.1f} s)", "≤ 3 ×",
               ratio <= 3),
        Figure("… computing for each packed one, and each that is a file", f"{packed_us:.0f} and {files_us:.0f} µs"),
        Figure("… memory at most", f"{megabytes:,.0f} MB", "< 1,000 MB", megabytes < 1000),
    ]  # fmt: skip


def _computing(workspace: Workspace) -> tuple[float, float]:
    """Microseconds of a processor for each row of a plain export of the packed threads, and of those that are files:
    what does not depend on the disk and on other programs."""
    files = frozenset(path.stem for path in workspace.threads.glob("*.json"))
    in_packs = frozenset(stems(workspace.threads)) - files
    times: list[float] = []
    for chosen in (frozenset(islice(files, 1000)), in_packs, files):  # the first has the imports to wait for
        began = time.process_time()
        report = run.export(workspace, ExportRequest(chosen=chosen))
        times.append((time.process_time() - began) / report.exported * 1e6)
        shutil.rmtree(workspace.exports)
    return times[1], times[2]


def _read_all(folder: Path) -> float:
    began = time.perf_counter()
    export.read_files(folder)
    packs = packed.packs_of(str(folder))
    for pack in packs.packs if packs else ():
        for row in range(len(pack)):
            pack.line(row)
    return time.perf_counter() - began


PARTS: dict[str, Callable[[Bench], Sequence[Figure]]] = {"start": start, "keys": keys, "export": exports}

if __name__ == "__main__":
    sys.exit(main())
