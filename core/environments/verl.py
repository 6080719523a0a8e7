# pyright: basic, reportMissingImports=false
"""Episodes for verl: the rows of its data set, the tools on each trajectory's session, and an agent loop that scores
it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ConfigDict
from verl.experimental.agent_loop.agent_loop import AgentLoopOutput
from verl.experimental.agent_loop.tool_agent_loop import ToolAgentLoop
from verl.tools.base_tool import BaseTool
from verl.tools.schemas import (
    OpenAIFunctionParametersSchema,
    OpenAIFunctionPropertySchema,
    OpenAIFunctionSchema,
    OpenAIFunctionToolSchema,
    ToolResponse,
)

from core.episodes.episode import Episode
from core.episodes.tasks import Task, task_of
from core.workspace import open_workspace

AGENT = "sensorloom"
"""What the agent loop is called in verl's configuration."""
ROWS, TOOLS, LOOPS = "sessions.parquet", "tools.yaml", "agent_loops.yaml"


class Property(OpenAIFunctionPropertySchema):
    """A parameter with all that its schema says; verl's own drops what a list holds."""

    model_config = ConfigDict(extra="allow")


class Parameters(OpenAIFunctionParametersSchema):
    """Parameters, whole."""

    model_config = ConfigDict(extra="allow")

    properties: dict[str, Property]


class Function(OpenAIFunctionSchema):
    """A function, its parameters whole."""

    parameters: Parameters


class ToolSchema(OpenAIFunctionToolSchema):
    """A tool, whole."""

    function: Function


class SessionTool(BaseTool):
    """A tool of sessions, carried out on that of the trajectory it is called in."""

    def __init__(self, config: dict[str, Any], tool_schema: Any) -> None:
        super().__init__(config, ToolSchema.model_validate(config["schema"]))

    async def execute(
        self, instance_id: str, parameters: dict[str, Any], **kwargs: Any
    ) -> tuple[ToolResponse, float, dict[str, Any]]:
        """Carry out a call. What is wrong with it is told by its result."""
        return ToolResponse(text=_episode(kwargs["agent_data"]).call(self.name, parameters)), 0.0, {}


class SessionLoop(ToolAgentLoop):
    """verl's own loop with tools; its reward is the score of the conversation."""

    async def _handle_pending_state(self, agent_data: Any, sampling_params: dict[str, Any]) -> Any:
        self._data = agent_data  # a loop runs one trajectory
        return await super()._handle_pending_state(agent_data, sampling_params)

    async def run(self, sampling_params: dict[str, Any], priority: int = 0, **kwargs: Any) -> AgentLoopOutput:
        """Run a trajectory, and score it."""
        output = await super().run(sampling_params, priority, **kwargs)
        score = _episode(self._data).score(as_messages(self._data.messages))
        output.reward_score = score.value
        output.extra_fields["reward_extra_info"] = dict(score.parts)
        return output


def rows(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """The rows of a data set: each task's prompt, and what makes the task of it again. No row holds an answer."""
    return [
        {
            "data_source": f"sensorloom/{task.dataset}",
            "agent_name": AGENT,
            "prompt": Episode(task).messages,
            "extra_info": {
                "index": number,
                "need_tools_kwargs": True,
                "tools_kwargs": {"workspace": str(task.workspace.root), "task": json.dumps(task.row())},
            },
        }
        for number, task in enumerate(tasks)
    ]


def prepare(folder: str | Path, tasks: Sequence[Task]) -> list[str]:
    """Write the data set and verl's configuration of the tools and the loop into a folder.

    Returns:
        What to give `python -m verl.trainer.main_ppo` beside a model and its settings.
    """
    home = Path(folder).absolute()
    home.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows(tasks)), home / ROWS)
    tools = [
        {"class_name": _name(SessionTool), "config": {"type": "native", "schema": schema}}
        for schema in Episode(tasks[0]).tools
    ]
    (home / TOOLS).write_text(json.dumps({"tools": tools}, indent=1), encoding="utf-8")  # JSON is YAML
    (home / LOOPS).write_text(json.dumps([{"name": AGENT, "_target_": _name(SessionLoop)}]), encoding="utf-8")
    rollout = "actor_rollout_ref.rollout"
    return [
        f"data.train_files={home / ROWS}",
        f"{rollout}.agent.agent_loop_config_path={home / LOOPS}",
        f"{rollout}.agent.default_agent_loop={AGENT}",
        f"{rollout}.multi_turn.enable=True",
        f"{rollout}.multi_turn.tool_config_path={home / TOOLS}",
        f"{rollout}.multi_turn.max_parallel_calls=16",  # by default verl drops all but one, and cuts long results
        f"{rollout}.multi_turn.max_tool_response_length=100000",
    ]


def as_messages(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was said, in OpenAI's form: calls with ids, which their results name."""
    plain: list[dict[str, Any]] = []
    waiting: list[str] = []
    for position, message in enumerate(messages):
        if message["role"] == "tool":
            plain.append({**message, "tool_call_id": waiting.pop(0)})
            continue
        calls = [
            {**call, "id": f"call_{position}_{number}", "function": _function(call["function"])}
            for number, call in enumerate(message.get("tool_calls") or ())
        ]
        waiting = [call["id"] for call in calls]
        plain.append({**message, "tool_calls": calls} if calls else dict(message))
    return plain


def _function(function: dict[str, Any]) -> dict[str, Any]:
    arguments = function["arguments"]
    return {**function, "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)}


def _episode(agent_data: Any) -> Episode:
    """The episode of a trajectory, opened when it is first asked for."""
    if not hasattr(agent_data, "episode"):
        about = agent_data.tools_kwargs
        agent_data.episode = Episode(task_of(open_workspace(about["workspace"]), json.loads(about["task"])))
    return agent_data.episode


def _name(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
