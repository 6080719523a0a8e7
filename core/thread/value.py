"""The thread and its messages as values, and what is counted from them.

A `Thread` wraps the JSON object of its file, so unknown keys at any level keep their place. Nothing here
changes a document: every function returns a new thread that shares what did not change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, cast

from core.thread.labels import same_label

Message = Mapping[str, Any]
"""One chat message in OpenAI's form, exactly as stored."""

Status = Literal["active", "finished", "max_turns_reached"]
SCHEMA_VERSION = "openai_v1"
DEFAULT_MAX_TURNS = 10

_FINAL = re.compile(r"[*_#> \t]*final answer[*_ \t]*:[*_ \t]*(.+)", re.IGNORECASE)
CONFIDENCES = ("high", "medium", "low")
_SHORT = 80
"""A line with fewer characters is remembered with what it states."""
_CONFIDENCE = re.compile(r"[*_#> \t]*confidence[*_ \t]*:[*_ \t]*(high|medium|low)\b", re.IGNORECASE)


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
        """Dataset, session, label, counts, query, verdict: see FORMAT.md."""
        return cast("Mapping[str, Any]", self.document.get("metadata") or {})

    @property
    def messages(self) -> Sequence[Message]:
        """The conversation, oldest first."""
        return cast("Sequence[Message]", self.document.get("messages") or ())

    @property
    def tools(self) -> Sequence[Mapping[str, Any]] | None:
        """The tool schemas that were offered; None in threads made elsewhere."""
        return cast("Sequence[Mapping[str, Any]] | None", self.document.get("tools"))

    @property
    def alternatives(self) -> Sequence[Mapping[str, Any]]:
        """Turns that were rejected or superseded, kept for preference data."""
        return cast("Sequence[Mapping[str, Any]]", self.document.get("alternatives") or ())

    @property
    def dataset(self) -> str:
        """Name of the dataset the session is from."""
        return str(self.metadata.get("dataset", ""))

    @property
    def session(self) -> str:
        """Id of the session inside its dataset."""
        return str(self.metadata.get("session", ""))

    @property
    def truth(self) -> str:
        """The session's label. Never sent to a model."""
        return str(self.metadata.get("ground_truth") or "")

    @property
    def query(self) -> str:
        """What the user asked."""
        return str(self.metadata.get("user_query") or "")

    @property
    def status(self) -> Status:
        """`active`, `finished` or `max_turns_reached`, by the messages: a file may say anything."""
        spoken = sum(map(is_assistant, self.messages))
        return _status(final_message(self.messages) is not None, spoken, self.max_turns)

    @property
    def max_turns(self) -> int:
        """How many assistant messages a run may make."""
        value = self.metadata.get("max_turns")
        return value if isinstance(value, int) and value > 0 else DEFAULT_MAX_TURNS


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


def final_answer(text: str) -> str | None:
    """The label on the last `Final Answer: …` line, or None."""
    return _answer(text, _lowered(text))


def stated_confidence(text: str) -> str | None:
    """`high`, `medium` or `low` from the last `Confidence: …` line, or None."""
    return _confidence(text, _lowered(text))


def conclusion(text: str, known: object) -> tuple[str | None, str | None]:
    """The final answer, and with it the confidence: what the text states; where it states none, what its metadata say
    it stated elsewhere."""
    lines = text.rsplit("\n", 2)
    if len(lines) == 3 and max(len(lines[1]), len(lines[2])) < _SHORT:  # most end with two lines that others have too
        answer = _short_answer(lines[2])
        stated = _short_confidence(lines[2]) or _short_confidence(lines[1])
        if answer and (stated or ":" not in lines[0]):
            return answer, stated or _confidence_in(known)
    lowered = _lowered(text)
    if not (answer := _answer(text, lowered)):
        return None, None
    return answer, _confidence(text, lowered) or _confidence_in(known)


_short_answer = lru_cache(maxsize=4096)(final_answer)
_short_confidence = lru_cache(maxsize=4096)(stated_confidence)


def _confidence_in(known: object) -> str | None:
    return known if isinstance(known, str) and known in CONFIDENCES else None


def _answer(text: str, lowered: str) -> str | None:
    return _last_line(_FINAL, "final answer", text, lowered).rstrip("*_ \t.").strip().strip("`\"'[]") or None


def _confidence(text: str, lowered: str) -> str | None:
    return _last_line(_CONFIDENCE, "confidence", text, lowered).lower() or None


def _lowered(text: str) -> str:
    """In small letters, each in its place."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter that becomes two, of which there is one
        lowered = "".join(letter.lower()[0] for letter in text)
    return lowered


def _last_line(pattern: re.Pattern[str], words: str, text: str, lowered: str) -> str:
    """What `pattern` captures of the last line it fits, which has `words` in it; empty when it fits none."""
    place = lowered.rfind(words)
    while place >= 0:
        start = text.rfind("\n", 0, place) + 1
        if found := pattern.match(text, start):
            return found[1]
        place = lowered.rfind(words, 0, start)
    return ""


def final_message(messages: Sequence[Message]) -> Message | None:
    """The message that ends the thread with a final answer, or None."""
    last = messages[-1] if messages else None
    if last is not None and is_assistant(last) and not calls_of(last) and final_answer(text_of(last)):
        return last
    return None


def _status(finished: bool, spoken: int, limit: int) -> Status:
    return "finished" if finished else "max_turns_reached" if spoken >= limit else "active"


def counted(messages: Sequence[Message], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a thread's metadata must say of its messages: status, counts, answer, correctness, confidence."""
    spoken = [message for message in messages if is_assistant(message)]
    final = final_message(messages)
    answer, confidence = conclusion(text_of(final), metadata.get("confidence")) if final else (None, None)
    without_calls = sum(1 for message in spoken if not calls_of(message))
    limit = metadata.get("max_turns")
    limit = limit if isinstance(limit, int) and limit > 0 else DEFAULT_MAX_TURNS
    truth = metadata.get("ground_truth")
    return {
        "status": _status(final is not None, len(spoken), limit),
        "num_turns": len(spoken),
        "num_tool_calls": sum(len(calls_of(message)) for message in spoken),
        "num_responds": without_calls - (1 if final else 0),
        "is_correct": same_label(answer, str(truth)) if answer and truth else None,
        "confidence": confidence,
        "final_answer": answer,
    }


_METADATA_ORDER = (
    "dataset", "session", "ground_truth", "status", "num_turns", "num_tool_calls", "num_responds", "is_correct",
    "confidence", "user_query", "schema_version", "created_at", "last_modified", "final_answer", "model",
    "temperature", "seed", "max_tokens", "parent_id", "branched_at", "review", "tags", "max_turns",
)  # fmt: skip
_TOP_ORDER = ("id", "metadata", "messages", "tools", "alternatives")


def _placed(old: Mapping[str, Any], changes: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """`old` with `changes`: keys that are there keep their place, new ones come where `order` has them."""
    keys = list(old)
    for key in changes:
        if key not in old:
            before = order[: order.index(key)] if key in order else keys
            keys.insert(max((keys.index(one) for one in before if one in keys), default=-1) + 1, key)
    merged = {**old, **changes}
    return {key: merged[key] for key in keys if merged[key] is not ...}


def with_metadata(thread: Thread, **changes: Any) -> Thread:
    """The thread with metadata keys set; a value of `...` removes the key."""
    metadata = _placed(thread.metadata, changes, _METADATA_ORDER)
    return Thread({**thread.document, "metadata": metadata})


def with_part(thread: Thread, key: str, value: Any) -> Thread:
    """The thread with one top-level key set; a value of `...` removes the key."""
    return Thread(_placed(thread.document, {key: value}, _TOP_ORDER))


def with_messages(thread: Thread, messages: Iterable[Message]) -> Thread:
    """The thread with other messages and its counts taken anew."""
    return recount(Thread({**thread.document, "messages": list(messages)}))


def with_alternatives(thread: Thread, alternatives: Iterable[Mapping[str, Any]]) -> Thread:
    """The thread with these alternatives; the key is left out when there are none."""
    return with_part(thread, "alternatives", list(alternatives) or ...)


def recount(thread: Thread) -> Thread:
    """The thread with everything in its metadata that is counted from its messages counted anew."""
    found = counted(thread.messages, thread.metadata)
    if found["final_answer"] is None:
        found["final_answer"] = None if thread.metadata.get("final_answer") is not None else ...
    return with_metadata(thread, **found)


def touched(thread: Thread) -> Thread:
    """The thread as it is to be saved now: counted anew, with `last_modified` set."""
    return with_metadata(recount(thread), last_modified=timestamp())
