"""What a server sends after `200 OK`, as the JSON objects it holds: an event stream, plain JSON, or its own trouble.

The bytes are parted here rather than by the client's reader, which drops what is no `data:` line, and with it the
sentence in which many servers say what went wrong.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

if TYPE_CHECKING:
    import httpx2

Result = TypeVar("Result")
DONE: Final = object()
"""The stream's own end mark, `data: [DONE]`."""

DRAIN_SEC = 0.2
"""How long the rest of a finished reply is waited for, so that its connection can be used again."""

MAX_UNFRAMED = 64 * 1024
"""Characters outside of any frame that are looked at for a server's sentence."""


_NOT_JSON: Final = object()


class NoCompletionsError(Exception):
    """A web page came instead of a reply."""


class NotJsonError(Exception):
    """Something came that is neither JSON nor a sentence of the server."""


class ServerSaysError(Exception):
    """The server told of a failure inside a reply that began well."""

    def __init__(self, body: Any) -> None:
        super().__init__("the server told of a failure")
        self.body = body


class SilentError(Exception):
    """The server sent nothing for too long."""


async def read_chunks(
    response: httpx2.Response,
    clean: Callable[[str], str] = str,
    patience: Callable[[], float | None] = lambda: None,
) -> AsyncIterator[Any]:
    """The objects of a reply as they come, then `DONE` where the server marks the end, or sent one whole completion.

    Args:
        response: an open response with status 200.
        clean: applied to each line before it is read; takes out what nobody may see.
        patience: asked before each wait for bytes: how many seconds it may take.

    Raises:
        SilentError: nothing came in that time.
        ServerSaysError: the server told of a failure, in whichever of the usual ways.
        NoCompletionsError: a web page came.
        NotJsonError: what came is nothing that can be read.
        httpx2.HTTPError: the connection failed.
    """
    kind = response.headers.get("content-type", "")
    if "html" in kind:
        raise NoCompletionsError
    if "json" in kind and "ndjson" not in kind:
        with closing(Watch()) as watch:
            data = await watch.within(response.aread(), patience())
        yield _whole(clean(data.decode("utf-8", "replace")))
        yield DONE
        return
    frames = _Frames(clean)
    pieces = response.aiter_bytes()
    with closing(Watch()) as watch:
        while (piece := await watch.within(anext(pieces, None), patience())) is not None:
            for chunk in frames.read(piece):
                yield chunk
                if chunk is DONE:
                    await _drain(pieces)
                    return
    for chunk in frames.end():
        yield chunk


class Watch:
    """Limits each of many waits that follow one another, with one timer for all of them: to set a timer for each, as
    `asyncio.timeout` does, was a tenth of the work of reading a fast stream."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[Any] | None = None
        self._until = 0.0
        self._over = False
        """Whether the wait is over its time, and its task was cancelled for that."""

    async def within(self, work: Awaitable[Result], seconds: float | None) -> Result:
        """What comes of waiting, if it comes in time. Raises SilentError."""
        task = asyncio.current_task()
        if seconds is None or task is None:
            return await work
        self._until, self._waiting, cancelled = self._loop.time() + seconds, task, task.cancelling()
        if self._timer is None or self._timer.when() > self._until:
            self._set(self._until)
        try:
            return await work
        except asyncio.CancelledError:
            if self._is_late(task, cancelled):
                raise SilentError from None
            raise
        finally:
            self._waiting = None
            self._is_late(task, cancelled)  # where it came at the last moment, the cancelling is taken back too

    def _is_late(self, task: asyncio.Task[Any], cancelled: int) -> bool:
        """Whether the wait was over its time, and nobody else cancelled the task. What was cancelled for it is taken
        back."""
        over, self._over = self._over, False
        return over and task.uncancel() <= cancelled

    def close(self) -> None:
        """There are no further waits."""
        if self._timer is not None:
            self._timer.cancel()

    def _set(self, when: float) -> None:
        self.close()
        self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        """Whether the wait that goes on now is over its time; the timer may be that of an earlier one."""
        self._timer = None
        if self._waiting is None:
            return
        if self._loop.time() < self._until:
            self._set(self._until)
            return
        self._over = True
        self._waiting.cancel()


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    import httpx2

    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(DRAIN_SEC):
            async for _ in pieces:
                pass


def _whole(text: str) -> Any:
    """A body that is one JSON document."""
    try:
        value = json.loads(text)
    except ValueError:
        raise NotJsonError from None
    _refuse_failure(value)
    if not (isinstance(value, dict) and "choices" in value):
        raise ServerSaysError(value)
    return value


def _refuse_failure(value: Any) -> None:
    """Raise ServerSaysError for an object that tells of a failure and brings nothing of a reply."""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return
    if value.get("error") or value.get("object") == "error":
        raise ServerSaysError(value)
    if not value.get("choices") and any(isinstance(value.get(key), str) for key in ("detail", "message", "msg")):
        raise ServerSaysError(value)


class _Frames:
    """Parts the bytes of an event stream into lines, and the lines into JSON objects.

    Lenient where servers are careless: a frame without an empty line after it, JSON over several `data:` lines,
    JSON lines without a frame, `error:` as the name of a field.
    """

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._rest = b""
        self._data = ""
        self._event = ""
        self._unframed = ""

    def read(self, piece: bytes) -> Iterator[Any]:
        lines = (self._rest + piece).splitlines(keepends=True)  # of bytes: at \r and \n only, as the format has it
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            if line == b"\n" and not (self._data or self._event):
                continue  # the end of a frame whose object was told already
            yield from self._line(line)

    def end(self) -> Iterator[Any]:
        rest, self._rest = self._rest, b""
        if rest:
            yield from self._line(rest)
        yield from self._frame_ends()
        yield from self._unframed_ends()

    def _line(self, raw: bytes) -> Iterator[Any]:
        line = self._clean(raw.decode("utf-8", "replace").rstrip("\r\n").removeprefix("\ufeff"))
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line.strip():
            yield from self._frame_ends()
        elif colon and name == "data":
            yield from self._data_line(value)
        elif colon and name == "error":
            raise ServerSaysError(_parsed(value, value))
        elif colon and name == "event":
            self._event = value.strip()
        elif name not in ("", "id", "retry"):
            yield from self._unframed_line(line)

    def _data_line(self, value: str) -> Iterator[Any]:
        if value.startswith("[DONE]"):
            yield DONE
            return
        self._data += value if not self._data else "\n" + value
        chunk = _parsed(self._data, _NOT_JSON)
        if chunk is not _NOT_JSON:
            self._data = ""
            yield self._judged(chunk)

    def _frame_ends(self) -> Iterator[Any]:
        """An empty line: what stands in the frame by now is no JSON, or nothing."""
        text, self._data = self._data.strip(), ""
        event, self._event = self._event, ""
        if text and event == "error":
            raise ServerSaysError(text)
        if text:
            raise NotJsonError
        yield from ()

    def _unframed_line(self, line: str) -> Iterator[Any]:
        if len(self._unframed) < MAX_UNFRAMED:
            self._unframed += line + "\n"
        chunk = _parsed(self._unframed, _NOT_JSON) if line.rstrip().endswith(("}", "]")) else _NOT_JSON
        if chunk is not _NOT_JSON:
            self._unframed = ""
            yield self._judged(chunk)

    def _unframed_ends(self) -> Iterator[Any]:
        text = self._unframed.strip()
        if text.startswith("<"):
            raise NoCompletionsError
        if text:
            raise ServerSaysError(text)
        yield from ()

    def _judged(self, chunk: Any) -> Any:
        if self._event == "error":
            raise ServerSaysError(chunk)
        _refuse_failure(chunk)
        return chunk


def _parsed(text: str, otherwise: Any) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        pass  # halves of characters and NaN, which Python's own decoder takes
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return otherwise
