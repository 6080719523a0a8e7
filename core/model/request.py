"""A request as it is sent to a model: the thread's messages, OpenAI's keys and nothing else, and how it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.model.options import RECORDED, sent_options
from core.model.refusals import role_for, with_instructions_as
from core.settings_tables import ModelSettings, secret_texts
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


def request_body(
    settings: ModelSettings,
    model: str,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
    seed: int | None,
    refused: frozenset[str],
    extra: Mapping[str, Any],
) -> Sent:
    """The whole of a request. `seed` replaces the settings' own; what is `refused` is left out; `extra` are the further
    keys as they are sent."""
    asked: Sent = {
        "model": model,
        "messages": with_instructions_as(messages, role_for(settings.system_role or "system", refused)),
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": list(tools) or None,
        **sent_options(settings, tools=bool(tools)),
        **({} if seed is None else {"seed": seed}),
        **extra,
    }
    if "max_tokens" in refused and asked.get("max_tokens") is not None:
        asked.setdefault("max_completion_tokens", asked["max_tokens"])
    return {key: value for key, value in asked.items() if value is not None and key not in refused}


def sampling_record(settings: ModelSettings, body: Mapping[str, Any], refused: frozenset[str]) -> dict[str, Any]:
    """What a turn keeps of how it was asked for, and what was left out as the server refuses it. Nothing of
    headers, or of further keys that hold a secret."""
    names = ("temperature", "seed", *RECORDED)
    record = {name: body[name] for name in names if name in body}
    if (most := body.get("max_tokens", body.get("max_completion_tokens"))) is not None:
        record["max_tokens"] = most
    extra = {name: value for name, value in (settings.extra_body or {}).items() if name in body and name not in record}
    if extra := {name: value for name, value in extra.items() if not any(secret_texts({name: value}))}:
        record["extra_body"] = extra
    if (role := role_for(settings.system_role or "system", refused)) != "system":
        record["system_role"] = role
    if dropped := sorted(refused - {"stream_options"}):
        record["dropped"] = dropped
    return record


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
