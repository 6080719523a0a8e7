"""The file by which Inspect (`pip install inspect-ai`) runs an evaluation's sessions with its own `eval`."""

from __future__ import annotations

from core.evaluation.contest import Evaluation, folder_of
from core.storage.atomic import write_atomic
from core.workspace import Workspace

FILE = "inspect_task.py"

_TASK = '''"""The sessions of the evaluation {name}, asked by Inspect: the same questions, tools, seeds and scorer.

    inspect eval inspect_task.py --model openai/NAME
    inspect eval inspect_task.py --model openai/NAME -T with_tools=false

It runs where sensorloom is installed beside inspect-ai. Written by `sensorloom evaluate {name} --inspect`.
"""

from pathlib import Path
from typing import Any

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import CORRECT, INCORRECT, Score, accuracy, scorer, stderr
from inspect_ai.solver import solver
from inspect_ai.tool import ToolDef, ToolParams

from core.evaluation.asked import MAX_NUDGES, NUDGE, asked_sessions

WORKSPACE = Path(__file__).resolve().parents[2]
EVALUATION = Path(__file__).resolve().parent.name


@task
def {task}(with_tools: bool = True) -> Task:
    sessions = {{each.name: each for each in asked_sessions(WORKSPACE, EVALUATION, with_tools=with_tools)}}
    evaluation = next(iter(sessions.values())).evaluation
    samples = [Sample(id=name, input=chat(each.messages), target=each.thread.truth) for name, each in sessions.items()]
    return Task(
        dataset=MemoryDataset(samples, name=" and ".join(evaluation.datasets)),
        solver=turns(sessions),
        scorer=right(sessions),
        epochs=Epochs(evaluation.tries, "mean"),
    )


def chat(messages):
    kinds = {{"system": ChatMessageSystem, "user": ChatMessageUser}}
    if any(message["role"] not in kinds for message in messages):
        raise ValueError("examples in the prompt are not taken over yet; evaluate with a form that shows none")
    return [kinds[message["role"]](content=message["content"]) for message in messages]


@solver
def turns(sessions):
    """Turns until one calls no tool and answers; one that does neither is asked for again, as sensorloom does."""

    async def solve(state, generate):
        asked, attempt, nudges = sessions[state.sample_id], state.epoch - 1, 0
        state.tools = [inspect_tool(asked, attempt, tool) for tool in asked.tools]
        for _ in range(asked.thread.max_turns + MAX_NUDGES):
            state = await generate(state, tool_calls="single", seed=asked.seed(attempt) + nudges)
            spoken = next(m for m in reversed(state.messages) if isinstance(m, ChatMessageAssistant))
            answers = sum(isinstance(m, ChatMessageAssistant) for m in state.messages)
            if spoken.tool_calls and answers < asked.thread.max_turns:
                state.messages = [m for m in state.messages if m.metadata != {{"nudge": True}}]
                nudges = 0
                continue
            if spoken.tool_calls or asked.answers(spoken.text) or nudges == MAX_NUDGES:
                break
            nudges += 1
            state.messages = [m for m in state.messages if m is not spoken and m.metadata != {{"nudge": True}}]
            state.messages.append(ChatMessageUser(content=NUDGE, metadata={{"nudge": True}}))
        return state

    return solve


def inspect_tool(asked, attempt, tool):
    function = tool.schema["function"]

    async def execute(**kwargs: Any) -> str:
        return asked.call(attempt, function["name"], kwargs)

    parameters = ToolParams(
        properties=function["parameters"].get("properties", {{}}), required=function["parameters"].get("required", [])
    )
    return ToolDef(execute, name=function["name"], description=function["description"], parameters=parameters).as_tool()


@scorer(metrics=[accuracy(), stderr()])
def right(sessions):
    async def score(state, target):
        asked, text = sessions[state.sample_id], state.output.completion
        called = bool(state.output.message.tool_calls) if state.output.choices else False
        value = CORRECT if not called and asked.is_right(text) else INCORRECT
        return Score(value=value, answer=asked.answer(text), explanation=text)

    return score
'''


def write_inspect_file(workspace: Workspace, evaluation: Evaluation) -> str:
    """Write it beside the evaluation; returns where it is. Raises SensorloomError."""
    path = folder_of(workspace, evaluation.name) / FILE
    task = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in evaluation.name)
    text = _TASK.format(name=evaluation.name, task=f"evaluation_{task}")
    write_atomic(path, text.encode())
    return workspace.shown(path)
