"""Workspaces of the demo dataset, with batches to be made, and the program in them."""

from __future__ import annotations

import time
from pathlib import Path

from core.datasets.importing import import_dataset
from core.datasets.standard import open_dataset
from core.model.endpoints import ModelChoice
from core.runs.batches import begin_batch, setup_now
from core.runs.job import Job
from core.workspace import Workspace, open_workspace
from tests.cluster.nodes import driver

LONGEST_SEC = 3 * 3600.0


def workspace_in(root: Path) -> Workspace:
    """A workspace with the dataset and its features."""
    root.mkdir(exist_ok=True)
    workspace = open_workspace(str(root), environ={})
    if not (workspace.data / "demo").exists():
        import_dataset(workspace, "demo")
        open_dataset(workspace, "demo").features()
    return workspace


def workspace_with_batch(root: Path, count: int) -> Workspace:
    """A workspace and a batch in it: each session again and again, each time with another seed."""
    workspace = workspace_in(root)
    sessions = open_dataset(workspace, "demo").sessions
    jobs = [Job("demo", sessions[number % len(sessions)], seed=number, evidence="measure") for number in range(count)]
    begin_batch(workspace, jobs, setup_now(ModelChoice()))
    return workspace


def at(workspace: Workspace) -> list[str]:
    """The options that name a workspace."""
    return ["--workspace", str(workspace.root)]


def ended_well(arguments: list[str], log: Path) -> float:
    """Run the program to its end; how many seconds it took. Exits where it failed."""
    started = time.monotonic()
    if code := driver(*arguments, log=log).wait(LONGEST_SEC):
        raise SystemExit(f"{' '.join(arguments)} ended with {code}: {log.read_text(errors='replace')[-3000:]}")
    return time.monotonic() - started
