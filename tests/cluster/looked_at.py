"""A check and a replay on three nodes while a worker is killed, beside the same on this machine."""

from __future__ import annotations

import json
import random
import resource
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from core.lint.findings_cache import findings_cache_path
from core.workspace import Workspace
from tests.cluster.nodes import Nodes, driver, wait_until
from tests.cluster.spaces import LONGEST_SEC, at, ended_well, workspace_with_batch

MADE = 40
"""Threads that are made; the others are copies of them."""


def look_at_and_kill(root: Path, count: int, chance: random.Random) -> list[str]:
    """What is wrong; nothing where both say the same, to the line."""
    space = workspace_with_batch(root, MADE)
    ended_well(["run", "--resume", *at(space)], root / "made.log")
    _multiply(space, count)
    problems: list[str] = []
    begun: dict[str, Callable[[Path], bool]] = {"check": lambda _log: _is_kept(space), "replay": _differs}
    for command, has_begun in begun.items():
        cache = findings_cache_path(space)
        cache.unlink(missing_ok=True)
        here = root / f"{command}-here.log"
        started = time.monotonic()
        code_here = driver(command, *at(space), log=here).wait(LONGEST_SEC)
        print(
            f"{command} of {count} threads: this machine alone {time.monotonic() - started:.0f} s", end="", flush=True
        )
        cache.unlink(missing_ok=True)
        there = root / f"{command}-there.log"
        sending = ["--send-data"] if command == "replay" else []
        nodes = Nodes(3)
        try:
            started, core_before = time.monotonic(), _core_sec()
            process = driver(command, "--ray", nodes.address, *sending, *at(space), log=there)
            killed = wait_until(lambda log=there, begun=has_begun: begun(log), process, LONGEST_SEC)
            killed = killed and process.poll() is None and nodes.kill_worker(chance)
            code_there = process.wait(LONGEST_SEC)
            core_sec = _core_sec() - core_before
        finally:
            nodes.close()
        heard = there.read_text(errors="replace").count("was lost, its threads go")
        told = f"three nodes {time.monotonic() - started:.0f} s, of which the driver {core_sec:.1f} s of a core"
        print(f", {told}; {int(killed)} worker killed, {heard} heard of")
        lines = _lines_of(here)
        if (code_here, lines) != (code_there, _lines_of(there)):
            problems.append(f"{command} ends with {code_here} here and {code_there} there, or says something else")
        elif code_here != 1 or len(lines) < 2:
            problems.append(f"{command} finds nothing: {lines[-3:]}")
        else:
            print(f"  both: {lines[-1]}")
    return problems


def _multiply(space: Workspace, count: int) -> None:
    """Copies under other ids; of the first thread one result is another one."""
    stems = sorted(path.stem for path in space.threads.glob("*.json"))
    texts = [(space.threads / f"{stem}.json").read_text() for stem in stems]
    for number in range(count - len(stems)):
        stem = stems[number % len(stems)]
        other = f"{stem.rpartition('_')[0]}_{1000 + number}"
        (space.threads / f"{other}.json").write_text(texts[number % len(stems)].replace(stem, other))
    first = space.threads / f"{stems[0]}.json"
    document = json.loads(first.read_text())
    result = next(message for message in document["messages"] if message["role"] == "tool")
    result["content"] = result["content"].replace("1", "2", 1)
    first.write_text(json.dumps(document))


def _core_sec() -> float:
    """What programs that were waited for have used of a core, starts and all."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _is_kept(space: Workspace) -> bool:
    """Whether a part of what was found is kept already."""
    path = f"file:{findings_cache_path(space)}?mode=ro"
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, uri=True)) as database:
        return database.execute("SELECT COUNT(*) FROM thread").fetchone()[0] > 0
    return False


def _differs(log: Path) -> bool:
    """Whether the first thread, which differs, was told."""
    return ": differ" in log.read_text(errors="replace")


def _lines_of(log: Path) -> list[str]:
    """What a command said of the threads."""
    return [line for line in log.read_text(errors="replace").splitlines() if not line.startswith(("note: ", "on "))]
