"""Batches under way with a server that answers at once: whether keys wait for them."""

from __future__ import annotations

import itertools
import random
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from core.model.endpoints import choose
from core.runs.batch_live import look
from core.runs.batches import begin_batch, setup_now
from core.runs.job import Job
from core.trust import acts_of, keep_answer
from core.workspace import Workspace, open_workspace
from tests.bench.figures import Figure
from tests.bench.generate import QUESTION, prepared, served, sessions_of
from tests.bench.stream import borders, compared, pressed
from tests.bench.terminal import Program, sensorloom
from tests.bench.threads import write_threads

THREADS = 20_000
"""More than are made while keys are pressed."""
SETTLED_THREADS = 200
"""So many are made until it goes as fast as it will: by then it has its processes."""
MEASURED_SECONDS = 8.0
PAUSE_SEC = 0.05
"""Keys come at any moment: after a pause of up to this."""


def measure(root: Path, opened: Callable[[Workspace], Program]) -> list[Figure]:
    """What keys wait for, and what the screen's process computes, while the program makes a batch, while a command
    beside it does, and while nothing is made."""
    root.mkdir()
    write_threads(workspace := prepared(root), 100)
    with served(root / "script.json") as address:
        (workspace.root / "sensorloom.toml").write_text(
            f'[[endpoints]]\nname = "bench"\nbase_url = "{address}"\nmodel = "m"\nconcurrency = 16\n\n'
            '[model]\nendpoint = "bench"\n'
        )
        keep_answer(workspace.root, acts_of(workspace.root).files, trusted=True)
        workspace = open_workspace(str(workspace.root), environ={})
        with opened(workspace) as program:
            quiet = _tabs(program)
        name = _batch(workspace)
        with _run_beside(workspace, name), opened(workspace) as program:
            elsewhere = _under_way("a batch of `run` beside it", program, workspace, name, quiet)
        name = _batch(workspace)
        with opened(workspace) as program:
            program.send("5")
            program.wait("goes on")
            program.send("r")
            program.wait("in flight", 60)
            program.send("q")
            here = _under_way("a batch that the screen makes", program, workspace, name, quiet)
    return [*here, *elsewhere]


def _tabs(program: Program) -> list[float]:
    chance = random.Random(0)
    return pressed(program, itertools.repeat("tab"), borders, lambda: chance.uniform(0, PAUSE_SEC))


def _under_way(what: str, program: Program, workspace: Workspace, name: str, quiet: list[float]) -> list[Figure]:
    """What keys take once the batch goes as fast as it will, and what a turn costs the screen's process."""
    for _ in range(600):
        if look(workspace, name).progress.done > SETTLED_THREADS:
            break
        program.settle(0.1, 0.1)
    before, cpu = look(workspace, name).progress, program.cpu_seconds()
    while (now := look(workspace, name).progress).at - before.at < MEASURED_SECONDS:
        program.settle(0.1, 0.1)
    cpu, turns = program.cpu_seconds() - cpu, max(1, now.turns - before.turns)
    rate, share = turns / (now.at - before.at), cpu / (now.at - before.at)
    return [
        compared(f"{what}, {rate:.0f} turns/s: another pane meanwhile: to the screen", _tabs(program), quiet),
        Figure("… CPU of the screen's process", f"{1000 * cpu / turns:.1f} ms a turn, {share:.0%} of a core"),
    ]


@contextmanager
def _run_beside(workspace: Workspace, name: str) -> Generator[None]:
    command = sensorloom(workspace.root, "run", "--resume", name)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as beside:
        try:
            yield
        finally:
            beside.terminate()


def _batch(workspace: Workspace) -> str:
    """The name of a batch that is written down."""
    sessions = random.Random(0).choices(sessions_of(workspace), k=THREADS)
    jobs = [Job("demo", session, QUESTION, seed, evidence="reference") for seed, session in enumerate(sessions)]
    return begin_batch(workspace, jobs, setup_now(choose(workspace))).name
