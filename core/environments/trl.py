"""Episodes for TRL's `GRPOTrainer`: an `environment_factory`, the rows of its data set, and the reward."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.episodes.episode import Episode
from core.episodes.tasks import Task, task_of
from core.workspace import Workspace


def rows(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """The rows of a data set: each task's prompt, and what makes the task of it again. No row holds an answer."""
    return [{"prompt": Episode(task).messages, **task.row()} for task in tasks]


def environment(workspace: Workspace, like: Task) -> type[Any]:
    """A class for `environment_factory`, its methods the tools of tasks that are like this one.

    TRL makes an instance for each rollout and resets it with a row; it makes schemas of the methods' signatures and
    docstrings, and calls them as the model asks.
    """

    def reset(self: Any, **row: Any) -> None:
        self._episode = Episode(task_of(workspace, row))

    methods = {function.__name__: _method(function) for function in Episode(like).callables()}
    return type("SensorEnvironment", (), {"reset": reset, **methods})


def reward(completions: Sequence[Sequence[Mapping[str, Any]]], environments: Sequence[Any], **_: Any) -> list[float]:
    """For `reward_funcs`: the score of each completion."""
    return [
        environment._episode.score([*environment._episode.messages, *completion]).value
        for completion, environment in zip(completions, environments, strict=True)
    ]


def _method(function: Callable[..., str]) -> Callable[..., str]:
    """A tool as a method: carried out on the episode of the instance."""
    name, signature = function.__name__, inspect.signature(function)

    def method(self: Any, *args: Any, **kwargs: Any) -> str:
        return self._episode.call(name, dict(signature.bind(*args, **kwargs).arguments))

    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__name__ = method.__qualname__ = name
    method.__doc__, method.__annotations__ = function.__doc__, function.__annotations__
    method.__dict__["__signature__"] = signature.replace(parameters=[itself, *signature.parameters.values()])
    return method
