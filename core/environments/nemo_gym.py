# pyright: basic, reportMissingImports=false
"""Episodes for NeMo Gym: the rows of its data set, and a resources server that has the tools and the reward."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from nemo_gym.base_resources_server import (
    BaseResourcesServerConfig,
    BaseSeedSessionRequest,
    BaseSeedSessionResponse,
    BaseVerifyRequest,
    BaseVerifyResponse,
    SimpleResourcesServer,
)
from nemo_gym.server_utils import SESSION_ID_KEY
from pydantic import PrivateAttr

from core.episodes.episode import Episode
from core.episodes.tasks import Task, task_of
from core.workspace import open_workspace
from tools.registry import as_json

NAME, AGENT = "sensorloom", "sensorloom_agent"
"""What the servers are called in NeMo Gym's configuration."""


class SessionsConfig(BaseResourcesServerConfig):
    """Where the sessions are."""

    workspace: str = "."


class SeedRequest(BaseSeedSessionRequest):
    """Which session a rollout is about."""

    task: dict[str, Any]


class VerifyRequest(BaseVerifyRequest):
    """A rollout that has ended."""

    task: dict[str, Any]


class VerifyResponse(BaseVerifyResponse):
    """What it is worth, and by which parts."""

    task: dict[str, Any]
    parts: dict[str, float]


class SessionServer(SimpleResourcesServer):
    """The tools of each rollout's session, and the score of what was made of them. All of it is computed in threads:
    other rollouts are answered meanwhile."""

    config: SessionsConfig
    _episodes: dict[str, Episode] = PrivateAttr(default_factory=dict)

    def setup_webserver(self) -> FastAPI:
        """NeMo Gym's own routes, and one for the tools."""
        app = super().setup_webserver()
        app.post("/{tool}")(self.call)
        return app

    async def seed_session(self, request: Request, body: SeedRequest) -> BaseSeedSessionResponse:
        """Open the session of a rollout."""
        self._episodes[request.session[SESSION_ID_KEY]] = await asyncio.to_thread(self._episode, body.task)
        return BaseSeedSessionResponse()

    async def call(self, tool: str, request: Request) -> PlainTextResponse:
        """Carry out a call. What is wrong with it is told by its result."""
        episode = self._episodes.get(request.session.get(SESSION_ID_KEY, ""))
        if episode is None:
            return PlainTextResponse(as_json({"error": "no session is open"}))
        arguments = (await request.body()).decode()
        return PlainTextResponse(await asyncio.to_thread(episode.call, tool, arguments))

    async def verify(self, request: Request, body: VerifyRequest) -> VerifyResponse:
        """Score the conversation, and close its session."""
        self._episodes.pop(request.session.get(SESSION_ID_KEY, ""), None)
        prompt, output = body.responses_create_params.input, body.response.output
        messages = as_messages([*_plain(prompt), *_plain(output)])
        score = await asyncio.to_thread(lambda: self._episode(body.task).score(messages))
        return VerifyResponse(**body.model_dump(), reward=score.value, parts=dict(score.parts))

    def _episode(self, row: dict[str, Any]) -> Episode:
        return Episode(task_of(open_workspace(self.config.workspace), row))


def rows(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """The rows of a data set: each task's prompt and tools, and what makes the task of it again. No row holds an
    answer."""
    rows: list[dict[str, Any]] = []
    for task in tasks:
        episode = Episode(task)
        tools = [{"type": "function", **tool["function"], "strict": False} for tool in episode.tools]
        rows.append({"responses_create_params": {"input": episode.messages, "tools": tools}, "task": task.row()})
    return rows


def prepare(folder: str | Path, tasks: Sequence[Task]) -> None:
    """Write what `gym` is started with into a folder: the data set as `sessions.jsonl`, the configuration of the
    servers as `sensorloom.yaml`, and the program of the resources server where `gym` looks for it."""
    home, first = Path(folder), tasks[0]
    program = home / "resources_servers" / NAME
    program.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows(tasks)]
    (home / "sessions.jsonl").write_text("".join(lines), encoding="utf-8")
    sessions = {"entrypoint": "app.py", "domain": "agent", "verified": False, "workspace": str(first.workspace.root)}
    agent = {
        "entrypoint": "app.py",
        "resources_server": {"type": "resources_servers", "name": NAME},
        "model_server": {"type": "responses_api_models", "name": "policy_model"},
    }
    servers = {
        NAME: {"resources_servers": {NAME: sessions}},
        AGENT: {"responses_api_agents": {"simple_agent": agent}},
    }
    (home / f"{NAME}.yaml").write_text(json.dumps(servers, indent=1), encoding="utf-8")  # JSON is YAML
    run = f'from {__name__} import SessionServer\n\nif __name__ == "__main__":\n    SessionServer.run_webserver()\n'
    (program / "app.py").write_text(run, encoding="utf-8")
    (program / "requirements.txt").write_text("sensorloom-env\n", encoding="utf-8")


def as_messages(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of the Responses API as messages: what the assistant says and calls at once is one."""
    messages: list[dict[str, Any]] = []
    for item in items:
        kind = item.get("type") or "message"
        if kind == "function_call_output":
            messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]})
        elif kind == "function_call":
            function = {"name": item["name"], "arguments": item["arguments"]}
            call = {"id": item["call_id"], "type": "function", "function": function}
            _assistant(messages).setdefault("tool_calls", []).append(call)
        elif kind == "message" and item["role"] == "assistant":
            _assistant(messages)["content"] += _text(item["content"])
        elif kind == "message":
            messages.append({"role": item["role"], "content": _text(item["content"])})
    return messages


def _assistant(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The assistant's message at the end, begun where there is none."""
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": ""})
    return messages[-1]


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text") or "" for part in content)


def _plain(items: Any) -> list[dict[str, Any]]:
    if isinstance(items, str):
        return [{"role": "user", "content": items}]
    return [item if isinstance(item, dict) else item.model_dump() for item in items]
