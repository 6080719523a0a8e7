# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Has the script beside an export load it, passes that through Unsloth's own preparation for `SFTTrainer`, and prints
what it would train on as JSON. Unsloth's training needs a GPU; what it does to rows does not."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from string import Template
from types import SimpleNamespace

os.environ["UNSLOTH_ZOO_DISABLE_GPU_INIT"] = "1"

import spans
import tiny

SCRIPT = Path(__file__).parents[1] / "snippets/trl_sft.py.txt"


def main(file: str, profile: str, model: str, limit: int) -> dict:
    """Load `file`, at most `limit` rows of it measured."""
    from transformers import AutoTokenizer
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling
    from unsloth_zoo.dataset_utils import sft_prepare_dataset

    script: dict = {"__name__": "recipe", "__file__": file}
    text = Template(SCRIPT.read_text(encoding="utf-8"))
    exec(compile(text.substitute(train=repr(Path(file).name), val="''", template="''"), "trl_sft", "exec"), script)
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = AutoTokenizer.from_pretrained(model or tiny.build(f"{scratch}/tiny"))
        rows = script["load"](Path(file).name, tokenizer, script["template_for"](tokenizer))
        trainer = SimpleNamespace(data_collator=None, model=None)
        settings = SimpleNamespace(max_length=131072, dataset_num_proc=1)
        loaded = sft_prepare_dataset(trainer, rows, tokenizer, settings, False, None, "train")
        collate = trainer.data_collator or DataCollatorForLanguageModeling(tokenizer.pad_token_id)  # TRL's, unless set
        with Path(file).open(encoding="utf-8") as lines:
            sources = [json.loads(line) for line in lines]
        measured = []
        for row, source in zip(loaded, sources[:limit], strict=False):
            batch = collate([row])
            ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
            pieces = spans.pieces_of_messages(source["messages"])
            tools = spans.tool_names(source.get("tools"))
            measured.append(spans.measure_ids(tokenizer.decode, ids, labels, pieces, tools))
        return spans.total(measured, len(sources), len(loaded))


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print("\n" + json.dumps(answer))
