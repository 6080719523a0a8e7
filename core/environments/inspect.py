# pyright: basic, reportMissingImports=false
"""Episodes for Inspect (`inspect_ai`): a task whose samples are sessions, its tools those of each, its score ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolDef, ToolParams

from core.episodes.episode import Episode
from core.episodes.tasks import Task as Question
from core.episodes.tasks import task_of
from core.workspace import Workspace


def sessions(workspace: Workspace, tasks: Sequence[Question]) -> Task:
    """An Inspect task of these tasks. Its samples hold no answer: the score looks it up."""
    samples = [Sample(input=_opening(Episode(task)), id=task.id, metadata=task.row()) for task in tasks]
    name = f"sensorloom_{tasks[0].dataset}"
    return Task(
        dataset=MemoryDataset(samples, name=name), solver=read_session(workspace), scorer=worth(workspace), name=name
    )


@solver
def read_session(workspace: Workspace) -> Solver:
    """Let the model call the sample's tools until it calls none."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        episode = Episode(task_of(workspace, state.metadata))
        state.tools = [_tool(episode, schema["function"]) for schema in episode.tools]
        return await generate(state, tool_calls="loop")

    return solve


@scorer(metrics={"*": [mean(), stderr()]})
def worth(workspace: Workspace) -> Any:
    """The score of the whole conversation, and each of its parts."""

    async def score(state: TaskState, target: Target) -> Score:
        episode = Episode(task_of(workspace, state.metadata))
        worth = episode.score([as_message(message) for message in state.messages])
        return Score(value={"score": worth.value, **worth.parts}, answer=worth.answer)

    return score


def as_message(message: ChatMessage) -> dict[str, Any]:
    """An Inspect message in OpenAI's form."""
    plain: dict[str, Any] = {"role": message.role, "content": message.text}
    if calls := getattr(message, "tool_calls", None):
        plain["tool_calls"] = [
            {"id": call.id, "type": "function",
             "function": {"name": call.function, "arguments": json.dumps(call.arguments)}}
            for call in calls
        ]  # fmt: skip
    if message.role == "tool":
        plain["tool_call_id"] = message.tool_call_id
        if message.error is not None:
            plain["content"] = message.error.message
    return plain


def _opening(episode: Episode) -> list[ChatMessage]:
    *system, question = episode.messages
    told = [ChatMessageSystem(content=message["content"]) for message in system]
    return [*told, ChatMessageUser(content=question["content"])]


def _tool(episode: Episode, schema: dict[str, Any]) -> Any:
    """A tool as Inspect has them, under its own schema: what is wrong with a call is told by its result."""

    async def execute(**arguments: Any) -> str:
        return episode.call(schema["name"], arguments)

    described = {"type": "object", **schema["parameters"], "additionalProperties": False}
    for name, parameter in described["properties"].items():
        described["properties"][name] = {"description": name, **parameter}
    parameters = ToolParams.model_validate(described)
    return ToolDef(execute, schema["name"], schema["description"], parameters).as_tool()
