"""Plausible threads for measuring, made from a seed: `python -m tests.bench.threads WORKSPACE COUNT`.

Lengths, calls, results and statuses are spread as in real folders; the words mean nothing. The sessions are those of
the demo dataset, so that the app has samples to draw; every fifth thread carries its tools, as our own threads do, and
one in twenty of the finished ones was accepted or tagged, as in a folder that somebody curates.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.datasets.importing import import_dataset
from core.datasets.standard import StandardDataset, open_dataset
from core.runs.toolbox import open_toolbox
from core.thread.opening import first_message
from core.workspace import Workspace, open_workspace

DATASET = "demo"
WORDS = (
    "the rhythm repeats every second and gravity lies along one axis while turning stays small near the hip so a "
    "steady walk seems likelier than rest but stairs land harder so compare spread frequency and tilt with others"
).split()
QUESTIONS = ("Which activity is this?", "Is the person resting or moving?", "Walking or climbing stairs? Say why.")
Document = dict[str, Any]


def bench_workspace(root: Path) -> Workspace:
    """A workspace with the demo dataset."""
    root.mkdir(parents=True, exist_ok=True)
    workspace = open_workspace(str(root), environ={})
    if not (workspace.data / DATASET).exists():
        import_dataset(workspace, DATASET)
    return workspace


def write_threads(workspace: Workspace, count: int, seed: int = 0) -> int:
    """Write `count` threads; the bytes written."""
    workspace.threads.mkdir(parents=True, exist_ok=True)
    written = 0
    for document in documents(workspace, count, seed):
        written += write(workspace, document)
    return written


def write(workspace: Workspace, document: Document) -> int:
    """Write one thread as the product does, but without waiting for the disk; the bytes written."""
    data = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    (workspace.threads / f"{document['id']}.json").write_bytes(data)
    return len(data)


def documents(workspace: Workspace, count: int, seed: int = 0) -> Iterator[Document]:
    """`count` threads about sessions of the demo dataset."""
    chance = random.Random(seed)
    dataset = open_dataset(workspace, DATASET)
    sessions = sorted(dataset.sessions)
    tools = [tool.schema for tool in open_toolbox(workspace)]
    for number in range(count):
        document = _thread(chance, dataset, chance.choice(sessions), number, tools)
        yield document if number % 5 == 0 else {key: value for key, value in document.items() if key != "tools"}


def long_thread(workspace: Workspace, turns: int, result_bytes: int, seed: int = 0) -> Document:
    """One unfinished thread of many turns with large results."""
    chance = random.Random(seed)
    dataset = open_dataset(workspace, DATASET)
    session = sorted(dataset.sessions)[0]
    document = _thread(chance, dataset, session, 9_999_999, [tool.schema for tool in open_toolbox(workspace)])
    del document["messages"][1:]
    for turn in range(1, turns + 1):
        document["messages"] += _turn(chance, document["id"], turn, dataset, result_bytes)
    document["metadata"] |= {
        "status": "active", "num_turns": turns, "num_tool_calls": turns, "num_responds": 0, "is_correct": None,
        "confidence": None, "max_turns": turns + 50, "last_modified": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    return document


def _thread(
    chance: random.Random, dataset: StandardDataset, session: str, number: int, tools: Sequence[Any]
) -> Document:
    name = f"{DATASET}_{session}_v4_{number:04d}"
    truth = dataset.labels[session][0]
    share = chance.random()
    status = "finished" if share < 0.6 else "active" if share < 0.85 else "max_turns_reached"
    turns = chance.choices((1, 2, 3, 4), (15, 35, 35, 15))[0]
    question = f"{chance.choice(QUESTIONS)} {_words(chance, chance.randint(4, 20))}"
    messages: list[Document] = [first_message(dataset.manifest, question)]
    for turn in range(1, turns + 1):
        messages += _turn(chance, name, turn, dataset, 0)
    labels = sorted({dataset.labels[other][0] for other in dataset.sessions})
    answer = truth if chance.random() < 0.7 else chance.choice(labels)
    finished = status == "finished"
    if finished:
        text = f"{_words(chance, chance.randint(50, 160))}\n\nConfidence: high\nFinal Answer: {answer}"
        messages.append({"role": "assistant", "content": text, "tool_calls": None})
    created = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randint(0, 20_000_000))
    metadata: Document = {
        "dataset": DATASET, "session": session, "ground_truth": truth, "status": status, "num_turns": turns + finished,
        "num_tool_calls": turns, "num_responds": 0, "is_correct": answer == truth if finished else None,
        "confidence": "high" if finished else None, "user_query": question, "schema_version": "openai_v1",
        "created_at": created.isoformat(), "max_turns": turns if status == "max_turns_reached" else 10,
        "last_modified": (created + timedelta(seconds=chance.randint(10, 90_000))).isoformat(),
    }  # fmt: skip
    if finished and number % 20 == 7:
        metadata["review"] = {"verdict": "accept", "note": None, "at": metadata["last_modified"]}
    if finished and number % 60 == 7:
        metadata["tags"] = ["good"]
    return {"id": name, "metadata": metadata, "messages": messages, "tools": tools}


def _turn(chance: random.Random, thread: str, turn: int, dataset: StandardDataset, size: int) -> list[Document]:
    """A turn with one call and its result, which has at least `size` bytes."""
    channels = [channel["name"] for channel in dataset.manifest["channels"]]
    chosen = chance.sample(channels, chance.randint(1, 4))
    name, arguments = chance.choice(
        (
            ("show_channel_stats", {"artifact_id": "session"}),
            ("compute_spectrum", {"channel_names": chosen}),
            ("detect_periodicity", {"channel_names": chosen}),
            ("filter_by_time", {"start_sec": 0.0, "end_sec": round(chance.uniform(1, 4), 2)}),
        )
    )
    call = {"id": f"call_{thread}_turn_{turn}", "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)}}  # fmt: skip
    numbers = [round(chance.gauss(0, 1), 4) for _ in range(max(8, size // 8))]
    stats = {channel: {"mean": round(chance.gauss(0, 1), 4), "std": round(chance.random(), 4)} for channel in chosen}
    result = {"artifact_id": "session", "window_sec": [0.0, 4.98], "channels": stats, "values": numbers}
    return [
        {"role": "assistant", "content": _words(chance, chance.randint(30, 110)), "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "name": name, "content": json.dumps(result)},
    ]


def _words(chance: random.Random, count: int) -> str:
    return f"{' '.join(chance.choices(WORDS, k=count)).capitalize()}."


def main() -> None:
    """Make a workspace for measuring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    written = write_threads(bench_workspace(chosen.workspace), chosen.count, chosen.seed)
    print(f"{chosen.count} threads, {written / 1e6:.1f} MB in {chosen.workspace}")


if __name__ == "__main__":
    main()
