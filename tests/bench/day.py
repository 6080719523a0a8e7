"""A curator's day in a terminal, and the keys it takes: `make day`.

From 300 threads of the built-in analyst to a hundred that are right, balanced, varied and no copies of each other, one
in twenty-five of those that were offered turned down, and to their export, 90/10 by subject. Prints the keys of each
step and what was written; fails when there are more than `MOST_KEYS`, or the export is not what the day was for.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.datasets.standard import open_dataset
from core.listing.index import summaries
from core.listing.row_status import repeated
from core.workspace import open_workspace
from tests.bench.terminal import Program, sensorloom

MOST_KEYS = 130
WANTED = 100
TURNED_DOWN = 25
"""Of so many that are offered one is rejected."""
SECONDS = 120.0
"""The most that anything may take."""


@dataclass
class Hands:
    """Presses keys, and counts them by what they are for."""

    program: Program
    keys: Counter[str] = field(default_factory=Counter[str])

    def press(self, what: str, *keys: str) -> None:
        """Press some keys, each once."""
        for key in keys:
            self.program.send(key)
            self.keys[what] += 1

    def sees(self, pattern: str) -> None:
        """Wait until this is on the screen."""
        self.program.wait(pattern, SECONDS)


def threads(root: Path, count: int) -> None:
    """A workspace with so many threads of the demo dataset."""
    command = [sensorloom(root)[0]]
    where = ["--workspace", str(root)]
    subprocess.run([*command, "datasets", "import", "demo", *where], check=True, capture_output=True)
    run = ["run", "--dataset", "demo", "--count", str(count), "--seed", "11"]
    done = subprocess.run([*command, *run, *where], check=False, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr[-2000:])


def play(root: Path, columns: int = 120, lines: int = 36) -> Counter[str]:
    """The day; the keys of each step."""
    with Program(sensorloom(root), columns=columns, lines=lines) as program:
        hands = Hands(program)
        hands.sees(r"threads \d+ · newest")
        hands.press("the goal", "P")
        hands.sees("no goal is set")
        hands.press("the goal", "s")
        hands.sees("total=100 label=10")
        hands.press("the goal", "backspace", "6", "enter")
        offered = 0
        while True:
            hands.sees(r"\d+ threads? to judge|the goal is reached")
            if "the goal is reached" in program.text:
                break
            hands.press("the queue", "enter")
            left = int(re.findall(r"(\d+) threads? to judge", program.text)[0])
            hands.sees(rf"threads {left} of \d+ ")
            while left:
                offered += 1
                hands.press("verdicts", "d" if offered % TURNED_DOWN == 0 else "a")
                left -= 1
                hands.sees(rf"threads {left} of \d+ ")
            program.settle(1.0)  # the last verdict is counted
            hands.press("the queue", "P")
        hands.press("the export", "x")
        hands.sees(r"\d+ of [\d,]+ threads(?! · counting)")
        hands.press("the export", *"jjjjj", "l")
        hands.sees("90/10")
        hands.press("the export", "enter")
        hands.sees(r"_val\.jsonl")
        return hands.keys


def check(root: Path) -> list[tuple[str, str, bool]]:
    """What the export holds, and whether that is what the day was for."""
    workspace = open_workspace(str(root), environ={})
    sides = {side: _rows(root, side) for side in ("train", "val")}
    ids = [row["id"] for rows in sides.values() for row in rows]
    listing = {summary.stem: summary for summary in summaries(workspace)}
    leaving = [listing[name] for name in ids]
    labels = Counter(summary.truth for summary in leaving)
    paths = Counter(summary.tools_used for summary in leaving)
    dataset = open_dataset(workspace, "demo")
    people = {side: {dataset.subjects[listing[row["id"]].session] for row in rows} for side, rows in sides.items()}
    copies = len((repeated(workspace, list(listing.values())) or {}).keys() & set(ids))
    most = max(paths.values(), default=0)
    share = len(sides["val"]) / max(1, len(ids))
    return [
        ("threads exported", str(len(ids)), len(ids) == WANTED),
        ("right answers", str(sum(summary.correct is True for summary in leaving)), all(s.correct for s in leaving)),
        ("threads of a label", f"{min(labels.values())} to {max(labels.values())}, {len(labels)} labels",
         max(labels.values()) - min(labels.values()) <= 4),
        ("most of one tool path", f"{most} of {len(paths)} paths", most <= 0.3 * WANTED),
        ("questions worded differently", str(len({summary.question for summary in leaving})), True),
        ("copies of another thread", str(copies), not copies),
        ("validation side", f"{share:.0%}, {len(people['val'])} of {len(people['train'] | people['val'])} people",
         0 < share <= 0.2 and not people["train"] & people["val"]),
    ]  # fmt: skip


def _rows(root: Path, side: str) -> list[dict[str, Any]]:
    (path,) = (root / "exports").glob(f"*_{side}.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def report(keys: Counter[str], facts: Sequence[tuple[str, str, bool]]) -> bool:
    """Print it; whether everything is as it should be."""
    print("| keys for | |\n|---|---|")
    for what, count in keys.items():
        print(f"| {what} | {count} |")
    few = keys.total() <= MOST_KEYS
    print(f"| **all** | **{keys.total()}**, at most {MOST_KEYS}{'' if few else ': TOO MANY'} |\n")
    print("| of the export | |\n|---|---|")
    for what, figure, is_good in facts:
        print(f"| {what} | {figure}{'' if is_good else ': WRONG'} |")
    return few and all(is_good for _, _, is_good in facts)


def main() -> None:
    """Play the day."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=300)
    parser.add_argument("--from", dest="source", type=Path, help="a workspace that has them already; it is copied")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sensorloom-day-") as folder:
        root = Path(folder) / "day"
        if chosen.source:
            import shutil

            shutil.copytree(chosen.source, root, symlinks=True)
        else:
            root.mkdir()
            threads(root, chosen.threads)
        sys.exit(0 if report(play(root), check(root)) else 1)


if __name__ == "__main__":
    main()
