"""A v3 document as a v4 thread: no file is read or written here.

A v3 thread keeps its turns in `conversation`, each with an `action`: `use_tool` (`reasoning`, `tool_call`,
`tool_result`, or `tool_calls` and `tool_results`), `respond` (`response`), and an end in `final_answer` and
`explanation`, in the thread or in a last turn. What has no place in the present form stays under its own name, or with
`v3_` before it where that name has a meaning there. Calls and results that cannot be paired are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import ThreadError
from core.thread.labels import same_label
from core.thread.opening import first_message
from core.thread.turns import call_id
from core.thread.updates import recount
from core.thread.value import SCHEMA_VERSION, Thread, final_answer, timestamp

_FROM_TOP = {
    "dataset_name": "dataset",
    "session_id": "session",
    "ground_truth_label": "ground_truth",
    "status": "status",
    "is_correct": "is_correct",
    "confidence": "confidence",
    "created_at": "created_at",
    "last_modified": "last_modified",
    "max_turns": "max_turns",
    "thread_id": "migrated_from",
}
"""Where a key of the document stands in the metadata."""
_COUNTED = {"num_turns", "num_tool_calls", "num_responds"}
"""Metadata that is counted anew."""
_TOP = {"id", "metadata", "messages", "tools", "alternatives"}
_OF_MESSAGES = {"role", "content", "tool_calls", "tool_call_id", "name", "function_call", "train", "weight"}
_TEXTS = ("reasoning", "response", "explanation")
_AFTER_CALLS = ("content", "response", "explanation", "final_answer", "answer")
"""What a turn said when its calls were answered."""
_RESULT_NAMES = {"tool_name", "name", "tool", "tool_call_id", "call_id", "id"}
_RESULT_CONTENTS = {"result", "output", "content"}
"""An object of these keys alone wraps a result; one with others is the result itself."""
_ABSENT = object()


def converted(document: Mapping[str, Any], new_id: str, manifest: Mapping[str, Any]) -> Thread:
    """A v3 document as a v4 thread of this id. `manifest` is that of its dataset.

    Raises:
        ThreadError: its turns, calls or results are in no form that is known; the sentence names the turn.
    """
    rest = {key: value for key, value in document.items() if key not in ("conversation", *_FROM_TOP)}
    if rest.get("schema_version") == "3.0":
        rest.pop("schema_version")
    question = _question(document)
    if rest.get("user_query") == question:
        rest.pop("user_query")
    if rest.get("query") == question:
        rest.pop("query")
    messages: list[dict[str, Any]] = [dict(first_message(manifest, question))]
    for number, turn in enumerate(_turns(document), 1):
        messages += _messages(turn, new_id, number)
    _end(rest, document.get("confidence"), messages)
    old = rest.pop("metadata", {})
    if not isinstance(old, Mapping):
        old, rest["metadata"] = {}, old
    metadata = {
        **old,
        **{name: document[key] for key, name in _FROM_TOP.items() if document.get(key) is not None},
        "user_query": question,
        "schema_version": SCHEMA_VERSION,
    }
    now = timestamp()
    for key in ("created_at", "last_modified"):
        metadata[key] = metadata.get(key) or (document.get("updated_at") if key == "last_modified" else None) or now
    if rest.get("updated_at") == metadata["last_modified"]:
        rest.pop("updated_at")
    thread = recount(Thread({"id": new_id, "metadata": metadata, "messages": messages, **_renamed(rest, _TOP)}))
    return Thread({**thread.document, "metadata": {**thread.metadata, **_differing(document, old, thread)}})


def _differing(document: Mapping[str, Any], old: Mapping[str, Any], thread: Thread) -> dict[str, Any]:
    """What the metadata say otherwise than the v3 document did, as it said it."""
    values = {**old, **{name: document[key] for key, name in _FROM_TOP.items() if key in document}}
    from_both = {key: value for key, value in old.items() if values[key] != value}
    kept_apart = {f"v3_metadata_{key}": value for key, value in from_both.items()}
    for key, value in values.items():
        version = key == "schema_version" and value == "3.0"
        if key not in _COUNTED and not version and value is not None and thread.metadata.get(key) != value:
            kept_apart[f"v3_{key}"] = value
    return kept_apart


def _renamed(rest: Mapping[str, Any], reserved: set[str]) -> dict[str, Any]:
    return {f"v3_{key}" if key in reserved else key: value for key, value in rest.items()}


def _turns(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    turns = document.get("conversation")
    if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
        raise ThreadError(f"{document.get('thread_id')}: `conversation` is no list of turns; mend it by hand")
    return turns


def _messages(turn: Mapping[str, Any], new_id: str, number: int) -> list[dict[str, Any]]:
    """A turn's messages: what the assistant thought and called, the results, and what it said then."""
    rest = dict(turn)
    if rest.get("turn") in (number, number - 1, str(number)):
        rest.pop("turn")
    if rest.get("action") in ("use_tool", "respond", "final_answer"):
        rest.pop("action")
    calls = _calls(rest, number)
    results = _results(rest, calls, number)
    if rest.get("role") in ("user", "human"):
        texts = [rest.pop(key) for key in ("content", *_TEXTS) if rest.get(key)]
        return [{"role": "user", "content": _joined(texts), **_renamed(_without(rest, "role"), _OF_MESSAGES)}]
    if rest.get("role") == "assistant":
        rest.pop("role")
    if not calls:
        return [_reply_without_calls(rest, number)]
    ids = [call_id(new_id, number, index) for index in range(len(calls))]
    functions = [
        {
            **{key: value for key, value in call.items() if key != "v3_id"},
            "id": identity,
            "type": "function",
            "function": {"name": name, "arguments": arguments if isinstance(arguments, str) else _text(arguments)},
        }
        for identity, (name, arguments, call) in zip(ids, calls, strict=True)
    ]
    asked = {"role": "assistant", "content": _joined([rest.pop("reasoning", None)]), "tool_calls": functions}
    answers = [
        {"role": "tool", "tool_call_id": ids[index], "name": calls[index][0], "content": _as_text(result)}
        for index, result in sorted(results.items())
    ]
    after = {key: rest.pop(key) for key in _AFTER_CALLS if rest.get(key)}
    if after and "confidence" in rest:
        after["confidence"] = rest.pop("confidence")
    asked |= _renamed(rest, _OF_MESSAGES)
    return [asked, *answers, *([_reply_without_calls(after, number)] if after else [])]


def _reply_without_calls(rest: dict[str, Any], number: int) -> dict[str, Any]:
    """A message of the assistant that calls nothing, with its answer in the form that ends a thread."""
    texts = [rest.pop(key) for key in ("reasoning", "content", "response", "explanation") if rest.get(key)]
    content = _joined(texts)
    answer = rest.get("final_answer") or rest.get("answer")
    if answer and not same_label(final_answer(content) or "", _as_text(answer)):
        content = f"{content}\n\n{_answer_lines(answer, rest.get('confidence'))}".strip()
    for key in ("final_answer", "answer"):
        if rest.get(key) == answer or not rest.get(key):
            rest.pop(key, None)
    if "confidence" in rest and (not rest["confidence"] or f"Confidence: {rest['confidence']}\n" in content):
        rest.pop("confidence")
    return {"role": "assistant", "content": content, "tool_calls": None, **_renamed(_without(rest), _OF_MESSAGES)}


def _without(rest: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What is left of a turn; empty texts say nothing."""
    return {key: value for key, value in rest.items() if key not in names and not (key in _TEXTS and not value)}


Call = tuple[str, Any, dict[str, Any]]
"""The tool's name, its arguments, and what else the call had."""


def _calls(rest: dict[str, Any], number: int) -> list[Call]:
    """Take the calls out of a turn."""
    single, several = rest.pop("tool_call", None), rest.pop("tool_calls", None)
    entries: list[Any] = several if isinstance(several, list) else [several] if several else []
    if single and single not in entries:
        if entries:
            raise ThreadError(f"turn {number}: `tool_call` and `tool_calls` name different calls; mend it by hand")
        entries = [single]
    return [_call(entry, number) for entry in entries]


def _call(entry: Any, number: int) -> Call:
    if not isinstance(entry, Mapping):
        raise ThreadError(f"turn {number}: a tool call is no object; mend it by hand")
    function = entry.get("function")
    call = dict(function) if isinstance(function, Mapping) else dict(entry)
    name = next((call.pop(key) for key in ("tool_name", "name", "tool") if isinstance(call.get(key), str)), "")
    arguments: Any = next((call.pop(key) for key in ("parameters", "arguments", "args") if key in call), {})
    if not name:
        raise ThreadError(f"turn {number}: a tool call names no tool; mend it by hand")
    if call.get("type") == "function":
        call.pop("type")
    if isinstance(function, Mapping):
        call |= {key: value for key, value in entry.items() if key not in ("function", "type")}
    return name, arguments, _renamed(call, {"id", "type", "function"})


def _results(rest: dict[str, Any], calls: Sequence[Call], number: int) -> dict[int, Any]:
    """Take the results out of a turn, each under the number of its call. Those that name a call go to it, the others
    stand in the calls' order."""
    single, several = rest.pop("tool_result", _ABSENT), rest.pop("tool_results", None)
    if several:
        entries = several if isinstance(several, list) else [several]
        if single not in (_ABSENT, None, *entries):
            raise ThreadError(f"turn {number}: `tool_result` and `tool_results` differ; mend it by hand")
    elif single is _ABSENT or (single is None and not calls):
        return {}
    else:
        entries = single if len(calls) > 1 and isinstance(single, list) else [single]
    if len(entries) > len(calls):
        raise ThreadError(f"turn {number}: {len(entries)} results for {len(calls)} calls; mend it by hand")
    results: dict[int, Any] = {}
    for entry in entries:
        names, content = _unwrapped(entry) if several or len(calls) > 1 else ([], entry)
        free = [index for index in range(len(calls)) if index not in results]
        fitting = [index for index in free if calls[index][2].get("v3_id", _ABSENT) in names]
        fitting = fitting or [index for index in free if not names or calls[index][0] in names]
        if not fitting:
            raise ThreadError(f"turn {number}: a result is of `{names[0]}`, which is not called; mend it by hand")
        results[fitting[0]] = content
    return results


def _unwrapped(entry: Any) -> tuple[list[Any], Any]:
    """The ids and names by which a result names its call, and its content."""
    if isinstance(entry, Mapping) and set(entry) <= _RESULT_NAMES | _RESULT_CONTENTS:
        contents = [entry[key] for key in entry if key in _RESULT_CONTENTS]
        if len(contents) == 1:
            return [value for key, value in entry.items() if key in _RESULT_NAMES], contents[0]
    return [], entry


def _end(rest: dict[str, Any], confidence: Any, messages: list[dict[str, Any]]) -> None:
    """Put the thread's own final answer at the end, unless its last turn gave it already."""
    answer = rest.get("final_answer")
    explanation = rest.get("explanation")
    last = messages[-1]
    stated = final_answer(str(last["content"])) if last["role"] == "assistant" else None
    if answer and not stated:
        content = f"{_joined([explanation])}\n\n{_answer_lines(answer, confidence)}".strip()
        messages.append({"role": "assistant", "content": content, "tool_calls": None})
        stated = _as_text(answer)
    if not answer or same_label(stated or "", _as_text(answer)):
        rest.pop("final_answer", None)
    if not explanation or _as_text(explanation).strip() in str(messages[-1]["content"]):
        rest.pop("explanation", None)


def _answer_lines(answer: Any, confidence: Any) -> str:
    sure = f"Confidence: {confidence}\n" if str(confidence).lower() in ("high", "medium", "low") else ""
    return f"{sure}Final Answer: {_as_text(answer)}"


def _question(document: Mapping[str, Any]) -> str:
    parts = [document.get("metadata"), document.get("initial_context")]
    places = [document, *(part for part in parts if isinstance(part, Mapping))]
    questions = (part.get(key) for part in places for key in ("user_query", "query"))
    return next((_as_text(question) for question in questions if question), "")


def _joined(parts: Sequence[Any]) -> str:
    return "\n\n".join(dict.fromkeys(_as_text(part).strip() for part in parts if part))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
