"""How varied the built-in analyst's threads are.

`python -m tests.bench.variety [--count N] [--data FOLDER]` runs threads over the demonstration dataset and over slices
of public ones, each thread with a question of its own, and prints a section of Markdown for `docs/bench-tools.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

from core.analyst.transport import BuiltinTransport
from core.datasets.importing import import_dataset
from core.datasets.standard import StandardDataset, open_dataset
from core.lint import check_thread
from core.listing.variety import Tally, Variety, described, facts_of
from core.model.request import sent_messages
from core.thread.opening import first_message, system_prompt
from core.thread.value import Thread
from core.workspace import open_workspace
from tests.bench.tools import DATA, SLICES, ask, imported, question_for
from tools.builtin import BUILTIN
from tools.registry import ToolContext, call
from tools.session import Dataset

TURNS = 10
NAMES = ("uci_har", "wisdm")
"""The slices beside the demonstration dataset."""


async def thread(transport: BuiltinTransport, dataset: StandardDataset, session: str, seed: int) -> Thread:
    """A thread of the built-in analyst about one session, run to its end."""
    context = ToolContext(cast("Dataset", dataset), session)
    question = await question_for(transport, dataset, seed)
    messages: list[dict[str, Any]] = [first_message(dataset.manifest, question)]
    schemas = [tool.schema for tool in BUILTIN]
    for _ in range(TURNS):
        sent = sent_messages(messages, system_prompt())
        message = await ask(transport, {"model": "builtin-analyst", "messages": sent, "seed": seed, "tools": schemas})
        messages.append(message)
        if not message.get("tool_calls"):
            break
        for wanted in message["tool_calls"]:
            outcome = call(BUILTIN, context, wanted["function"]["name"], wanted["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": wanted["id"], "content": outcome.content})
    truth = dataset.labels[session][0]
    metadata = {"dataset_name": dataset.name, "session_id": session, "ground_truth": truth, "user_query": question}
    return Thread({"id": f"{session}_{seed}", "metadata": metadata, "messages": messages})


async def measured(dataset: StandardDataset, count: int) -> tuple[Variety, int]:
    """The variety of so many threads, and in how many a check finds a number that no result holds."""
    transport = BuiltinTransport(seed=0)
    sessions = sorted(dataset.features().sessions)
    tally, ungrounded = Tally(), 0
    for seed in range(count):
        finished = await thread(transport, dataset, sessions[seed * 7919 % len(sessions)], seed)
        tally.add(facts_of(finished))
        ungrounded += any(finding.check == "grounding" for finding in check_thread(finished))
    return tally.variety(), ungrounded


def section(figures: dict[str, tuple[Variety, int]]) -> list[str]:
    """The table of all datasets."""
    names = [name for name, _ in described(Variety())]
    told = {dataset: dict(described(counted)) for dataset, (counted, _) in figures.items()}
    rows = [f"| {name} | {' | '.join(told[dataset][name] for dataset in figures)} |" for name in names]
    numbers = " | ".join(f"{ungrounded} of {counted.threads:,}" for counted, ungrounded in figures.values())
    return [
        "## How varied the threads are", "",
        "Printed by `python -m tests.bench.variety`; `docs/training.md` says what each figure is. The analyst is asked",
        "questions of its own, with evidence by reference.", "",
        f"| | {' | '.join(figures)} |", f"|---{'|---' * len(figures)}|", *rows,
        f"| threads with a number that no result holds | {numbers} |",
    ]  # fmt: skip


def main() -> int:
    """Run the threads and print the section."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=1000, help="threads of each dataset")
    options.add_argument("--data", type=Path, default=DATA, help="the folder with the archives")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(folder, environ={})
        import_dataset(workspace, "demo")
        datasets = [open_dataset(workspace, "demo")]
        if arguments.data.is_dir():
            datasets += [imported(workspace, arguments.data, chosen) for chosen in SLICES if chosen.name in NAMES]
        figures = {dataset.name: asyncio.run(measured(dataset, arguments.count)) for dataset in datasets}
    print("\n".join(section(figures)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
