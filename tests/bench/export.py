"""An export, as a command and begun on the screen, against the time of reading the same files, and against `jq -c`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.workspace import Workspace
from tests.bench.figures import Figure, median
from tests.bench.terminal import Program

_LARGE = 100_000
"""Threads from which the goals hold: below, an export is over before its processes have all started."""
_READ = """
import os, sys, time
began = time.perf_counter()
with os.scandir(sys.argv[1]) as entries:
    for entry in entries:
        if entry.name.endswith(".json"):
            with open(entry.path, "rb") as file:
                file.read()
print(time.perf_counter() - began)
"""
_EXPORT = """
import sys, time, resource
from core.export.report import ExportRequest
from core.export.run import export
from core.workspace import open_workspace
workspace = open_workspace(sys.argv[1])
began = time.perf_counter()
report = export(workspace, ExportRequest())
seconds = time.perf_counter() - began
own = open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]  # getrusage counts who started it, too
print(seconds, report.exported, int(own) / 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
_JQ = """find "$0" -name '*.json' -print0 | xargs -0 jq -c 'select(.metadata.status == "finished")' > "$1" """


def measure(workspace: Workspace, repeats: int, opened: Callable[[], Program]) -> list[Figure]:
    """The plain export of the finished threads, with and without the index and from the screen, each once per repeat.

    Args:
        workspace: whose threads; its exports are removed.
        repeats: how often.
        opened: opens the app on the workspace.
    """
    reads: list[float] = []
    times: dict[str, list[float]] = {"cold index": [], "warm index": [], "begun with `x`": []}
    memory, worker, exported = 0.0, 0.0, 0
    _run(_READ, workspace.threads)
    for _ in range(repeats):
        reads.append(float(_run(_READ, workspace.threads)))
        for kind in ("cold index", "warm index"):
            if kind == "cold index":
                (workspace.private / "index.cache").unlink(missing_ok=True)
            seconds, exported, own, largest = run_export(workspace)
            times[kind].append(seconds)
            memory, worker = max(memory, own), max(worker, largest)
            shutil.rmtree(workspace.exports)
    times["begun with `x`"] = _pressed(workspace, repeats, opened)
    read, count = median(reads), _count(workspace)
    figures = [Figure(f"reading the files of {count:,} threads", f"{read:.2f} s")]
    large = count >= _LARGE
    for kind in times:
        ratio = median(times[kind]) / read
        figure = Figure(
            f"export of {exported:,} finished ones, {kind}",
            f"{ratio:.1f} × the reading ({median(times[kind]):.2f} s)",
        )
        figures.append(replace(figure, goal="≤ 3 ×", met=ratio <= 3) if large else figure)
    figures.append(
        Figure("… memory at most", f"{memory:.0f} MB, and {worker:.0f} MB in each process it starts", "bounded")
    )
    if shutil.which("jq"):
        jq = _jq(workspace, repeats)
        for kind in times:
            ratio = jq / median(times[kind])
            figure = Figure(f"… against `jq -c`, {kind}", f"{ratio:.1f} × faster")
            figures.append(replace(figure, goal="≥ 8 ×", met=ratio >= 8) if large else figure)
    return figures


def _pressed(workspace: Workspace, repeats: int, opened: Callable[[], Program]) -> list[float]:
    """Seconds from the key to the report on the screen."""
    times: list[float] = []
    with opened() as program:
        program.settle(8.0, 180)  # duplicates are looked for in the first seconds
        for _ in range(repeats):
            _run(_READ, workspace.threads)
            began = time.perf_counter()
            program.send("x")
            program.wait("answer wrong", 60)
            program.send("x")
            while not any(workspace.exports.glob("*.manifest.json")) and time.perf_counter() - began < 180:
                time.sleep(0.02)  # to draw what comes meanwhile would take the cores from what is measured
            times.append(program.wait("exported  ", 60) - began)
            program.send("\x1b")
            program.settle(2.0)
            shutil.rmtree(workspace.exports)
    return times


def read_files(folder: Path) -> None:
    """Read every thread file of a folder, in a process of its own."""
    _run(_READ, folder)


def run_export(workspace: Workspace) -> tuple[float, int, float, float]:
    """A plain export in a process of its own: its seconds, its rows, and MB at most, of it and of each it starts."""
    seconds, rows, own, largest = _run(_EXPORT, workspace.root).split()
    return float(seconds), int(rows), float(own), float(largest)


def _count(workspace: Workspace) -> int:
    return sum(1 for _ in workspace.threads.glob("*.json"))


def _run(code: str, argument: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code, str(argument)], capture_output=True, text=True, check=True)
    return done.stdout


def _jq(workspace: Workspace, repeats: int) -> float:
    """Seconds that `jq -c` takes for the same selection."""
    times: list[float] = []
    target = workspace.root / "jq.jsonl"
    for _ in range(min(repeats, 2)):
        began = time.perf_counter()
        subprocess.run(["sh", "-c", _JQ, str(workspace.threads), str(target)], check=True)
        times.append(time.perf_counter() - began)
    target.unlink()
    return median(times)
