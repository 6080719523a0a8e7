# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Loads an export with Oumi's own dataset and collator, as the YAML beside it says, and prints what it would train on
as JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import spans
import tiny

os.environ.update(DO_NOT_TRACK="1", OUMI_LOGGING_DIR="")


def main(file: str, profile: str, model: str, limit: int) -> dict:
    """Load `file` by the YAML beside it, at most `limit` rows of it measured."""
    from omegaconf import OmegaConf
    from oumi.builders.collators import build_collator_from_config
    from oumi.builders.data import build_dataset_mixture
    from oumi.builders.models import build_tokenizer
    from oumi.core.configs import DatasetSplit, TrainingConfig

    path = Path(file)
    stem = next(
        stem for stem in (path.stem, path.stem.rpartition("_")[0]) if (path.parent / f"{stem}.oumi.yaml").exists()
    )
    with tempfile.TemporaryDirectory() as scratch:
        base = model or tiny.build(f"{scratch}/tiny")
        if not Path(base, "config.json").exists():  # a tokenizer alone: Oumi asks what model it is of
            shutil.copytree(base, f"{scratch}/whole")
            shutil.copy(Path(tiny.build(f"{scratch}/tiny"), "config.json"), f"{scratch}/whole")
            base = f"{scratch}/whole"
        config = OmegaConf.to_object(
            OmegaConf.merge(
                OmegaConf.structured(TrainingConfig),
                OmegaConf.load(path.parent / f"{stem}.oumi.yaml"),
                {"model": {"model_name": base, "model_max_length": 131072}},
            )
        )
        config.data.train.datasets[0].dataset_path = file
        tokenizer = build_tokenizer(config.model)
        loaded = build_dataset_mixture(config.data, tokenizer, DatasetSplit.TRAIN)
        collate = build_collator_from_config(config, tokenizer)
        with path.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        measured = []
        for row, source in zip(loaded, rows, strict=False):
            batch = collate([row])
            pieces = spans.pieces_of_messages(source["messages"])
            tools = spans.tool_names(source.get("tools"))
            ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
            measured.append(spans.measure_ids(tokenizer.decode, ids, labels, pieces, tools))
            if len(measured) >= limit:
                break
        return spans.total(measured, len(rows), len(loaded))


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print("\n" + json.dumps(answer))
