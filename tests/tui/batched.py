"""Batches written by hand, as those of three days would lie in a workspace: one under way, one left, one whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from filelock import FileLock

from core.workspace import Workspace


def batched_workspace(workspace: Workspace) -> FileLock:
    """Write them. The lock that is given back is that of who makes the first one."""
    folder = workspace.private / "batches"
    folder.mkdir(parents=True)
    write(folder, "20260103-090000", 40, 40, 0)
    write(folder, "20260102-181500", 240, 31, 4)
    write(folder, "20260104-101112", 400, 12, 0)
    marks = [[1_000.0 + 5 * step, 200 + step, 1_200 + 100 * step, 60_000 + 9_000 * step] for step in range(6)]
    progress = {
        "of": 400, "done": 212, "failed": 3, "running": 48, "asking": 40, "limit": 64, "turns": 1_750,
        "tokens": 110_000, "problem": "box failed with 500: out of memory",
        "at": 1_030.0, "marks": marks,
    }  # fmt: skip
    live = {"pid": 4711, "host": "box", "progress": progress}
    (folder / "20260104-101112.live").write_text(json.dumps(live))
    lock = FileLock(folder / "20260104-101112.lock", thread_local=False)
    lock.acquire()
    return lock


def write(folder: Path, name: str, count: int, over: int, failed: int) -> None:
    began = f"{name[:4]}-{name[4:6]}-{name[6:8]}T{name[9:11]}:{name[11:13]}:{name[13:]}+00:00"
    jobs = [{"dataset": "demo", "session": f"s{number}"} for number in range(count)]
    setup = {"begun_at": began, "endpoint": "box", "model": "Qwen/Qwen3-8B", "jobs": jobs}
    notes: list[dict[str, Any]] = [{"job": job, "stem": f"demo_s{job}", "over": True} for job in range(over)]
    notes += [{"job": over + job, "error": "box failed with 500: out of memory"} for job in range(failed)]
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in (setup, *notes)))
