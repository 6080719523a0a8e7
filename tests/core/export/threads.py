"""Threads for the export and lint tests, and workspaces that hold them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from core.settings import Settings
from core.workspace import Workspace

Document = dict[str, Any]

TOOLS: list[Document] = [
    {
        "type": "function",
        "function": {
            "name": "show_channel_stats",
            "description": "Statistics of each channel.",
            "parameters": {
                "type": "object",
                "properties": {"dataset_name": {"type": "string"}, "artifact_id": {"type": "string"}},
                "additionalProperties": False,
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "compute_spectrum",
            "description": "Dominant frequencies.",
            "parameters": {
                "type": "object",
                "properties": {"channel_names": {"type": "array", "items": {"type": "string"}}},
                "required": ["channel_names"],
                "additionalProperties": False,
            },
        },
    },
]

MANIFEST = {
    "dataset_name": "uci_har",
    "description": "Phone at the waist.",
    "activities": ["walking", "sitting", "standing", "laying"],
    "channels": [{"name": "body_acc_x", "description": "", "unit": "g", "sampling_rate_hz": 50.0}],
}


def call(call_id: str, name: str, **arguments: Any) -> Document:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def result(call_id: str, name: str, content: Any) -> Document:
    return {"role": "tool", "tool_call_id": call_id, "name": name, "content": json.dumps(content)}


def document(number: int = 1, *, session: str = "train_16_3157", truth: str = "walking", **metadata: Any) -> Document:
    """A finished, right thread with one turn of two parallel calls, in the form the product writes."""
    tid = f"uci_har_{session}_v4_{number:04d}"
    first, second = f"call_{tid}_turn_1", f"call_{tid}_turn_1_2"
    messages = [
        {
            "role": "user",
            "content": f"Dataset Information:\n{json.dumps(MANIFEST, indent=2)}\n\nUser Query: What is this? {number}",
        },
        {
            "role": "assistant",
            "content": "Two checks at once — größer?",
            "tool_calls": [
                call(first, "show_channel_stats", dataset_name="uci_har"),
                call(second, "compute_spectrum", channel_names=["body_acc_x"]),
            ],
        },
        result(first, "show_channel_stats", {"channels": [{"name": "body_acc_x", "std": 0.413, "unit": "g"}]}),
        result(second, "compute_spectrum", {"dominant_hz": 1.95, "note": "periodic"}),
        {
            "role": "assistant",
            "content": f"A rhythm of 1.95 Hz.\n\nConfidence: high\nFinal Answer: {truth}",
            "tool_calls": None,
        },
    ]
    return {
        "id": tid,
        "metadata": {
            "dataset": "uci_har", "session": session, "ground_truth": truth, "status": "finished", "num_turns": 2,
            "num_tool_calls": 2, "num_responds": 0, "is_correct": True, "confidence": "high",
            "user_query": f"What is this? {number}", "schema_version": "openai_v1",
            "created_at": "2026-01-01T00:00:00+00:00", "last_modified": "2026-01-01T00:00:00+00:00",
            "final_answer": truth, "model": "builtin-analyst", **metadata,
        },
        "messages": messages,
        "tools": copy.deepcopy(TOOLS),
    }  # fmt: skip


def workspace(root: Path, *documents: Document) -> Workspace:
    """A workspace that holds these threads."""
    threads = root / "threads"
    threads.mkdir(exist_ok=True)
    for thread in documents:
        put(threads, thread)
    return Workspace(root, threads, root / "exports", root / "data", Settings())


def put(threads: Path, thread: Document) -> Path:
    path = threads / f"{thread['id']}.json"
    path.write_text(json.dumps(thread, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def rows(path: Path | None) -> list[Document]:
    assert path is not None
    return [json.loads(line) for line in path.read_text(encoding="utf-8").removesuffix("\n").split("\n")]
