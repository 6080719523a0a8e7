"""The thread and its messages as values, and what is counted from them.

A `Thread` wraps the JSON object of its file, so unknown keys at any level keep their place. Nothing here changes one:
`core.thread.updates` makes a new thread with a part of it replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, cast

from core.thread.conclusion import conclusion, final_answer
from core.thread.scoring import is_right, kind_in

Message = Mapping[str, Any]
"""One chat message in OpenAI's form, exactly as stored."""

Status = Literal["active", "finished", "max_turns_reached"]
SCHEMA_VERSION = "openai_v1"
DEFAULT_MAX_TURNS = 10


@dataclass(frozen=True, slots=True)
class Thread:
    """One training thread. `document` is the file's JSON object; treat it as read-only."""

    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The thread's id, which is also its file's stem."""
        return str(self.document.get("id", ""))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Dataset, session, label, counts, question, verdict: see FORMAT.md."""
        return cast("Mapping[str, Any]", self.document.get("metadata") or {})

    @property
    def messages(self) -> Sequence[Message]:
        """The conversation, oldest first."""
        return cast("Sequence[Message]", self.document.get("messages") or ())

    @property
    def tools(self) -> Sequence[Mapping[str, Any]] | None:
        """The tool schemas that were offered; None in threads made elsewhere. Some files hold them as a JSON string."""
        tools = self.document.get("tools")
        return tools_in(tools) if isinstance(tools, str) else cast("Sequence[Mapping[str, Any]] | None", tools)

    @property
    def alternatives(self) -> Sequence[Mapping[str, Any]]:
        """Turns that were rejected or superseded, kept for preference data."""
        return cast("Sequence[Mapping[str, Any]]", self.document.get("alternatives") or ())

    @property
    def dataset(self) -> str:
        """Name of the dataset the session is from."""
        return str(self.metadata.get("dataset") or "")

    @property
    def session(self) -> str:
        """Id of the session inside its dataset."""
        return str(self.metadata.get("session") or "")

    @property
    def truth(self) -> str:
        """What is right: the session's label, or what its kind of question asks for. Never sent to a model."""
        return str(self.metadata.get("ground_truth") or "")

    @property
    def question(self) -> str:
        """What the user asked."""
        return str(self.metadata.get("user_query") or "")

    @property
    def status(self) -> Status:
        """`active`, `finished` or `max_turns_reached`, by the messages: a file may say anything."""
        return count(self.messages, self.metadata).status

    @property
    def max_turns(self) -> int:
        """How many assistant messages a run may make."""
        return _most_turns(self.metadata)


def _most_turns(metadata: Mapping[str, Any]) -> int:
    limit = metadata.get("max_turns")
    return limit if isinstance(limit, int) and limit > 0 else DEFAULT_MAX_TURNS


@lru_cache(maxsize=64)
def tools_in(text: str) -> Any:
    """What `tools` holds that are stored as a JSON string, the form that some trainers prefer: a list of schemas when
    the file was accepted as a thread. The threads of a folder share a few such strings. Raises ValueError for text
    that is no JSON."""
    import json

    return json.loads(text) if text.strip() else None


def timestamp() -> str:
    """Now, in ISO 8601 with the UTC offset, to the second's millionth."""
    return datetime.now(UTC).isoformat()


def text_of(message: Message) -> str:
    """A message's content as text: strings as they are, OpenAI content parts joined, objects as JSON."""
    content = message.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content):
        return "".join(str(part["text"]) for part in cast("list[dict[str, Any]]", content))
    import json

    return json.dumps(content, ensure_ascii=False, indent=2)


def calls_of(message: Message) -> Sequence[Mapping[str, Any]]:
    """An assistant message's tool calls; empty for any other message."""
    calls = message.get("tool_calls")
    if message.get("role") != "assistant" or not isinstance(calls, list):
        return ()
    return [call for call in cast("list[Any]", calls) if isinstance(call, dict)]


def call_name(call: Mapping[str, Any]) -> str:
    """The tool a call names."""
    return str((call.get("function") or {}).get("name", ""))


def call_arguments(call: Mapping[str, Any]) -> str:
    """A call's arguments as the JSON string they are stored as."""
    arguments = (call.get("function") or {}).get("arguments", "")
    if isinstance(arguments, str):
        return arguments
    import json

    return json.dumps(arguments, ensure_ascii=False)


def is_assistant(message: Message) -> bool:
    """Whether the assistant wrote the message."""
    return message.get("role") == "assistant"


def in_loss(message: Message) -> bool:
    """Whether a message is trained on. Ours says `"train": false` where it is not, OpenAI's rows say `"weight": 0`."""
    return message.get("train") is not False and message.get("weight", 1) != 0


def final_message(messages: Sequence[Message]) -> Message | None:
    """The message that ends the thread with a final answer, or None."""
    last = messages[-1] if messages else None
    if last is not None and is_assistant(last) and not calls_of(last) and final_answer(text_of(last)):
        return last
    return None


class Counts(NamedTuple):
    """What a thread's messages amount to."""

    status: Status
    turns: int
    """Assistant messages."""
    calls: int
    """Tool calls in them, all added up."""
    responds: int
    """Assistant messages without calls, less the final answer."""
    answer: str | None
    """The label that the final answer states."""
    correct: bool | None
    """Whether that is right, as the question's kind is scored; None where answer or truth is missing."""
    confidence: str | None
    tools_used: tuple[str, ...]
    """Names of the tools that calls name, in the order of their first use."""
    stale: int
    """Messages that rest on something that changed since."""


def count(messages: Sequence[Message], metadata: Mapping[str, Any]) -> Counts:
    """Count a thread from its messages; what its metadata say of them is not taken on trust.

    Of the metadata are used: the question's kind, the truth, the most turns it may have, a confidence not stated.
    """
    turns = calls = silent = stale = 0
    tools: dict[str, None] = {}
    for message in messages:
        if message.get("stale"):
            stale += 1
        if message.get("role") != "assistant":
            continue
        turns += 1
        own = calls_of(message) if message.get("tool_calls") else ()
        calls += len(own)
        silent += not own
        for call in own:
            tools[call_name(call)] = None
    last = messages[-1] if messages else None
    text = text_of(last) if last is not None and is_assistant(last) and not calls_of(last) else None
    return concluded(Counts("active", turns, calls, silent, None, None, None, tuple(tools), stale), text, metadata)


def concluded(counts: Counts, text: str | None, metadata: Mapping[str, Any]) -> Counts:
    """Counts of messages with what their last one concludes; `text` is None where that is no reply without calls."""
    answer, confidence = (None, None) if text is None else conclusion(text, metadata.get("confidence"))
    truth = metadata.get("ground_truth")
    return counts._replace(
        status="finished" if answer else "max_turns_reached" if counts.turns >= _most_turns(metadata) else "active",
        responds=counts.responds - 1 if answer else counts.responds,
        answer=answer,
        correct=is_right(kind_in(metadata), answer, str(truth)) if answer and truth else None,
        confidence=confidence,
    )


def counted(messages: Sequence[Message], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """`count` under the names that a thread's metadata have for it."""
    counts = count(messages, metadata)
    return {
        "status": counts.status,
        "num_turns": counts.turns,
        "num_tool_calls": counts.calls,
        "num_responds": counts.responds,
        "is_correct": counts.correct,
        "confidence": counts.confidence,
        "final_answer": counts.answer,
    }
