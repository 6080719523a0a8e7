"""A cluster of Ray on this machine whose nodes, workers and driver can be lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[2]
STORE_BYTES = 100 << 20


class Nodes:
    """A head that does no work, and nodes of one core each."""

    def __init__(self, count: int) -> None:
        from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]

        head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
        self._cluster: Any = Cluster(initialize_head=True, head_node_args=head)
        self._nodes: list[Any] = []
        for _ in range(count):
            self.add()

    @property
    def address(self) -> str:
        return self._cluster.address

    def add(self) -> None:
        self._nodes.append(self._cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES, include_dashboard=False))

    def remove(self) -> None:
        """One node is gone, as when its power is."""
        self._cluster.remove_node(self._nodes.pop(0), allow_graceful=False)

    def workers(self) -> list[int]:
        """The processes that run threads now."""
        raylets = {
            info.process.pid for node in self._nodes for infos in node.all_processes.values() for info in infos
        }  # fmt: skip
        return [process for process, parent, title in _processes() if parent in raylets and "RayWorker" in title]

    def kill_worker(self, chance: random.Random) -> bool:
        """Kill one of them, if there is any."""
        there = self.workers()
        if there:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(there), signal.SIGKILL)
        return bool(there)

    def close(self) -> None:
        self._cluster.shutdown()


def _processes() -> list[tuple[int, int, str]]:
    """Every process, its parent, and what it is called."""
    listed: list[tuple[int, int, str]] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                listed.append((int(folder.name), parent, title))
    return listed


class Kills(threading.Thread):
    """Kills a worker again and again."""

    def __init__(self, nodes: Nodes, every_sec: float, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._nodes = nodes
        self._every_sec = every_sec
        self._chance = chance
        self._over = threading.Event()
        self.count = 0

    def run(self) -> None:
        while not self._over.wait(self._every_sec):
            self.count += self._nodes.kill_worker(self._chance)

    def stop(self) -> None:
        self._over.set()
        self.join()


def driver(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """The program, as a person starts it."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "tui", *arguments], cwd=REPO, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )


def wait_until(done: Callable[[], bool], process: subprocess.Popen[bytes], most_sec: float) -> bool:
    """Wait for something while a process runs. Returns whether it came before the process ended."""
    until = time.monotonic() + most_sec
    while time.monotonic() < until:
        if done():
            return True
        if process.poll() is not None:
            return done()
        time.sleep(0.2)
    raise SystemExit(f"it did not come within {most_sec:.0f} s")
