"""A run, an evaluation, a check and a replay on a cluster that loses workers, a node and its driver, beside the same on
this machine.

`make test-cluster`, ARGS="--threads 5000 --every 20". Prints what was killed, whether all threads are there, once each
and equal, and how many threads a second 1, 2 and 3 nodes of one core make. Fails where a thread is lost, there twice,
or other than this machine makes it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from core.runs.batches import open_batch
from core.storage import history
from core.storage.atomic import digest
from core.storage.thread_files import path_of
from core.workspace import Workspace
from tests.cluster.content import told_apart
from tests.cluster.looked_at import look_at_and_kill
from tests.cluster.making_tables import make_tables_and_kill
from tests.cluster.nodes import Kills, Nodes, driver, wait_until
from tests.cluster.spaces import LONGEST_SEC, at, ended_well, workspace_in, workspace_with_batch


def main() -> int:
    """Returns 1 where something is lost."""
    parser = argparse.ArgumentParser(prog="make test-cluster", description=__doc__)
    parser.add_argument("--threads", type=int, default=300, help="of the run; 0 for none")
    parser.add_argument("--sessions", type=int, default=60, help="of the evaluation; 0 for none")
    parser.add_argument("--looked-at", type=int, default=1600, help="threads of the check and the replay; 0 for none")
    parser.add_argument("--tables", type=int, default=1200, help="sessions whose tables are made; 0 for none")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two kills of a worker")
    parser.add_argument("--rates", type=int, default=120, help="threads for each figure of throughput; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="test-cluster-"))
    try:
        problems: list[str] = []
        if wanted.threads:
            problems += _run_and_kill(root, wanted.threads, wanted.every, random.Random(wanted.seed))
        if wanted.sessions:
            problems += _evaluate_and_kill(root, wanted.sessions, wanted.every, random.Random(wanted.seed))
        if wanted.looked_at:
            problems += look_at_and_kill(root / "looked-at", wanted.looked_at, random.Random(wanted.seed))
        if wanted.tables:
            problems += make_tables_and_kill(root, wanted.tables, wanted.every, random.Random(wanted.seed))
        if wanted.rates:
            _rates(root, wanted.rates)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    for problem in problems:
        print(f"WRONG: {problem}")
    print("nothing lost, nothing twice" if not problems else f"{len(problems)} wrong")
    return 1 if problems else 0


def _run_and_kill(root: Path, count: int, every_sec: float, chance: random.Random) -> list[str]:
    here, there = (workspace_with_batch(root / name, count) for name in ("here", "there"))
    seconds = ended_well(["run", "--resume", *at(here)], root / "here.log")
    print(f"this machine alone: {count} threads in {seconds:.0f} s")
    nodes = Nodes(3)
    kills = Kills(nodes, every_sec, chance)
    log, started, drivers = root / "there.log", time.monotonic(), 1
    command = ["run", "--resume", "--ray", nodes.address, "--send-data", *at(there)]
    try:
        process = driver(*command, log=log)
        wait_until(lambda: _over(there) > 0, process, LONGEST_SEC)
        kills.start()
        for share, loses_node in ((0.25, False), (0.5, True), (0.75, False)):
            wait_until(lambda share=share: _over(there) >= share * count, process, LONGEST_SEC)
            if loses_node:
                nodes.remove()
                print(f"at {_over(there)} threads a node is removed")
                continue
            process.send_signal(signal.SIGKILL)
            process.wait()
            print(f"at {_over(there)} threads the driver is killed, and begun again")
            process, drivers = driver(*command, log=log), drivers + 1
        code = process.wait(LONGEST_SEC)
    finally:
        kills.stop()
        nodes.close()
    print(f"cluster: {count} threads in {time.monotonic() - started:.0f} s; {kills.count} workers killed, ", end="")
    heard = log.read_text(errors="replace").count("was lost, its threads go")
    print(f"{heard} heard of; {drivers} drivers, 3 nodes, then 2")
    problems = [f"the last driver ended with {code}: {log.read_text()[-2000:]}"] if code else []
    return problems + _compared(here, there, count) + _histories(there)


def _evaluate_and_kill(root: Path, count: int, every_sec: float, chance: random.Random) -> list[str]:
    here, there = (workspace_in(root / name) for name in ("here", "there"))
    asked = ["evaluate", "twice", "--dataset", "demo", "--count", str(count), "--seed", "5", "--json"]
    ended_well([*asked, *at(here)], root / "here.json")
    nodes = Nodes(3)
    kills = Kills(nodes, every_sec, chance)
    try:
        kills.start()
        ended_well([*asked, "--ray", nodes.address, "--send-data", *at(there)], root / "there.json")
    finally:
        kills.stop()
        nodes.close()
    print(f"evaluation: {count} sessions; {kills.count} workers killed")
    return _compared(_answers(here), _answers(there), count)


def _answers(workspace: Workspace) -> Workspace:
    return replace(workspace, threads=workspace.root / "evaluations" / "twice" / "builtin")


def _rates(root: Path, count: int) -> None:
    """How many threads a second, from the first that is over to the last."""
    print(f"threads a second ({count} threads each):")
    for number in (0, 1, 2, 3):
        workspace = workspace_with_batch(root / f"rate-{number}", count)
        nodes = Nodes(number) if number else None
        where = ["--workers", "1"] if nodes is None else ["--ray", nodes.address]
        command = ["run", "--resume", *where, *at(workspace)]
        try:
            process = driver(*command, log=root / "rates.log")
            wait_until(lambda w=workspace: _over(w) > 0, process, LONGEST_SEC)
            first, started = _over(workspace), time.monotonic()
            process.wait(LONGEST_SEC)
            rate = (_over(workspace) - first) / (time.monotonic() - started)
        finally:
            if nodes is not None:
                nodes.close()
        print(f"  {f'{number} nodes of one core' if number else 'one process, no cluster':24} {rate:6.1f}")


def _over(workspace: Workspace) -> int:
    return len(open_batch(workspace).over)


def _compared(here: Workspace, there: Workspace, count: int) -> list[str]:
    both, missing, other = told_apart(here.threads, there.threads)
    print(f"  {both} of {count} threads are equal; {missing} only here, {other} only there")
    return [] if (both, missing, other) == (count, 0, 0) else [f"{missing} only here, {other} only there"]


def _histories(workspace: Workspace) -> list[str]:
    """Whether each job has a thread of its own, whose history ends where it stands."""
    batch = open_batch(workspace)
    problems = [f"{len(batch.left(workspace))} jobs are left"] if batch.left(workspace) else []
    if len({*batch.stems.values()}) != len(batch.setup.jobs):
        problems.append("two jobs have one thread")
    for stem in batch.stems.values():
        last = history.read(workspace, stem).last
        if last is None or last.after != digest(path_of(workspace.threads, stem).read_bytes()):
            problems.append(f"the history of {stem} does not end where it stands")
    return problems


if __name__ == "__main__":
    sys.exit(main())
