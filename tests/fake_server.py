"""A real HTTP server on loopback that speaks Chat Completions, scripted request by request.

It can do what servers do: cut calls into fragments, answer 429 and 500, break off, hang, leave usage out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Chunk = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the server does with one request."""

    chunks: Sequence[Chunk | str] = ()
    """Streamed as SSE; a string is sent as it stands."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    """Sent instead of a stream."""
    then: str = "done"
    """How a stream ends: `done`, `cut` (the connection breaks), `hang`, or `end` (closed in order, no [DONE])."""
    hang_first: bool = False
    """Sends nothing at all, not even a status, until the server closes."""


def delta(finish: str | None = None, **fields: Any) -> Chunk:
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "model": "fake",
        "choices": [{"index": 0, "delta": fields, "finish_reason": finish}],
    }


def usage(prompt: int, completion: int) -> Chunk:
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "model": "fake",
        "choices": [],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
    }


def says(text: str, size: int = 7, **options: Any) -> Answer:
    """Text, `size` characters a chunk, and usage."""
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    return Answer([*(delta(content=part) for part in parts), delta("stop"), usage(11, len(parts))], **options)


def fragment(
    index: int | None, arguments: str | None = None, *, name: str | None = None, call: str | None = None
) -> Chunk:
    """One fragment of a tool call."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    fields = {"index": index, "id": call, "type": "function", "function": function}
    return delta(tool_calls=[{key: value for key, value in fields.items() if value is not None}])


def calls(*wanted: tuple[str, str], text: str = "Let me look.", size: int = 3) -> Answer:
    """Text and calls (name, arguments), the arguments cut into fragments of `size` characters."""
    chunks: list[Chunk | str] = [delta(content=text)]
    for index, (name, arguments) in enumerate(wanted):
        chunks.append(fragment(index, "", name=name, call=f"srv_{index}"))
        chunks += [fragment(index, arguments[at : at + size]) for at in range(0, len(arguments), size)]
    return Answer([*chunks, delta("tool_calls")])


def fails(status: int, message: str, **headers: str) -> Answer:
    error = json.dumps({"error": {"message": message, "type": "error"}}).encode()
    return Answer(status=status, body=error, headers={key.replace("_", "-"): value for key, value in headers.items()})


class FakeServer:
    """Answers requests from `script` in their order; the last answer again when it runs out."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.answer: Callable[[dict[str, Any]], Answer] | None = None
        """Answers in place of a script, by the request."""
        self.models: Answer = Answer(body=b'{"object": "list", "data": [{"id": "fake"}]}')
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.headers: list[dict[str, str]] = []
        """Of each request, the names in small letters."""
        self.closing = threading.Event()
        self.lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                _send(self, server, server.models)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server.lock:
                    server.requests.append(body)
                    server.keys.append(self.headers.get("Authorization", ""))
                    server.headers.append({name.lower(): value for name, value in self.headers.items()})
                    if server.answer is not None:
                        answer = server.answer(body)
                    else:
                        answer = server.script.pop(0) if len(server.script) > 1 else server.script[0]
                _send(self, server, answer)

            def log_request(self, code: Any = "-", size: Any = "-") -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _send(handler: BaseHTTPRequestHandler, server: FakeServer, answer: Answer) -> None:
    try:
        if answer.hang_first:
            server.closing.wait(60)
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for key, value in answer.headers.items():
            handler.send_header(key, value)
        if answer.body is not None:
            if "Content-Type" not in answer.headers:
                handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            handler.wfile.write(answer.body)
            return
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for chunk in answer.chunks:
            text = chunk if isinstance(chunk, str) else f"data: {json.dumps(chunk)}\n\n"
            _chunk(handler, text.encode())
        if answer.then == "hang":
            server.closing.wait(60)
        if answer.then == "done":
            _chunk(handler, b"data: [DONE]\n\n")
        if answer.then in ("done", "end"):
            handler.wfile.write(b"0\r\n\r\n")
        else:
            handler.close_connection = True
        handler.wfile.flush()
    except (BrokenPipeError, ConnectionResetError):
        handler.close_connection = True


def _chunk(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    handler.wfile.flush()


@contextmanager
def fake_server(*script: Answer) -> Generator[FakeServer]:
    server = FakeServer()
    server.script = list(script)
    try:
        yield server
    finally:
        server.close()
