"""A server that answers at once: what stands in a script, by how many messages the model has said so far.

`python -m tests.bench.instant_server SCRIPT` prints its address and serves until its standard input is closed. It
does as little as it can, since it shares the cores with what is measured: replies are bytes that are ready, and of a
request nothing is read but its length and how often an assistant speaks in it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2

from core.model.client import Model
from core.model.endpoints import ModelChoice
from core.workspace import Workspace

_SPOKEN = re.compile(rb'"role": ?"assistant"')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_PIECES = 4
"""Network packets that a reply comes in."""


def framed(chunks: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """A reply as the lines of its event stream."""
    lines = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    return [*lines, b"data: [DONE]\n\n"]


def spoken_in(request: bytes) -> int:
    """How many messages of the model a request holds."""
    return len(_SPOKEN.findall(request))


class ScriptedTransport(httpx2.AsyncBaseTransport):
    """The same without a network: the replies of a script from memory."""

    def __init__(self, script: Sequence[Sequence[Mapping[str, Any]]]) -> None:
        self._replies = [framed(chunks) for chunks in script]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The reply whose turn it is."""
        lines = self._replies[spoken_in(await request.aread()) % len(self._replies)]
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=_Lines(lines))


class _Lines(httpx2.AsyncByteStream):
    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for line in self._lines:
            yield line


def scripted_model(workspace: Workspace, choice: ModelChoice) -> Model:
    """The model whose replies come from memory; of a process that a run starts, too."""
    return Model(choice, transport=ScriptedTransport(json.loads((workspace.root.parent / "script.json").read_bytes())))


class _Connection(asyncio.Protocol):
    """One client's requests, one after the other."""

    def __init__(self, replies: Sequence[Sequence[bytes]]) -> None:
        self._replies = replies
        self._came = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, end, body = self._came.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if end else None
        if length is None or len(body) < int(length[1]) or self._transport is None:
            return
        self._came = body[int(length[1]) :]
        for piece in self._replies[spoken_in(body) % len(self._replies)]:
            self._transport.write(piece)


def _on_the_wire(lines: Sequence[bytes]) -> list[bytes]:
    """A reply as it is sent: each line a chunk of its own, as servers send tokens, in a few packets."""
    chunks = [b"%x\r\n%s\r\n" % (len(line), line) for line in lines] + [b"0\r\n\r\n"]
    size = -(-len(chunks) // _PIECES)
    pieces = [b"".join(chunks[at : at + size]) for at in range(0, len(chunks), size)]
    return [_HEAD + pieces[0], *pieces[1:]]


async def _serve(script: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    replies = [_on_the_wire(framed(chunks)) for chunks in script]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(replies), "127.0.0.1", 0, backlog=2048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(Path(sys.argv[1]).read_bytes())))
