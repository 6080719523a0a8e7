"""How varied the built-in analyst's threads are.

`python -m tests.bench.variety [--count N]` runs threads over the demonstration dataset, half of them in each mode of
evidence, each with a question of its own, and prints a section of Markdown for `docs/bench-tools.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile

from core.analyst.transport import BuiltinTransport
from core.datasets.importing import import_dataset
from core.datasets.standard import StandardDataset, open_dataset
from core.lint import check_thread
from core.listing.variety import Tally, Variety, described, facts_of
from core.runs.toolbox import offered_in
from core.thread.evidence import settled
from core.workspace import open_workspace
from tests.bench.tools import question_for, run_thread
from tools.builtin import BUILTIN

COLUMNS = ("all", "reference", "measure")


async def measured(dataset: StandardDataset, count: int) -> dict[str, tuple[Variety, int]]:
    """The variety of so many threads, and in how many a check finds a number that no result holds; by mode."""
    transport = BuiltinTransport(seed=0)
    sessions = sorted(dataset.features().sessions)
    tallies = {name: Tally() for name in COLUMNS}
    ungrounded = dict.fromkeys(COLUMNS, 0)
    for seed in range(count):
        session = sessions[seed * 7919 % len(sessions)]
        mode = settled("mix", session, seed)
        question = await question_for(transport, dataset, seed)
        thread = await run_thread(transport, dataset, session, question, seed, offered_in(BUILTIN, mode))
        facts = facts_of(thread)
        wrong = any(finding.check == "grounding" for finding in check_thread(thread))
        for name in ("all", mode):
            tallies[name].add(facts)
            ungrounded[name] += wrong
    return {name: (tallies[name].variety(), ungrounded[name]) for name in COLUMNS}


def section(figures: dict[str, tuple[Variety, int]]) -> list[str]:
    """The table of both modes."""
    names = [name for name, _ in described(Variety())]
    told = {mode: dict(described(counted)) for mode, (counted, _) in figures.items()}
    rows = [f"| {name} | {' | '.join(told[mode][name] for mode in figures)} |" for name in names]
    numbers = " | ".join(f"{ungrounded} of {counted.threads:,}" for counted, ungrounded in figures.values())
    return [
        "## How varied the threads are", "",
        "Printed by `python -m tests.bench.variety`; `docs/training.md` says what each figure is. The demonstration",
        "dataset, questions of the analyst's own, half of the threads in each mode of evidence, as `run` makes them.",
        "",
        f"| | {' | '.join(figures)} |", f"|---{'|---' * len(figures)}|", *rows,
        f"| threads with a number that no result holds | {numbers} |",
    ]  # fmt: skip


def main() -> int:
    """Run the threads and print the section."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=1000, help="threads")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(folder, environ={})
        import_dataset(workspace, "demo")
        figures = asyncio.run(measured(open_dataset(workspace, "demo"), arguments.count))
    print("\n".join(section(figures)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
