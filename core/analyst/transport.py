"""The built-in analyst as a Chat Completions server without a network: a transport of the `openai` client.

It sees the request's body and nothing else, and answers as a server would, streamed or whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx2

from core.analyst.policy import Reply, reply_to

MODEL = "builtin-analyst"
_WORDS_A_CHUNK = 3
_ARGUMENT_CHARACTERS = 12


class BuiltinTransport(httpx2.AsyncBaseTransport):
    """Answers `/v1/chat/completions` and `/v1/models`.

    Args:
        seed: decides between equally good ways to go on where the request names no seed of its own; it is raised by
            one for each such request, so that asking again gives another answer.
        delay: seconds between two chunks of a stream, for those who want to watch.
    """

    def __init__(self, seed: int | None = None, delay: float = 0) -> None:
        self._seed = seed or 0
        self._delay = delay

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request, one reply; what is not understood is refused as a server would."""
        path = request.url.path.rstrip("/")
        if path.endswith("/models"):
            return _json(200, {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "sensorloom"}]})
        if not path.endswith("/chat/completions"):
            return _refusal(404, f"the built-in analyst does not answer {path}")
        try:
            body = json.loads(await request.aread())
        except ValueError:
            return _refusal(400, "the request's body is not JSON")
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            return _refusal(400, "the request's body has no list of messages")
        asked = body.get("seed")
        if isinstance(asked, int):
            seed = asked
        else:
            seed, self._seed = self._seed, self._seed + 1
        answer = Answer(reply_to(body, seed), body, seed)
        if not body.get("stream"):
            return _json(200, answer.whole())
        headers = {"content-type": "text/event-stream; charset=utf-8"}
        return httpx2.Response(200, headers=headers, stream=_Events(answer.chunks(), self._delay))


class Answer:
    """A reply in the protocol's own objects."""

    def __init__(self, reply: Reply, body: Mapping[str, Any], seed: int) -> None:
        self._reply = reply
        self._body = body
        # derived from the request, so that the same request gives the same bytes
        stamp = hashlib.sha256(json.dumps([body, seed], sort_keys=True, default=str).encode()).hexdigest()
        self._id = f"chatcmpl-{stamp[:24]}"
        self._call_id = f"call_{stamp[24:40]}"

    def whole(self) -> dict[str, Any]:
        """The reply of a request that does not stream."""
        message: dict[str, Any] = {"role": "assistant", "content": self._reply.text}
        calls = [
            {
                "id": f"{self._call_id}_{index}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(self._reply.calls)
        ]
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "finish_reason": self._finish}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage()}

    def chunks(self) -> Iterator[dict[str, Any]]:
        """The reply in pieces: text by a few words, each call's name and then its arguments in fragments."""
        yield self._chunk({"role": "assistant", "content": ""})
        words = re.findall(r"\s*\S+\s*", self._reply.text)
        for start in range(0, len(words), _WORDS_A_CHUNK):
            yield self._chunk({"content": "".join(words[start : start + _WORDS_A_CHUNK])})
        for index, call in enumerate(self._reply.calls):
            function = {"name": call.name, "arguments": ""}
            opened = {"index": index, "id": f"{self._call_id}_{index}", "type": "function", "function": function}
            yield self._chunk({"tool_calls": [opened]})
            for start in range(0, len(call.arguments), _ARGUMENT_CHARACTERS):
                part = call.arguments[start : start + _ARGUMENT_CHARACTERS]
                yield self._chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        yield self._chunk({}, self._finish)
        options = self._body.get("stream_options")
        if isinstance(options, dict) and options.get("include_usage"):
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()}

    @property
    def _finish(self) -> str:
        return "tool_calls" if self._reply.calls else "stop"

    def _head(self, kind: str) -> dict[str, Any]:
        manner = {"system_fingerprint": self._reply.manner} if self._reply.manner else {}
        return {"id": self._id, "object": kind, "created": 0, "model": MODEL, **manner}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _usage(self) -> dict[str, int]:
        """Words and marks, counted: the analyst has no tokens of its own."""
        sent = len(re.findall(r"\w+|[^\w\s]", json.dumps(self._body.get("messages"), default=str)))
        text = self._reply.text + "".join(call.name + call.arguments for call in self._reply.calls)
        written = len(re.findall(r"\w+|[^\w\s]", text))
        return {"prompt_tokens": sent, "completion_tokens": written, "total_tokens": sent + written}


class _Events(httpx2.AsyncByteStream):
    """Chunks as server-sent events."""

    def __init__(self, chunks: Iterator[dict[str, Any]], delay: float) -> None:
        self._chunks = chunks
        self._delay = delay

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            # even without a delay the loop gets its turn, so that a long reply holds up nobody
            await asyncio.sleep(self._delay)
            yield f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()
        yield b"data: [DONE]\n\n"


def _json(status: int, value: Mapping[str, Any]) -> httpx2.Response:
    return httpx2.Response(status, json=value)


def _refusal(status: int, message: str) -> httpx2.Response:
    return _json(status, {"error": {"message": message, "type": "invalid_request_error", "code": None}})
