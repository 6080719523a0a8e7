"""The tables that a run needs, made by three nodes while workers are killed, beside those that this machine makes."""

from __future__ import annotations

import random
import time
from pathlib import Path

from core.datasets.standard import open_dataset
from core.workspace import Workspace, open_workspace
from tests.cluster.nodes import Kills, Nodes, driver
from tests.tools.made import MOTIONS, made_dataset, write_dataset

LONGEST_SEC = 3600.0
EACH = 12
"""Sessions of each motion of a subject: all of them are measured."""


def make_tables_and_kill(root: Path, sessions: int, every_sec: float, chance: random.Random) -> list[str]:
    """Returns what is wrong."""
    data = root / "data of tables"
    write_dataset(data / "made", made_dataset(max(1, sessions // (EACH * len(MOTIONS))), EACH))
    here, there = (_workspace(root / f"tables {name}", data) for name in ("here", "there"))
    dataset, started, spent = open_dataset(here, "made"), time.monotonic(), time.process_time()
    dataset.features()
    dataset.measurements()
    alone = f"{time.monotonic() - started:.0f} s, {time.process_time() - spent:.0f} s of this process"
    print(f"tables of {len(dataset.sessions)} sessions on this machine: {alone}")
    nodes = Nodes(3)
    kills = Kills(nodes, every_sec, chance)
    log, started = root / "tables.log", time.monotonic()
    asked = ["run", "--dataset", "made", "--count", "3", "--seed", "1"]
    try:
        kills.start()
        process = driver(
            *asked, "--ray", nodes.address, "--send-data", "--workspace", str(there.root), "--data", str(data), log=log
        )
        code = process.wait(LONGEST_SEC)
    finally:
        kills.stop()
        nodes.close()
    equal = _tables(here) == _tables(there)
    print(
        f"  by three nodes, with a run of 3 threads: {time.monotonic() - started:.0f} s; {kills.count} workers killed"
    )
    print(f"  they are {'the same' if equal else 'OTHERS'}, to the last bit")
    problems = [f"the run with tables ended with {code}: {log.read_text()[-2000:]}"] if code else []
    return problems + ([] if equal else ["the tables of nodes are others"])


def _workspace(root: Path, data: Path) -> Workspace:
    root.mkdir()
    return open_workspace(str(root), parts={"data": str(data)}, environ={})


def _tables(workspace: Workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (workspace.private / "features").glob("made-*.npz")}
