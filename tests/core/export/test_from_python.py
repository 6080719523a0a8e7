"""The documents' own script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .threads import document, rows, workspace


def test_the_documents_custom_filtering_works_on_our_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    space = workspace(tmp_path, document(1), document(2, is_correct=False))
    old = tmp_path / "data/tool_chain_of_thoughts"
    old.mkdir(parents=True)
    space.threads.rename(old / "threads")
    (tmp_path / "data/training_exports").mkdir()
    monkeypatch.chdir(tmp_path)

    threads_dir = Path("data/tool_chain_of_thoughts/threads")
    output = []
    for thread_file in threads_dir.glob("*.json"):
        with open(thread_file) as f:  # noqa: PTH123  # as the document has it
            thread = json.load(f)
        if (
            thread["metadata"]["status"] == "finished"
            and thread["metadata"]["num_tool_calls"] >= 2
            and thread["metadata"].get("is_correct") == True  # noqa: E712  # as the document has it
        ):
            output.append(thread)
    with open("data/training_exports/custom_filtered.jsonl", "w") as f:  # noqa: PTH123  # as the document has it
        for thread in output:
            f.write(json.dumps(thread) + "\n")

    assert [row["id"] for row in rows(tmp_path / "data/training_exports/custom_filtered.jsonl")] == [document(1)["id"]]
