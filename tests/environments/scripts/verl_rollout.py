# pyright: basic, reportMissingImports=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""Ten trajectories of verl's own agent loop on sessions, against a server whose words come from a script. Prints what
happened as JSON. Runs in verl's environment: `verl_rollout.py WORKSPACE OUTPUT`."""

from __future__ import annotations

import asyncio
import json
import sys
from importlib.resources import files
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "core/export/probes"))

import tiny
from hydra import compose, initialize_config_dir
from sensorloom import open_workspace, tasks
from sensorloom.core.environments import verl as sensors
from verl import DataProto
from verl.experimental.agent_loop.agent_loop import AgentLoopWorker
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn
from verl.workers.rollout.replica import TokenOutput

CALL = '<tool_call>\n{"name": "detect_periodicity", "arguments": {"channel_names": ["acc_x"]}}\n</tool_call>'
WRONG = '<tool_call>\n{"name": "detect_periodicity", "arguments": {"channel": 1}}\n</tool_call>'
ANSWER = "So it is.\n\nConfidence: low\nFinal Answer: "


class Script:
    """In the place of verl's client of a server: a call, right or wrong, or two at once, and then an answer."""

    def __init__(self, tokenizer) -> None:
        self.tokenizer, self.prompts = tokenizer, []

    async def generate(self, request_id, prompt_ids, sampling_params, **_):
        """What is said to a prompt."""
        prompt = self.tokenizer.decode(prompt_ids)
        self.prompts.append(prompt)
        chosen = len(prompt.partition("<tool_response>")[0]) % 3
        text = (
            ANSWER + ("walking", "sitting")[chosen % 2]
            if "<tool_response>" in prompt
            else (CALL, WRONG, CALL + WRONG)[chosen]
        )
        return TokenOutput(token_ids=self.tokenizer.encode(f"{text}<|im_end|>", add_special_tokens=False))


def main(root: str, output: str) -> dict:
    """Roll out."""
    some = tasks(open_workspace(root), "demo", "train", count=10, seed=1)
    model = tiny.build(f"{output}/model")
    settings = [
        *sensors.prepare(output, some),
        f"actor_rollout_ref.model.path={model}",
        "actor_rollout_ref.rollout.name=vllm",
        "actor_rollout_ref.rollout.multi_turn.format=hermes",
        "data.max_prompt_length=32768",
        "data.max_response_length=16384",
    ]
    with initialize_config_dir(str(files("verl.trainer").joinpath("config")), version_base=None):
        config = compose("ppo_trainer", overrides=settings)
    conversations: list[dict] = []
    run = sensors.SessionLoop.run

    async def told(loop, *arguments, **rest):
        answer = await run(loop, *arguments, **rest)
        row = json.loads(loop._data.tools_kwargs["task"])
        conversations.append(
            {"row": row, "messages": sensors.as_messages(loop._data.messages), "reward": answer.reward_score}
        )
        return answer

    sensors.SessionLoop.run = told
    script = Script(None)
    worker = AgentLoopWorker(config, script)
    script.tokenizer = worker.tokenizer
    rows = RLHFDataset([config.data.train_files], worker.tokenizer, config.data)
    batch = DataProto.from_single_dict(collate_fn([rows[number] for number in range(len(rows))]))
    trained = asyncio.run(worker.generate_sequences(batch))
    return {
        "rewards": [conversation.pop("reward") for conversation in conversations],
        "conversations": conversations,
        "prompts": script.prompts,
        "in_batch": sorted(trained.batch["rm_scores"].sum(-1).tolist()),
        "masked": (trained.batch["response_mask"].sum() < trained.batch["attention_mask"].sum()).item(),
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
