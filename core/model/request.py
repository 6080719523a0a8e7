"""A thread's messages as they are sent to a model: OpenAI's keys and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from core.text import unicode_text
from core.thread.call_ids import with_neutral_ids
from core.thread.value import Message, call_arguments, call_name, calls_of, text_of

Sent = dict[str, Any]


def sent_messages(messages: Iterable[Message], system: str, nudge: str = "") -> list[Sent]:
    """The messages of a request.

    The system prompt leads; marks of ours (`train`, `stale`, `edited` …) and unknown keys stay behind;
    contents become strings. User messages in a row are sent as one, because many chat templates refuse
    two. `nudge` is said last, as the user.

    Calls are sent under neutral ids (`core.thread.call_ids`): the stored ones name the thread and its session, which
    is nothing a model should see.
    """
    request: list[Sent] = [{"role": "system", "content": system}] if system else []
    for message in with_neutral_ids(messages):
        _append(request, _sent(message))
    if nudge:
        _append(request, {"role": "user", "content": nudge})
    return request


def _append(request: list[Sent], message: Sent) -> None:
    if request and message["role"] == request[-1]["role"] == "user":
        request[-1] = {**request[-1], "content": f"{request[-1]['content']}\n\n{message['content']}"}
    else:
        request.append(message)


def _sent(message: Message) -> Sent:
    role = message.get("role")
    content = unicode_text(text_of(message))
    if role == "assistant":
        calls = [_sent_call(call) for call in calls_of(message)]
        if not calls:
            return {"role": role, "content": content}
        # null, because strict gateways refuse an empty text beside calls, and every server takes null
        return {"role": role, "content": content or None, "tool_calls": calls}
    if role == "tool":
        return {"role": role, "tool_call_id": message["tool_call_id"], "content": content}
    return {"role": role if role in ("system", "developer") else "user", "content": content}


def _sent_call(call: Mapping[str, Any]) -> Sent:
    return {
        "id": call["id"],
        "type": "function",
        "function": {
            "name": unicode_text(call_name(call)),
            "arguments": _object_text(unicode_text(call_arguments(call))),
        },
    }


def _object_text(arguments: str) -> str:
    """Arguments that every server can read back: vLLM, llama.cpp and most templates refuse a whole
    conversation for one old call whose arguments are no JSON object."""
    try:
        if isinstance(json.loads(arguments), dict):
            return arguments
    except (ValueError, RecursionError):
        pass
    return json.dumps({"not_a_json_object": arguments}, ensure_ascii=False) if arguments.strip() else "{}"
