"""Kills commands at random moments and looks at what is left: `make kills`, `make kills ARGS="--kills 100 --seed 7"`.

Each round starts a command (run, edit, undo, redo, verdict, delete, export, migrate, import, pack, unpack) and kills
it, helpers and all, at a moment drawn from the time that it takes. Then every thread must be whole and in a state that
its history ends with, every step and every earlier state be there, every v3 original be somewhere, every export have
its manifest, every dataset be whole; and in between a command that is left alone must succeed. At the end all is
undone, to the first bytes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from core import curate
from core.errors import UsageError
from core.storage import history, history_files, store
from core.workspace import open_workspace
from tests.kills.actions import ACTIONS, Action, Starter
from tests.kills.checks import Ledger

EVERY = 5
"""After so many kills a command is left alone, which also measures how long it takes now."""

REFUSALS = ("there is nothing to", "no threads found", "is stale", "calls no tool", "cannot be edited", "finished ")
"""What a command that is left alone may say of a request that does not apply just then."""


def main() -> int:
    """Returns the exit code: 1 when anything was lost."""
    parser = argparse.ArgumentParser(prog="make kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="names of actions, with commas")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="sensorloom-kills-"))
    chosen = [action for action in ACTIONS if not options.only or action.name in options.only.split(",")]
    problems = _rounds(root, options.kills, random.Random(options.seed), chosen)
    for problem in problems:
        print(f"LOST: {problem}", flush=True)
    if problems:
        print(f"the workspace is left in {root}")
        return 1
    print("nothing was lost")
    shutil.rmtree(root)
    return 0


def _rounds(root: Path, kills: int, draw: random.Random, actions: list[Action]) -> list[str]:
    starter = Starter()
    for arguments in (["datasets", "import", "demo"], ["run", "--dataset", "demo", "--count", "6", "--seed", "1"]):
        code, _ = starter.run(root, arguments)
        if code != 0:
            return [f"`{' '.join(arguments)}` ended with {code}: {_last_words(root)}"]
    seconds: dict[str, float] = {}
    counts: Counter[str] = Counter()
    ledger = Ledger(root)
    problems: list[str] = []
    while counts.total() < kills:
        action = draw.choice(actions)
        arguments = action.arguments(root, draw)
        left_alone = action.name not in seconds or draw.randrange(EVERY) == 0
        moment = None if left_alone else draw.random() * seconds[action.name] * 1.05
        code, took = starter.run(root, arguments, moment)
        if code is None:
            counts[action.name] += 1
            if counts.total() % 25 == 0:
                print(f"{counts.total()} of {kills} kills, {len(problems)} losses", file=sys.stderr, flush=True)
        else:
            seconds[action.name] = took
            if code != 0 and not any(refusal in _last_words(root) for refusal in REFUSALS):
                problems.append(f"`{' '.join(arguments)[:200]}` ended with {code}: {_last_words(root)}")
        after = "left alone" if code is not None else f"killed after {moment:.3f} s"
        problems += [f"kill {counts.total()}, {action.name} {after}: {problem}" for problem in ledger.problems()]
        if len(problems) > 20:
            break
    print("kills: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())), flush=True)
    return problems + _undone(root)


def _last_words(root: Path) -> str:
    return (root / "output.log").read_text(errors="replace")[-600:].strip()


def _undone(root: Path) -> list[str]:
    """Take back every step of every thread. What is said of the ones that do not end with their first bytes."""
    workspace = open_workspace(str(root), environ={})
    problems: list[str] = []
    for stem in sorted(set(history_files.reserved(workspace))):
        first = history.read(workspace, stem).steps[0].before
        try:
            while True:
                curate.undo(workspace, stem)
        except UsageError:
            pass
        present = store.present(workspace.threads, stem)
        if first is None and present:
            problems.append(f"{stem}: all is undone, but the file is still there")
        elif first is not None and (present and present.digest) != first:
            problems.append(f"{stem}: all is undone, but its first bytes are not back")
    return problems


if __name__ == "__main__":
    sys.exit(main())
