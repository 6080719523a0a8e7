# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Loads an export with Axolotl's own dataset code, and prints what it would train on as JSON."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import spans
import tiny

HERE = Path(__file__).parent
os.environ.update(AXOLOTL_DO_NOT_TRACK="1", DO_NOT_TRACK="1")


def main(file: str, profile: str, model: str, limit: int) -> dict:
    """Load `file` as the YAML beside the export says, at most `limit` rows of it measured."""
    import yaml
    from axolotl.loaders import load_tokenizer
    from axolotl.utils.data.sft import prepare_datasets
    from axolotl.utils.dict import DictDefault

    entry = (HERE.parent / "snippets/axolotl_dataset.yaml").read_text(encoding="utf-8").replace("$path", file)
    with tempfile.TemporaryDirectory() as scratch:
        base = model or tiny.build(f"{scratch}/tiny")
        config = DictDefault(
            {
                **yaml.safe_load("datasets:\n" + entry + "chat_template: tokenizer_default\n"),
                "base_model": base,
                "tokenizer_config": base,
                "sequence_len": 131072,
                "micro_batch_size": 1,
                "gradient_accumulation_steps": 1,
                "batch_size": 1,
                "num_epochs": 1,
                "val_set_size": 0,
                "seed": 1,
                "world_size": 1,
                "dataset_prepared_path": f"{scratch}/prepared",
                "dataset_num_proc": 1,
                "shuffle_merged_datasets": False,
            }
        )
        tokenizer = load_tokenizer(config)
        loaded = prepare_datasets(config, tokenizer)[0]
        with Path(file).open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        measured = []
        for row, source in zip(loaded, rows, strict=False):
            pieces = spans.pieces_of_messages(source["messages"])
            tools = spans.tool_names(source.get("tools"))
            measured.append(spans.measure_ids(tokenizer.decode, row["input_ids"], row["labels"], pieces, tools))
            if len(measured) >= limit:
                break
        return spans.total(measured, len(rows), len(loaded))


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print("\n" + json.dumps(answer))
