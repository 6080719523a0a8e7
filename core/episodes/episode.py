"""One task being worked on: what a model is shown, the tools it calls, and the score of what it made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from core.curate.prompts import prompt_text
from core.curate.task import opening_in
from core.datasets.barred import barred_names, barred_sessions
from core.datasets.standard import open_dataset
from core.episodes.callables import bound
from core.episodes.scoring import Score, score_of
from core.episodes.tasks import Task, require_side
from core.runs.toolbox import offered_in, open_toolbox
from core.thread.opening import system_prompt
from core.thread.value import Message
from tools.registry import ToolContext, call
from tools.session import Dataset


class Episode:
    """A task under way. Each has windows of its own, so that many may run beside one another."""

    def __init__(self, task: Task) -> None:
        """Open the task's dataset and tools; its samples are read by the first call.

        Raises:
            UsageError: the session is no longer on the task's side of the split, such as when it was held out since.
                Or the system prompt of its form is not there any more.
            DatasetError: the dataset cannot be read. WorkspaceError: `splits.json` is damaged.
        """
        workspace = task.workspace
        opened = open_dataset(workspace, task.dataset)
        require_side(workspace, opened, task.session, task.split)
        self.task = task
        self._tools = offered_in(open_toolbox(workspace), task.evidence, task.form)
        barred = barred_sessions(opened, barred_names(workspace, opened))
        # a cast, because pyright does not take a cached_property for the property of a protocol
        self._context = ToolContext(cast("Dataset", opened), task.session, barred=barred)
        system = prompt_text(workspace, task.form.system, system_prompt())
        self._opening = (
            *([{"role": "system", "content": system}] if system else ()),
            opening_in(opened, task.question, task.form),
        )

    @property
    def seed(self) -> int:
        """The task's seed."""
        return self.task.seed

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What a model is shown first: how to work, where its form has a system prompt, and the dataset's description
        with the question."""
        return [dict(message) for message in self._opening]

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools in OpenAI's form."""
        return [tool.schema for tool in self._tools]

    def call(self, name: str, arguments: str | Mapping[str, Any] = "{}") -> str:
        """Carry out a call and give its result, a JSON text. Never raises: a wrong call gives `{"error": …}` that says
        what would be right.

        Args:
            name: a tool's name.
            arguments: as the model wrote them, JSON or an object.
        """
        text = arguments if isinstance(arguments, str) else json.dumps(dict(arguments), default=str)
        return call(self._tools, self._context, name, text).content

    def callables(self) -> list[Callable[..., str]]:
        """The tools as typed, documented functions of this session, for frameworks that make schemas of functions."""
        return [bound(tool, self.call) for tool in self._tools]

    def score(self, messages: Sequence[Message]) -> Score:
        """What a conversation is worth.

        Args:
            messages: all of it, or what came after `messages`, in OpenAI's form; arguments of calls as JSON or objects.
        """
        led = bool(messages) and messages[0].get("role") in ("system", "developer", "user")
        whole = messages if led else [*self._opening, *messages]
        return score_of(whole, self.tools, self.task.kind, self.task.truth, self.task.workspace.settings.reward)
