# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Loads an export with TRL's own trainers, and prints what they would train on as JSON. Runs in TRL's environment."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from string import Template

import spans
import tiny
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM


def main(file: str, profile: str, model: str, limit: int) -> dict:
    """Load `file`, at most `limit` rows of it measured."""
    from datasets import load_dataset

    with tempfile.TemporaryDirectory() as scratch:
        folder = tiny.build(f"{scratch}/tiny")
        tokenizer = AutoTokenizer.from_pretrained(model or folder)
        small = f"{scratch}/model"
        config = Qwen2Config(
            vocab_size=len(tokenizer), hidden_size=8, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=1, num_key_value_heads=1, bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
        )  # fmt: skip
        Qwen2ForCausalLM(config).save_pretrained(small)
        options = {"output_dir": f"{scratch}/out", "max_length": None, "report_to": [], "use_cpu": True}
        rows_in = sum(1 for _ in Path(file).open("rb"))
        rows = load_dataset("json", data_files=file, split="train", cache_dir=f"{scratch}/cache")
        if profile == "hf":
            measured, loaded = sft(file, rows, small, tokenizer, options)
        elif profile == "trl_dpo":
            measured, loaded = dpo(rows, small, tokenizer, options)
        else:
            measured, loaded = kto(rows, small, tokenizer, options)
        return spans.total(measured[:limit], rows_in, loaded)


def sft(file: str, rows, model, tokenizer, options) -> tuple[list, int]:
    """What SFTTrainer gets when fed as the script beside the export feeds it."""
    from trl import SFTConfig, SFTTrainer

    source = (Path(__file__).parents[1] / "snippets/trl_sft.py.txt").read_text(encoding="utf-8")
    script: dict = {"__name__": "recipe", "__file__": file}
    exec(
        compile(Template(source).substitute(train=repr(Path(file).name), val="''", template="''"), "trl_sft", "exec"),
        script,
    )
    template = script["template_for"](tokenizer)
    dataset = script["load"](Path(file).name, tokenizer, template)
    trainer = SFTTrainer(model=model, args=SFTConfig(**options), train_dataset=dataset, processing_class=tokenizer)
    loaded = trainer.train_dataset
    measured = []
    for row, source in zip(loaded, rows, strict=False):
        pieces = spans.pieces_of_messages(source["messages"])
        tools = spans.tool_names(source.get("tools"))
        measured.append(spans.measure_ids(tokenizer.decode, row["input_ids"], row["labels"], pieces, tools))
    return measured, len(loaded)


def side(tokenizer, prompt_ids, side_ids, messages, tools) -> dict:
    """One side of a preference row: the completion's tokens are trained, the prompt's are not."""
    pieces = spans.pieces_of_messages(messages, [False] * (len(messages) - 1) + [True])
    ids = list(prompt_ids) + list(side_ids)
    labels = [-100] * len(prompt_ids) + [0] * len(side_ids)
    return spans.measure_ids(tokenizer.decode, ids, labels, pieces, spans.tool_names(tools))


def dpo(rows, model, tokenizer, options) -> tuple[list, int]:
    """What DPOTrainer compares."""
    from trl import DPOConfig, DPOTrainer

    trainer = DPOTrainer(model=model, args=DPOConfig(**options), train_dataset=rows, processing_class=tokenizer)
    measured = []
    for row in trainer.train_dataset:
        for name in ("chosen", "rejected"):
            messages = row["prompt"] + row[name]
            measured.append(side(tokenizer, row["prompt_ids"], row[f"{name}_ids"], messages, row.get("tools")))
    return measured, len(trainer.train_dataset)


def kto(rows, model, tokenizer, options) -> tuple[list, int]:
    """What KTOTrainer judges."""
    from trl import KTOConfig, KTOTrainer

    trainer = KTOTrainer(model=model, args=KTOConfig(**options), train_dataset=rows, processing_class=tokenizer)
    measured = [
        side(tokenizer, row["prompt_ids"], row["completion_ids"], row["prompt"] + row["completion"], row.get("tools"))
        for row in trainer.train_dataset
    ]
    return measured, len(trainer.train_dataset)


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print("\n" + json.dumps(answer))
