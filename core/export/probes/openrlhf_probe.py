# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Has the script beside an export make its rows, loads them with OpenRLHF's own dataset, and prints what it would train
on as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from string import Template
from types import SimpleNamespace

import spans
import tiny

HERE = Path(__file__).parent


def main(file: str, profile: str, model: str, limit: int) -> dict:
    """Load `file`, at most `limit` rows of it measured: one for each turn that is learned."""
    from openrlhf.datasets import SFTDataset
    from openrlhf.datasets.utils import blending_datasets
    from transformers import AutoTokenizer

    text = (HERE.parent / "snippets/openrlhf_rows.py.txt").read_text(encoding="utf-8")
    script: dict = {"__name__": "beside", "__file__": file}
    template = str(HERE.parent / "snippets/chatml.jinja")
    exec(compile(Template(text).substitute(files="{}", template=repr(template)), "openrlhf_rows", "exec"), script)
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = AutoTokenizer.from_pretrained(model or tiny.build(f"{scratch}/tiny"))
        target = Path(scratch, "turns.jsonl")
        count = script["write"](Path(file), target, tokenizer)
        named = SimpleNamespace(input_key="input", output_key="output", apply_chat_template=False)
        strategy = SimpleNamespace(
            args=SimpleNamespace(data=named, use_ms=False), print=lambda *_: None, is_rank_0=lambda: False
        )
        loaded = SFTDataset(
            blending_datasets(str(target), strategy=strategy), tokenizer, 131072, strategy, num_processors=1
        )
        with Path(file).open(encoding="utf-8") as lines:
            learned = [turn for line in lines for turn in pieces_by_turn(json.loads(line))]
        measured = []
        for number, (pieces, tools) in enumerate(learned[:limit]):
            ids, _, mask = loaded[number]
            labels = [-100, *(token if bit else -100 for token, bit in zip(ids[0][1:], mask[0][:-1], strict=True))]
            measured.append(spans.measure_ids(tokenizer.decode, ids[0].tolist(), labels, pieces, tools))
        return spans.total(measured, max(count, len(learned)), len(loaded))


def pieces_by_turn(row: dict) -> list:
    """For each turn that is to be learned what its row says, and the tools that stand in it."""
    tools = spans.tool_names(row.get("tools"))
    turns = []
    for position, message in enumerate(row["messages"]):
        if message["role"] == "assistant" and message.get("train") is not False:
            until = row["messages"][: position + 1]
            turns.append((spans.pieces_of_messages(until, [False] * position + [True]), tools))
    return turns


if __name__ == "__main__":
    answer = main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print("\n" + json.dumps(answer))
