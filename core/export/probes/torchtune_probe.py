# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Has torchtune's own config name the dataset beside an export, as a recipe does, and prints what its collator would
train on as JSON."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from string import Template

import spans
import tiny

SNIPPETS = Path(__file__).parents[1] / "snippets"


def main(file: str, profile: str, model: str, limit: int) -> dict:
    """Load `file`, at most `limit` rows of it measured."""
    from omegaconf import OmegaConf
    from torchtune import config
    from torchtune.data import padded_collate_sft

    with tempfile.TemporaryDirectory() as scratch:
        os.environ["HF_DATASETS_CACHE"] = f"{scratch}/cache"
        text = Template((SNIPPETS / "torchtune_rows.py.txt").read_text(encoding="utf-8"))
        named = {"train": repr(file), "val": "''", "template": repr(str(SNIPPETS / "chatml.jinja"))}
        Path(scratch, "beside_torchtune.py").write_text(text.substitute(named, module="beside_torchtune"))
        os.chdir(scratch)
        base = model or tiny.build(f"{scratch}/tiny")
        dataset = {"_component_": "beside_torchtune.train", "packed": False, "model": base, "longest": 1 << 30}
        loaded = config.instantiate(OmegaConf.create(dataset), None)
        tokenizer = loaded._model_transform.tokenizer
        with Path(file).open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        measured = []
        for number, row in enumerate(rows[: min(limit, len(loaded))]):
            batch = padded_collate_sft([loaded[number]])
            pieces = spans.pieces_of_messages(json.loads(row["messages"]))
            ids, labels = batch["tokens"][0].tolist(), batch["labels"][0].tolist()
            tools = spans.tool_names(row["tools"])
            measured.append(spans.measure_ids(tokenizer.decode, ids, labels, pieces, tools))
        return spans.total(measured, len(rows), len(loaded))


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print("\n" + json.dumps(answer))
