# pyright: basic, reportMissingImports=false
"""Episodes for OpenEnv: an `MCPEnvironment` whose tools are those of a session, with `answer` to end it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastmcp import FastMCP
from openenv.core.env_server.mcp_environment import MCPEnvironment
from openenv.core.env_server.types import Action, Observation, State

from core.episodes.episode import Episode
from core.episodes.tasks import Task
from core.thread.conclusion import CONFIDENCES
from core.thread.over_mcp import closing_message
from tools.registry import as_json

_OVER = as_json({"error": "this session was answered; `reset` opens another"})


class SessionEnvironment(MCPEnvironment):
    """One session after the other: the one that the seed of `reset` names, else the next."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks, self._next = tasks, 0
        self._open(0)
        server = FastMCP("sensorloom")
        for function in self._episode.callables():
            server.tool(_forwarding(function, self._call))
        server.tool(self.answer)
        super().__init__(server)

    def reset(self, seed: int | None = None, episode_id: str | None = None, **_: Any) -> Observation:
        """Open a session. `messages` of the observation's metadata are what a model is to be shown."""
        self._open(self._next if seed is None else seed)
        return Observation(done=False, reward=0.0, metadata={"messages": self._episode.messages})

    def answer(self, text: str, final_answer: str, confidence: str) -> str:
        """Give the final answer and end the session.

        Args:
            text: what was found, and how it answers the question.
            final_answer: the label, or what the question asks for, alone.
            confidence: high, medium or low.
        """
        if self._state.done:
            return _OVER
        stated = confidence if confidence in CONFIDENCES else CONFIDENCES[-1]
        self._messages.append({"role": "assistant", "content": closing_message(text, final_answer, stated)})
        self._state.done, self._unpaid = True, self._episode.score(self._messages).value
        return as_json({"ended": True})

    @property
    def state(self) -> State:
        """Which session, and how many calls: for whoever trains, not for the model."""
        return self._state

    @property
    def conversation(self) -> list[dict[str, Any]]:
        """The calls so far and their results, in OpenAI's form."""
        return list(self._messages)

    def step(self, action: Action, timeout_s: float | None = None, **more: Any) -> Observation:
        """Carry out a call; that of `answer` ends the session, with its score as the reward. After it nothing is
        carried out and nothing earned."""
        return self._rewarded(super().step(action, timeout_s=timeout_s, **more))

    async def step_async(self, action: Action, timeout_s: float | None = None, **more: Any) -> Observation:
        """The same, where a server asks."""
        return self._rewarded(await super().step_async(action, timeout_s=timeout_s, **more))

    def _step_impl(self, action: Action, timeout_s: float | None = None, **_: Any) -> Observation:
        return Observation(metadata={"error": f"{type(action).__name__} is no call of a tool"})

    def _rewarded(self, observation: Observation) -> Observation:
        self._state.step_count += 1
        if self._state.done:
            observation.done, observation.reward, self._unpaid = True, self._unpaid, 0.0
        return observation

    def _open(self, number: int) -> None:
        task = self._tasks[number % len(self._tasks)]
        self._episode, self._next, self._messages, self._unpaid = Episode(task), number + 1, [], 0.0
        self._state = State(episode_id=None, step_count=0, done=False, **task.row())

    def _call(self, name: str, arguments: dict[str, Any]) -> str:
        if self._state.done:
            return _OVER
        result = self._episode.call(name, arguments)
        number = f"call_{len(self._messages)}"
        function = {"name": name, "arguments": as_json(arguments)}
        self._messages += (
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": number, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": number, "content": result},
        )
        return result


def _forwarding(function: Callable[..., str], call: Callable[[str, dict[str, Any]], str]) -> Callable[..., str]:
    """The same function on whichever session is open."""
    import inspect

    signature = inspect.signature(function)

    def run(*args: Any, **kwargs: Any) -> str:
        return call(function.__name__, dict(signature.bind(*args, **kwargs).arguments))

    run.__name__ = run.__qualname__ = function.__name__
    run.__doc__, run.__annotations__ = function.__doc__, function.__annotations__
    run.__dict__["__signature__"] = signature
    return run
