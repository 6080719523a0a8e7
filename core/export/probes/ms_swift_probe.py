# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Loads an export with ms-swift's own dataset and template code, and prints what it would train on as JSON."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import spans
import tiny

os.environ.update(USE_HF="1", MODELSCOPE_OFFLINE="1")


def main(file: str, profile: str, model: str, limit: int) -> dict:
    """Load `file` with `agent_template: hermes`, at most `limit` rows of it measured."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MODELSCOPE_CACHE"] = scratch
        os.environ["HF_DATASETS_CACHE"] = f"{scratch}/cache"
        from swift.dataset import load_dataset
        from swift.model import get_processor
        from swift.template import get_template

        base = model or tiny.build(f"{scratch}/tiny")
        processor = get_processor(base, model_type="qwen2")
        template = get_template(processor, template_type="qwen2_5", agent_template="hermes", max_length=131072)
        template.set_mode("train")
        with Path(file).open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        loaded = load_dataset([file], num_proc=1, load_from_cache_file=False, strict=False)[0]
        measured = []
        for row, source in zip(loaded, rows, strict=False):
            encoded = template.encode(dict(row))
            pieces = spans.pieces_of_messages(
                [{**message, "train": message.get("loss")} for message in source["messages"]]
            )
            tools = spans.tool_names(source.get("tools"))
            decode = template.tokenizer.decode
            measured.append(spans.measure_ids(decode, encoded["input_ids"], encoded["labels"], pieces, tools))
            if len(measured) >= limit:
                break
        return spans.total(measured, len(rows), len(loaded))


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print("\n" + json.dumps(answer))
