"""An evaluation's sessions as another program asks them: the same messages, tools, seeds and scorer.

The file that `sensorloom evaluate --inspect` writes is made of these; nothing here saves a thread.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.curate.prompts import ahead_of
from core.curate.proposals import thread_about
from core.evaluation.contest import Evaluation, first_seed, open_evaluation
from core.model.request import sent_messages
from core.runs.toolbox import context_for, offered_to, open_toolbox
from core.runs.turn_loop import MAX_NUDGES, NUDGE
from core.thread.conclusion import final_answer
from core.thread.summary import summary_of
from core.thread.updates import with_messages
from core.thread.value import Thread
from core.workspace import Workspace, open_workspace
from tools.registry import Tool, ToolContext, call

__all__ = ["MAX_NUDGES", "NUDGE", "AskedSession", "asked_sessions"]


@dataclass(slots=True)
class AskedSession:
    """One session of an evaluation, as a model is asked about it."""

    evaluation: Evaluation
    number: int
    """Its place among the evaluation's sessions."""
    thread: Thread
    """What is asked, as a thread that is saved nowhere."""
    tools: tuple[Tool, ...]
    """What a model is offered."""
    _workspace: Workspace
    _contexts: dict[int, ToolContext] = field(default_factory=dict[int, ToolContext])

    @property
    def name(self) -> str:
        """What it is called among them: the session, after its dataset where there are several."""
        dataset, session = self.evaluation.asked[self.number]
        return f"{dataset}/{session}" if self.evaluation.also else session

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The first request's messages."""
        ahead = ahead_of(self._workspace, self.thread)
        examples = ahead.shown(tools=bool(self.tools))
        return [dict(message) for message in sent_messages([*examples, *self.thread.messages], ahead.system)]

    def seed(self, attempt: int) -> int:
        """The seed of a try, counted from 0; asking again for a turn raises it by one."""
        return first_seed(self.evaluation, self.number) + attempt

    def call(self, attempt: int, name: str, arguments: Mapping[str, Any]) -> str:
        """The result of a tool, as JSON; each try has windows of its own."""
        if attempt not in self._contexts:
            self._contexts[attempt] = context_for(self._workspace, self.thread, self.tools)
        return call(self.tools, self._contexts[attempt], name, json.dumps(arguments)).content

    def answers(self, text: str) -> bool:
        """Whether a message ends with an answer."""
        return final_answer(text) is not None

    def answer(self, text: str) -> str:
        """The answer in a last message; empty where there is none."""
        return final_answer(text) or ""

    def is_right(self, text: str) -> bool:
        """Whether a last message answers rightly, by the scorer of evaluations."""
        answered = with_messages(self.thread, [*self.thread.messages, {"role": "assistant", "content": text}])
        summary = summary_of(answered, self.thread.id)
        return summary.status == "finished" and summary.correct is True


def asked_sessions(root: str | Path, name: str, *, with_tools: bool = True) -> list[AskedSession]:
    """The sessions of an evaluation, in their order. Raises SensorloomError."""
    workspace = open_workspace(str(root))
    evaluation = open_evaluation(workspace, name)
    tools = open_toolbox(workspace) if with_tools else ()
    asked: list[AskedSession] = []
    for number, (dataset, session) in enumerate(evaluation.asked):
        make = thread_about(
            workspace,
            dataset,
            session,
            evaluation.question,
            max_turns=evaluation.max_turns,
            evidence=evaluation.evidence,
            form=evaluation.form,
        )
        thread = make(session)
        asked.append(AskedSession(evaluation, number, thread, offered_to(thread, tools), workspace))
    return asked
