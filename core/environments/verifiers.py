# pyright: basic, reportMissingImports=false
"""Episodes for `verifiers` (its v1 API): a set of sessions, a tool server for each rollout, the score as reward."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import verifiers.v1 as vf

from core.episodes.episode import Episode
from core.episodes.tasks import task_of, tasks
from core.workspace import open_workspace

__all__ = ["SessionTaskset"]


class SessionData(vf.TaskData):
    """One session, as a row: no answer is among it."""

    workspace: str
    row: dict[str, Any]


class SessionTools(vf.Toolset[vf.ToolsetConfig]):
    """The tools of the session of one rollout."""

    TOOL_PREFIX = None

    async def setup_task(self, task: SessionData) -> None:
        """Open the rollout's session."""
        self._episode = _episode_of(task)

    def register(self, mcp: Any) -> None:
        """Offer what its episode offers."""
        for function in self._episode.callables():
            mcp.add_tool(function, structured_output=False)


class SessionTaskConfig(vf.TaskConfig):
    """Where the tools run."""

    tools: vf.ToolsetConfig = vf.ToolsetConfig()


class SessionTask(vf.Task[SessionData, vf.State, SessionTaskConfig]):
    """A session, asked about."""

    @classmethod
    def toolsets(cls, config: SessionTaskConfig) -> list[vf.Toolset]:
        """The tool server of a rollout."""
        return [SessionTools(config.tools)]

    @vf.reward(weight=1.0)
    async def worth(self, task: SessionData, trace: vf.Trace) -> float:
        """The score of the conversation."""
        return _score(task, trace).value

    @vf.metric
    async def parts(self, task: SessionData, trace: vf.Trace) -> dict[str, float]:
        """Its parts."""
        return dict(_score(task, trace).parts)


class SessionTasksetConfig(vf.TasksetConfig):
    """Which sessions: `--env.taskset.dataset` and so on."""

    task: SessionTaskConfig = SessionTaskConfig()
    workspace: str = "."
    dataset: str = "demo"
    split: str = "train"
    kinds: str = "activity"
    seed: int = 0
    count: int | None = None


class SessionTaskset(vf.Taskset[SessionTask, SessionTasksetConfig]):
    """The sessions of one side of a dataset."""

    def load(self) -> Iterable[SessionTask]:
        """A task for each."""
        asked = self.config
        workspace = open_workspace(asked.workspace)
        some = tasks(workspace, asked.dataset, asked.split, kinds=asked.kinds, seed=asked.seed, count=asked.count)  # pyright: ignore[reportArgumentType]
        for task in some:
            *system, question = Episode(task).messages
            told = {"system_prompt": system[0]["content"]} if system else {}
            data = SessionData(
                id=task.id, prompt=question["content"], **told,
                workspace=str(workspace.root), row=task.row(),
            )  # fmt: skip
            yield SessionTask(data, asked.task)


def as_messages(trace: vf.Trace) -> list[dict[str, Any]]:
    """What was said, in OpenAI's form."""
    return [_plain(node.message.model_dump(exclude_none=True)) for node in trace.nodes]


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    calls = [
        {"id": call["id"], "type": "function",
         "function": {"name": call["name"], "arguments": call["arguments"]}}
        for call in message.get("tool_calls") or ()
    ]  # fmt: skip
    return {**message, "tool_calls": calls} if calls else message


def _episode_of(data: SessionData) -> Episode:
    return Episode(task_of(open_workspace(data.workspace), data.row))


def _score(data: SessionData, trace: vf.Trace) -> Any:
    return _episode_of(data).score(as_messages(trace))


if __name__ == "__main__":
    SessionTools.run()
