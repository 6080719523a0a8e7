# pyright: basic, reportMissingImports=false
"""Inspect on ten sessions with a scripted model. Prints what happened as JSON. Runs in Inspect's environment:
`inspect_eval.py WORKSPACE OUTPUT`."""

from __future__ import annotations

import json
import sys

from inspect_ai import eval as evaluate
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.model._providers.mockllm import MockLLM
from sensorloom import open_workspace, tasks
from sensorloom.core.environments.inspect import as_message, sessions

ANSWER = "So it is.\n\nConfidence: low\nFinal Answer: walking"


async def counted(self, text: str) -> int:
    """Tokens, roughly."""
    return len(text) // 4


def reward_of(scores) -> float:
    """The score among the parts."""
    (worth,) = scores.values()
    return worth.value["score"]


def main(root: str, output: str) -> dict:
    """Evaluate."""
    MockLLM.count_text_tokens = counted  # the usual count fetches a vocabulary from the network
    workspace = open_workspace(root)
    prompts: list[str] = []

    def say(messages, tools, choice, config):
        prompts.append(
            "\n".join([*(message.text for message in messages), *(tool.model_dump_json() for tool in tools)])
        )
        turns = sum(message.role == "assistant" for message in messages)
        calls = (("detect_periodicity", {"channel_names": ["acc_x"]}), ("detect_periodicity", {"channel": 1}))
        if turns < len(calls):
            return ModelOutput.for_tool_call("mockllm/model", *calls[turns])
        return ModelOutput.from_content("mockllm/model", ANSWER)

    task = sessions(workspace, tasks(workspace, "demo", "train", count=10, seed=1))
    model = get_model("mockllm/model", custom_outputs=say)
    (log,) = evaluate(task, model=model, log_dir=output, display="none", max_samples=2)
    return {
        "status": log.status,
        "error": log.error and log.error.message,
        "rewards": [reward_of(sample.scores) for sample in log.samples or ()],
        "conversations": [
            {"row": sample.metadata, "messages": [as_message(message) for message in sample.messages]}
            for sample in log.samples or ()
        ],
        "prompts": prompts,
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
