# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Loads an export with verl's own dataset and the class beside it, and prints what it would train on as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import spans
import tiny

HERE = Path(__file__).parent


def main(file: str, profile: str, model: str, limit: int) -> dict:
    """Load the Parquet beside `file`, at most `limit` rows of it measured."""
    from omegaconf import OmegaConf
    from transformers import AutoTokenizer

    script: dict = {"__name__": "beside"}
    source = (HERE.parent / "snippets/verl_dataset.py.txt").read_text(encoding="utf-8")
    exec(compile(source, "verl_dataset", "exec"), script)
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = AutoTokenizer.from_pretrained(model or tiny.build(f"{scratch}/tiny"))
        config = OmegaConf.create(
            {"pad_mode": "no_padding", "max_length": 131072, "truncation": "error", "messages_key": "messages"}
        )
        parquet = str(Path(file).with_suffix(".parquet"))
        loaded = script["ThreadDataset"]([parquet], tokenizer, config)
        with Path(file).with_suffix(".jsonl").open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        measured = []
        for number, row in enumerate(rows[:limit]):
            item = loaded[number]
            labels = [
                token if learn else -100
                for token, learn in zip(item["input_ids"].tolist(), item["loss_mask"].tolist(), strict=True)
            ]
            pieces = spans.pieces_of_messages(json.loads(row["messages"]))
            tools = spans.tool_names(row["tools"])
            measured.append(spans.measure_ids(tokenizer.decode, item["input_ids"].tolist(), labels, pieces, tools))
        return spans.total(measured, len(rows), len(loaded))


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print("\n" + json.dumps(answer))
