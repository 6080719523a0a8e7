# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Loads an export with LLaMA-Factory's own dataset code, and prints what it would train on as JSON."""

from __future__ import annotations

import importlib.machinery
import json
import os
import re
import shutil
import sys
import tempfile
import types
from pathlib import Path

import spans
import tiny

HERE = Path(__file__).parent
os.environ.update(DISABLE_VERSION_CHECK="1")
_CALLED = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)


def without_audio() -> None:
    """Stand in for torchaudio, which is imported for audio data only and has no build for every torch."""
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError):
        absent = types.ModuleType("torchaudio")
        absent.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
        sys.modules["torchaudio"] = absent


def main(file: str, profile: str, model: str, limit: int) -> dict:
    """Load `file` by its entry in the dataset_info.json beside it, at most `limit` rows of it measured."""
    without_audio()
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from transformers import AutoTokenizer

    ranking = profile == "llamafactory_dpo"
    path = Path(file)
    with tempfile.TemporaryDirectory() as scratch:
        base = model or tiny.build(f"{scratch}/tiny")
        info = json.loads((path.parent / "dataset_info.json").read_text(encoding="utf-8"))
        name = next(name for name, entry in info.items() if entry.get("file_name") == path.name)
        folder = Path(scratch, "data")
        folder.mkdir()
        shutil.copy(path, folder)
        (folder / "dataset_info.json").write_text(json.dumps({name: info[name]}))
        arguments = {
            "stage": "dpo" if ranking else "sft", "model_name_or_path": base, "dataset_dir": str(folder),
            "dataset": name, "template": "qwen", "cutoff_len": 131072, "output_dir": f"{scratch}/out",
            "do_train": True, "finetuning_type": "full", "report_to": "none", "use_cpu": True, "log_level": "error",
        }  # fmt: skip
        models, data, training, _, _ = get_train_args(arguments)
        training.log_level = "error"
        type(training).should_log = property(lambda _self: False)  # it would print a whole row of token ids
        tokenizer = AutoTokenizer.from_pretrained(base)
        template = get_template_and_fix_tokenizer(tokenizer, data)
        stage = "rm" if ranking else "sft"
        loaded = get_dataset(template, models, data, training, stage=stage, tokenizer=tokenizer)["train_dataset"]
        with Path(file).open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        measured = []
        for row, source in zip(loaded, rows, strict=False):
            measured += rank(tokenizer, row, source) if ranking else [plain(tokenizer, row, source)]
            if len(measured) >= limit:
                break
        return spans.total(measured, len(rows), len(loaded))


def pieces(turns: list, trained: list) -> list:
    """The texts of ShareGPT turns in order."""
    roles = {"human": "user", "observation": "tool", "gpt": "assistant", "function_call": "assistant"}
    messages = []
    for turn in turns:
        message = {"role": roles.get(turn["from"], turn["from"]), "content": turn["value"]}
        if turn["from"] == "function_call":
            block = _CALLED.search(turn["value"])
            assert block is not None
            calls = json.loads(block[1])
            message["content"] = turn["value"].replace(block[0], "")
            message["tool_calls"] = [{"function": call} for call in calls]
        messages.append(message)
    return spans.pieces_of_messages(messages, trained)


def plain(tokenizer, row, source) -> dict:
    """One row of supervised training."""
    turns = source["conversations"]
    learned = pieces(turns, [turn["from"] in ("gpt", "function_call") for turn in turns])
    return spans.measure_ids(
        tokenizer.decode, row["input_ids"], row["labels"], learned, spans.tool_names(source["tools"])
    )


def rank(tokenizer, row, source) -> list:
    """The two sides of a preference row."""
    measured = []
    for name in ("chosen", "rejected"):
        turns = [*source["conversations"], source[name]]
        learned = pieces(turns, [False] * len(source["conversations"]) + [True])
        ids, labels = row[f"{name}_input_ids"], row[f"{name}_labels"]
        measured.append(spans.measure_ids(tokenizer.decode, ids, labels, learned, spans.tool_names(source["tools"])))
    return measured


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print("\n" + json.dumps(answer))
