"""How fast threads are made by a model that answers at once: what of the time is ours.

`make bench-generate` prints the tables of `docs/generating.md`: turns a second of a bare loop of the openai client, and
of ours, both with the replies from memory and from a server in a process of its own on loopback; where the time of a
turn goes; the memory of many threads in flight; and the first run on a new dataset.

Each measurement is a process of its own, begun when the one before has ended. A turn is a request and its streamed
reply; of ours also its calls carried out, and the thread and its history on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from core.processes.starting import cores
from core.workspace import Workspace, open_workspace
from tests.bench.figures import median

MEMORY = "memory"
"""In place of a server's address: the replies come from memory."""
QUESTION = "What activity is being performed?"
PARALLEL = 16
TOKEN_CHARACTERS = 5


class _Recorder(httpx2.AsyncBaseTransport):
    """The analyst, with its replies and the last request kept."""

    def __init__(self) -> None:
        from core.analyst.transport import BuiltinTransport

        self._analyst = BuiltinTransport(seed=0)
        self.replies: list[list[Any]] = []
        self.request: dict[str, Any] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._analyst.handle_async_request(request)
        self.request = json.loads(await request.aread())
        data = await response.aread()
        lines = [line[6:] for line in data.split(b"\n") if line.startswith(b"data: {")]
        self.replies.append([chunk for line in lines for chunk in by_token(json.loads(line))])
        return httpx2.Response(200, headers=response.headers, content=data)


def by_token(chunk: dict[str, Any]) -> list[dict[str, Any]]:
    """A chunk of a reply in as many as a server makes of it, which sends each token by itself."""
    delta: dict[str, Any] = chunk["choices"][0]["delta"] if chunk["choices"] else {}
    call: dict[str, Any] = (delta.get("tool_calls") or [{}])[0]
    text: str = delta.get("content") or call.get("function", {}).get("arguments") or ""
    cut: list[dict[str, Any]] = []
    for start in range(0, len(text), TOKEN_CHARACTERS):
        part = text[start : start + TOKEN_CHARACTERS]
        changed = {**call, "function": {**call["function"], "arguments": part}} if call else {}
        added = {"tool_calls": [changed]} if call else {"content": part}
        cut.append({**chunk, "choices": [{**chunk["choices"][0], "delta": added}]})
    return cut or [chunk]


def recorded(workspace: Workspace) -> dict[str, Any]:
    """The replies of a thread that the analyst made, with the messages and tools that were sent last. No call of it
    names a window that only its own session has."""
    from core.model.client import Model
    from core.model.endpoints import ModelChoice
    from core.runs.batch import run_jobs
    from core.runs.job import Job

    for number in range(1, 30):
        recorder = _Recorder()
        jobs = [Job("demo", sessions_of(workspace)[number], QUESTION, seed=number, evidence="reference")]
        model = Model(ModelChoice(), transport=recorder)
        asyncio.run(run_jobs(workspace, jobs, model, parallel=1, ended=lambda _: None))
        if "ts_" not in json.dumps([m.get("tool_calls") for m in recorder.request["messages"]]):
            return {"replies": recorder.replies, "request": recorder.request}
    raise RuntimeError("every thread of the analyst names a window of its own")


def sessions_of(workspace: Workspace) -> list[str]:
    """The sessions of the demonstration dataset."""
    from core.datasets.standard import open_dataset

    return sorted(open_dataset(workspace, "demo").features().sessions)


@contextmanager
def served(script: Path) -> Generator[str]:
    """A server of the script in a process of its own; its address."""
    command = [sys.executable, "-m", "tests.bench.instant_server", str(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process measured."""

    turns: int
    seconds: float
    cpu_ms: float
    """Milliseconds of computing a turn, of the run's other processes too."""
    memory_mb: float
    parts: dict[str, tuple[float, float]]
    """Milliseconds a turn by what they went into: of computing, and of waiting."""

    @property
    def rate(self) -> float:
        """Turns a second."""
        return self.turns / self.seconds


def measured(part: str, root: Path, url: str, **options: Any) -> Measured:
    """Let a process measure something. `options` are those of `tests.bench.generate_part`."""
    told = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    command = [sys.executable, "-m", "tests.bench.generate_part", part, str(root), url, *told]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as the program's own start has it
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    answer = json.loads(ran.stdout)
    return Measured(**answer)


def rates(root: Path, repeats: int, threads: int, workers: Sequence[int]) -> list[str]:
    """The table of turns a second."""
    rows: list[str] = []
    with served(root / "script.json") as address:
        for url in (MEMORY, address):
            runs: dict[int, list[Measured]] = {count: [] for count in (0, *workers)}
            for _ in range(repeats):
                runs[0].append(measured("bare", root, url, threads=threads))
                for count in workers:
                    told = {"threads": threads * count, "workers": count, "parallel": PARALLEL * count}
                    runs[count].append(measured("ours", root, url, **told))
            where = "from memory" if url == MEMORY else "over HTTP on loopback"
            rate, cpu = (median([getattr(each, name) for each in runs[0]]) for name in ("rate", "cpu_ms"))
            for count, every in runs.items():
                who = f"ours, {count} process{'es' * (count > 1)}" if count else "the bare client"
                ours, spent = median([each.rate for each in every]), median([each.cpu_ms for each in every])
                rows.append(f"| {who}, {where} | {ours:.0f} | {ours / rate:.2f} | {spent:.1f} | {cpu / spent:.2f} |")
    head = "| | turns a second | of the bare client | ms of computing a turn | by computing, of the bare client |"
    return [head, "|---|---|---|---|---|", *rows]


def parts(root: Path, threads: int) -> list[str]:
    """The table of what a turn's time goes into."""
    told = measured("ours", root, MEMORY, threads=threads, profile=1)
    rows = [f"| {name} | {cpu:.2f} | {waited:.1f} |" for name, (cpu, waited) in told.parts.items()]
    return ["| one turn of ours, one process | ms of computing | ms of waiting |", "|---|---|---|", *rows]


def first_run(root: Path) -> list[str]:
    """The line of what a new dataset takes before its first comparison."""
    told = measured("tables", root, MEMORY)
    return [
        f"First run on a new dataset of {told.turns} sessions: {told.seconds:.1f} s until its tables are there, "
        f"{1000 * told.seconds / told.turns:.0f} ms a session."
    ]


def in_flight(root: Path, counts: Sequence[int]) -> list[str]:
    """The table of the memory of many threads in flight."""
    with served(root / "script.json") as address:
        rows = [
            f"| {count:,} in flight | {told.memory_mb:.0f} MB | {told.rate:.0f} |"
            for count in counts
            for told in [measured("ours", root, address, threads=max(count, 200), parallel=count)]
        ]
    return ["| | memory | turns a second |", "|---|---|---|", *rows]


def long_runs(root: Path, counts: Sequence[int]) -> list[str]:
    """The table of the memory of runs of many threads, each of one turn: what is kept of those that are over."""
    script = root / "script.json"
    replies = script.read_text()
    script.write_text(json.dumps(json.loads(replies)[-1:]))
    try:
        rows = [
            f"| {count:,} threads | {measured('ours', root, MEMORY, threads=count).memory_mb:.0f} MB |"
            for count in counts
        ]
    finally:
        script.write_text(replies)
    return ["| one run of | memory |", "|---|---|", *rows]


def prepared(root: Path) -> Workspace:
    """A workspace with the demonstration dataset, its features read once, and the script beside it."""
    from core.datasets.importing import import_dataset

    (root / "workspace").mkdir()
    workspace = open_workspace(str(root / "workspace"), environ={})
    import_dataset(workspace, "demo")
    (root / "script.json").write_text(json.dumps((script := recorded(workspace))["replies"]))
    (root / "request.json").write_text(json.dumps(script["request"]))
    return workspace


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench-generate", description=__doc__)
    parser.add_argument("what", nargs="*", default=[], help="rates, parts, memory, long, first; all unless told")
    parser.add_argument("--threads", type=int, default=150)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", default=",".join(map(str, range(1, cores() + 1))))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sensorloom-generate-") as folder:
        root = Path(folder)
        prepared(root)
        tables = {
            "rates": lambda: rates(
                root, options.repeats, options.threads, [int(n) for n in options.workers.split(",")]
            ),
            "parts": lambda: parts(root, options.threads),
            "memory": lambda: in_flight(root, (16, 200, 1000)),
            "long": lambda: long_runs(root, (1_000, 10_000)),
            "first": lambda: first_run(root),
        }
        for name in options.what or tables:
            print("\n".join(tables[name]()), "\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
