# pyright: basic, reportMissingImports=false, reportArgumentType=false
# pyright: reportOptionalSubscript=false, reportIndexIssue=false
"""Two steps of TRL's GRPO on sessions, on the CPU, with a model of a few numbers whose words come from a script. Prints
what happened as JSON. Runs in TRL's environment: `trl_grpo.py WORKSPACE OUTPUT`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import ClassVar

import torch
import trl
from datasets import Dataset
from sensorloom import open_workspace, tasks
from sensorloom.core.environments import trl as sensors
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM
from trl import GRPOConfig, GRPOTrainer

CALL = '<tool_call>\n{"name": "detect_periodicity", "arguments": {"channel_names": ["acc_x"]}}\n</tool_call>'
WRONG = '<tool_call>\n{"name": "detect_periodicity", "arguments": {"channel": 1}}\n</tool_call>'
ANSWER = "So it is.\n\nConfidence: low\nFinal Answer: "
MARKS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tool_call>", "</tool_call>", "<tool_response>",
         "</tool_response>", "<think>", "</think>"]  # fmt: skip


def tokenizer_of(texts: list[str]) -> PreTrainedTokenizerFast:
    """A tokenizer made of these texts, with the template of Qwen3."""
    bytewise = Tokenizer(models.BPE())
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bytewise.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=3000, initial_alphabet=alphabet))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytewise, eos_token="<|im_end|>", pad_token="<|endoftext|>",
        additional_special_tokens=[], clean_up_tokenization_spaces=False,
    )  # fmt: skip
    tokenizer.add_tokens(MARKS)
    tokenizer.chat_template = (Path(trl.__file__).parent / "chat_templates/qwen3.jinja").read_text()
    return tokenizer


class Scripted(Qwen3ForCausalLM):
    """Says what the script has; learns as any model does."""

    script: ClassVar[dict] = {}

    def generate(self, input_ids=None, attention_mask=None, generation_config=None, **_):
        """A call, rightly or wrongly written, and after its result an answer, right or wrong."""
        tokenizer, prompts = self.script["tokenizer"], self.script["prompts"]
        texts = []
        for row, line in enumerate(input_ids):
            prompt = tokenizer.decode(line[attention_mask[row].bool()])
            prompts.append(prompt)
            answers = prompt.rpartition("<|im_start|>user\n<tool_response>")[1]
            texts.append(
                (ANSWER + self.script["answers"][row % 2] if answers else (CALL, WRONG)[row % 2]) + "<|im_end|>"
            )
        encoded = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
        width = max(map(len, encoded))
        padded = [ids + [tokenizer.pad_token_id] * (width - len(ids)) for ids in encoded]
        return torch.cat([input_ids, torch.tensor(padded)], dim=1)


def main(root: str, output: str) -> dict:
    """Train two steps."""
    workspace = open_workspace(root)
    some = tasks(workspace, "demo", "train", count=10, seed=1)
    rows = sensors.rows(some)
    tokenizer = tokenizer_of([message["content"] for row in rows for message in row["prompt"]])
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=32768, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, bos_token_id=None,
    )  # fmt: skip
    model = Scripted(config)
    before = model.lm_head.weight.detach().clone()
    prompts: list[str] = []
    Scripted.script = {"tokenizer": tokenizer, "prompts": prompts, "answers": ("walking", "sitting")}
    rewards: list[float] = []
    conversations: list[dict] = []

    def reward(completions, environments, **rest):
        values = sensors.reward(completions, environments, **rest)
        rewards.extend(values)
        for completion, environment in zip(completions, environments, strict=True):
            row = environment._episode.task.row()
            conversations.append({"row": row, "messages": json.loads(json.dumps(completion))})
        return values

    settings = GRPOConfig(
        output_dir=output, max_steps=2, per_device_train_batch_size=10, num_generations=2, max_completion_length=1500,
        use_cpu=True, report_to=[], save_strategy="no", logging_steps=1, bf16=False, learning_rate=0.1, beta=0.0,
        gradient_checkpointing=False, max_tool_calling_iterations=3, chat_template_kwargs={"enable_thinking": False},
    )  # fmt: skip
    trainer = GRPOTrainer(
        model=model, args=settings, train_dataset=Dataset.from_list(rows), processing_class=tokenizer,
        reward_funcs=[reward], environment_factory=sensors.environment(workspace, some[0]),
    )  # fmt: skip
    trainer.train()
    return {
        "steps": trainer.state.global_step,
        "moved": not torch.equal(before, model.lm_head.weight.detach().cpu()),
        "losses": [entry["loss"] for entry in trainer.state.log_history if "loss" in entry],
        "rewards": rewards,
        "conversations": conversations,
        "prompts": prompts,
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
