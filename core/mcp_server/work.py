"""What one agent is at: the session it was given, the calls it made, and the thread that is written of them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

from core import curate
from core.episodes.episode import Episode
from core.episodes.tasks import Task
from core.errors import SensorloomError
from core.storage.store import Stored
from core.thread.conclusion import CONFIDENCES
from core.thread.kinds import Asked
from core.thread.over_mcp import ANSWER, BEGIN, closing_message
from core.thread.proposal import Generation, Proposal
from core.thread.turns import call_id
from core.thread.value import is_assistant
from tools.registry import as_json

_BEGIN = {
    "name": BEGIN,
    "description": "Begin: get a recorded session, described, and the question about it. Call this first; the other "
    "tools then work on this session. Called again it begins anew, with the next session where there are several.",
    "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
}
_ANSWER = {
    "name": ANSWER,
    "description": "Give the final answer and end the session.",
    "parameters": {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "what was found, and how it answers the question"},
            "final_answer": {"type": "string", "description": "the label, or what the question asks for, alone"},
            "confidence": {"type": "string", "enum": list(CONFIDENCES)},
        },
        "required": ["text", "final_answer", "confidence"],
        "additionalProperties": False,
    },
}


class Work:
    """One agent's work on one session after the other. Safe to call from several threads."""

    def __init__(self, tasks: Sequence[Task], *, records: bool = False, told: Callable[[str], object] = str) -> None:
        """Args:
        tasks: what is given out, one after the other, and from the beginning when all were.
        records: whether a thread is written of each session that is worked on.
        told: is told a thread's id when it is begun.
        """
        self._tasks: Iterator[Task] = cycle(tasks)
        self._records = records
        self._told = told
        self._lock = threading.Lock()
        self._task, self._first = tasks[0], Episode(tasks[0])
        self._episode: Episode | None = None
        self._stored: Stored | None = None
        self._answered = False

    @property
    def tools(self) -> list[Mapping[str, Any]]:
        """Each tool's name, description and parameters. They are the same for all sessions of a dataset."""
        own = (_BEGIN, _ANSWER) if self._records else (_BEGIN,)
        return [*own, *(schema["function"] for schema in self._first.tools)]

    def call(self, name: str, arguments: Mapping[str, Any], agent: str = "") -> str:
        """Carry out a call and give its result. What is wrong with it is an `{"error": …}`; never raises.

        Args:
            name: the tool.
            arguments: as the agent gave them.
            agent: what the agent calls itself, for the record.
        """
        with self._lock:
            try:
                if name == BEGIN:
                    return self._begin()
                if self._episode is None:
                    return as_json({"error": f"no session was begun; call {BEGIN} first"})
                if self._answered:
                    return as_json({"error": f"this session was answered; call {BEGIN} for the next one"})
                if name == ANSWER and self._records:
                    return self._answer(arguments, agent)
                return self._measure(self._episode, name, arguments, agent)
            except SensorloomError as error:
                return as_json({"error": self._without_names(str(error))})

    def _without_names(self, text: str) -> str:
        """A sentence without the session's id, which may say what was done in it."""
        session = self._task.session
        return re.sub(rf"(?<!\w){re.escape(session)}(?!\w)", "the session", text) if session else text

    def _begin(self) -> str:
        self._task = task = next(self._tasks)
        self._episode, self._stored, self._answered = Episode(task), None, False
        return str(self._episode.messages[-1]["content"])

    def _measure(self, episode: Episode, name: str, arguments: Mapping[str, Any], agent: str) -> str:
        result = episode.call(name, arguments)
        if self._records:
            stored = self._thread(episode)
            turn = sum(map(is_assistant, stored.thread.messages)) + 1
            number = call_id(stored.stem, turn, 0)
            function = {"name": name, "arguments": as_json(arguments)}
            asked = {"role": "assistant", "content": "", "tool_calls": [
                {"id": number, "type": "function", "function": function}
            ]}  # fmt: skip
            answer = {"role": "tool", "tool_call_id": number, "name": name, "content": result}
            self._write(episode, (asked, answer), agent)
        return result

    def _answer(self, arguments: Mapping[str, Any], agent: str) -> str:
        text, answer, confidence = (arguments.get(key) for key in ("text", "final_answer", "confidence"))
        if not isinstance(text, str) or not isinstance(answer, str) or not answer.strip():
            return as_json({"error": "an answer has a `text`, a `final_answer` and a `confidence`"})
        if confidence not in CONFIDENCES:
            return as_json({"error": f"the confidence is one of {', '.join(CONFIDENCES)}"})
        if self._episode is not None:
            closing = closing_message(text, answer, confidence)
            self._write(self._episode, ({"role": "assistant", "content": closing},), agent)
        self._answered = True
        return as_json({"recorded": True})

    def _thread(self, episode: Episode) -> Stored:
        """The thread of the session under way, begun with what is written first."""
        if self._stored is None:
            task = episode.task
            asked = Asked(task.kind, task.session, task.question, task.truth, _label_of(episode))
            self._stored = curate.create_thread(
                task.workspace, task.dataset, task.session, task.question,
                tools=episode.tools, evidence=task.evidence, asked=asked, form=task.form,
            )  # fmt: skip
            self._told(self._stored.stem)
        return self._stored

    def _write(self, episode: Episode, messages: tuple[Mapping[str, Any], ...], agent: str) -> None:
        stored = self._thread(episode)
        generation = Generation(agent or "mcp client", endpoint="mcp")
        proposed = Proposal(len(stored.thread.messages), messages, generation)
        self._stored = curate.accept(episode.task.workspace, stored, proposed, episode.tools)


def _label_of(episode: Episode) -> str:
    from core.datasets.standard import open_dataset

    task = episode.task
    return open_dataset(task.workspace, task.dataset).labels[task.session][0]
