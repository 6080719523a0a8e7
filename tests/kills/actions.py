"""What is killed: commands as a person types them, and how one is started and ended at a chosen moment."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from core.storage.thread_files import path_of, read_bytes, stems

PRELOADED = (
    "core.cli.commands", "core.curate", "core.curate.migrate", "core.export.run", "core.runs.runner",
    "core.runs.batch", "core.datasets.importing", "core.datasets.demo", "core.model.client",
    "core.analyst.transport", "core.listing.index", "openai", "numpy", "pyarrow.parquet", "tinydb", "filelock",
)  # fmt: skip
"""Imported before a command's process is forked, so that a kill falls into the command and not into its imports."""
_SLOWEST_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Action:
    """A command that changes the workspace."""

    name: str
    arguments: Callable[[Path, random.Random], Sequence[str]]
    """Given the workspace's folder, and what to draw from."""


def _threads(root: Path) -> list[str]:
    return [stem for stem in stems(root / "threads") if "_v4_" in stem]


def _some(root: Path, draw: random.Random, count: int = 1) -> list[str]:
    stems = _threads(root)
    return draw.sample(stems, min(count, len(stems)))


def _edited(root: Path, draw: random.Random) -> list[str]:
    """A text or a call of some message."""
    stem = _some(root, draw)[0]
    messages: list[dict[str, Any]] = json.loads(read_bytes(path_of(root / "threads", stem)))["messages"]
    index = draw.randrange(1, max(2, len(messages)))
    calls = messages[index].get("tool_calls") if index < len(messages) else None
    if calls and draw.random() < 0.5:
        changed = ["--call", "1", "--arguments", calls[0]["function"]["arguments"] + " "]
    else:
        changed = ["--text", f"edited {draw.random()}"]
    return ["edit", stem, "--message", str(min(index, len(messages) - 1) + 1), *changed]


def _old_thread(root: Path, draw: random.Random) -> list[str]:
    """Puts v3 files there, two of them with one id, and converts them."""
    number = draw.randrange(10**9)
    for suffix in ("", "_copy", "_again"):
        turns = [
            {"turn": 1, "action": "use_tool", "reasoning": f"{number}{suffix}",
             "tool_calls": [{"tool_name": "show_channel_stats", "parameters": {}}], "tool_results": [{"ok": number}]},
            {"turn": 2, "action": "respond", "response": "so"},
        ]  # fmt: skip
        document = {
            "thread_id": f"old_{number}_v3_0001", "schema_version": "3.0", "dataset_name": "demo", "session_id": "s",
            "ground_truth_label": "walking", "conversation": turns, "final_answer": "walking",
        }  # fmt: skip
        data = json.dumps(document).encode()
        for folder in ("threads", "originals"):
            (root / folder).mkdir(exist_ok=True)
            (root / folder / f"old_{number}_v3_0001{suffix}.json").write_bytes(data)
    return ["migrate"]


def _export(root: Path, draw: random.Random) -> list[str]:
    profile = draw.choice(["openai_v1", "hf", "llamafactory", "trl_kto"])
    return ["export", "--profile", profile, *draw.choice([[], ["--split", "80/20"], ["--all"], ["--dedupe", "exact"]])]


def _verdict(root: Path, draw: random.Random) -> list[str]:
    return ["verdict", draw.choice(["accept", "reject", "skip", "none"]), *_some(root, draw, draw.choice([1, 40]))]


def _seed(draw: random.Random) -> list[str]:
    return ["--seed", str(draw.randrange(10**6))]


def _run(_: Path, draw: random.Random) -> list[str]:
    return ["run", "--dataset", "demo", "--count", "2", "--max-turns", "4", *_seed(draw)]


def _run_in_processes(_: Path, draw: random.Random) -> list[str]:
    return ["run", "--dataset", "demo", "--count", "6", "--max-turns", "4", "--workers", "2", *_seed(draw)]


def _import(_: Path, draw: random.Random) -> list[str]:
    return ["datasets", "import", "demo", "--name", "copy", "--replace", *_seed(draw)]


ACTIONS = (
    Action("run", _run),
    Action("run-in-processes", _run_in_processes),
    Action("edit", _edited),
    Action("undo", lambda root, draw: ["undo", *draw.choice([[], _some(root, draw)])]),
    Action("redo", lambda root, draw: ["redo", *draw.choice([[], _some(root, draw)])]),
    Action("verdict", _verdict),
    Action("delete", lambda root, draw: ["delete", *_some(root, draw, 2)]),
    Action("export", _export),
    Action("migrate", _old_thread),
    Action("import", _import),
    Action("pack", lambda root, draw: ["pack", *_some(root, draw, 20)]),
    Action("unpack", lambda root, draw: ["unpack", *draw.choice([[], _some(root, draw, 20)])]),
)


class Starter:
    """Starts commands in processes that have imported everything already."""

    def __init__(self) -> None:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOADED))

    def run(self, root: Path, arguments: Sequence[str], kill_after: float | None = None) -> tuple[int | None, float]:
        """Run a command, to its end or until it is killed. Returns its exit code (None when it was killed) and the
        seconds it ran."""
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_command, args=([*arguments, "--workspace", str(root)], theirs))
        process.start()
        theirs.close()
        ours.recv()
        started = time.monotonic()
        process.join(_SLOWEST_SECONDS if kill_after is None else kill_after)
        seconds = time.monotonic() - started
        killed = process.is_alive()
        if killed and process.pid is not None:
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        if killed and kill_after is None:
            raise RuntimeError(f"{' '.join(arguments)} did not end within {_SLOWEST_SECONDS:.0f} s")
        return (None if killed else process.exitcode), seconds


def _command(arguments: list[str], ready: Connection) -> None:
    """What the process does: a group of its own, so that its helpers are killed with it."""
    from core.cli.commands import run_command

    os.setsid()
    log = os.open(os.path.join(arguments[-1], "output.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)  # noqa: PTH118
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ["SENSORLOOM_TRACEBACK"] = "1"
    ready.send(True)
    sys.exit(run_command(arguments))
