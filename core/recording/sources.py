"""Where lines come from: standard input, a file that grows, UDP and TCP. Each is opened before a recording begins, so
that what cannot be opened begins none, and listens only where a person says, on this computer unless they say more.
"""

from __future__ import annotations

import os
import select
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError, system_reason
from core.recording.lines import MAX_LINE_BYTES, MAX_MESSAGE_BYTES

LOOPBACK = "127.0.0.1"
_CHUNK = 1 << 16
_WAIT_SEC = 0.2
_GROWS_SEC = 0.02
"""Between two looks at a file that grows."""

Put = Callable[[bytes], None]
"""Hands over one message: the lines that came at once, a datagram, a request's body."""
Tell = Callable[[str], None]
"""Says a sentence to the person who records."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source that is open. `run` hands its messages over until `stop` is set, and returns when it ends."""

    name: str
    run: Callable[[Put, Tell, threading.Event], None]


class LineSplitter:
    """Puts lines together from pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""
        self._skips = False

    def lines(self, data: bytes) -> Iterator[bytes]:
        """The lines that are whole by now. One that is far too long is cut off, and its end skipped."""
        *whole, rest = (self._rest + data).split(b"\n")
        for number, line in enumerate(whole):
            if not (self._skips and number == 0):
                yield line
            self._skips = False
        if len(rest) > (MAX_MESSAGE_BYTES if rest.lstrip()[:1] in (b"{", b"[") else MAX_LINE_BYTES):
            if not self._skips:
                yield rest[: MAX_LINE_BYTES + 1]
            rest, self._skips = b"", True
        self._rest = rest

    def end(self) -> bytes:
        """The line that no end of line followed."""
        rest, self._rest = self._rest, b""
        return b"" if self._skips else rest


def address_in(text: str, option: str) -> tuple[str, int]:
    """`PORT`, on this computer alone, or `HOST:PORT`. Raises UsageError."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{option} {text}: a port is needed, such as 9000, or {LOOPBACK}:9000")
    return host.strip("[]") or LOOPBACK, int(port)


def from_descriptor(descriptor: int, name: str = "standard input") -> Source:
    """Lines that come in through a file descriptor, until it ends."""

    def run(put: Put, tell: Tell, stop: threading.Event) -> None:
        splitter = LineSplitter()
        while not stop.is_set():
            if not select.select([descriptor], [], [], _WAIT_SEC)[0]:
                continue
            data = os.read(descriptor, _CHUNK)
            if not data:
                break
            put(b"\n".join(splitter.lines(data)))
        put(splitter.end())

    return Source(name, run)


def growing_file(path: Path) -> Source:
    """A file's lines from its beginning, and those that are added. Raises UsageError: it cannot be read."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"--follow {path}: {system_reason(error)}") from error

    def run(put: Put, tell: Tell, stop: threading.Event) -> None:
        reading, splitter = file, LineSplitter()
        try:
            while not stop.is_set():
                if data := reading.read(_CHUNK):
                    put(b"\n".join(splitter.lines(data)))
                    continue
                if _was_replaced(path, reading.fileno(), reading.tell()):
                    tell(f"{path.name} was begun anew")
                    reading.close()
                    reading, splitter = path.open("rb"), LineSplitter()
                    continue
                stop.wait(_GROWS_SEC)
            put(splitter.end())
        except OSError as error:
            tell(f"{path.name} cannot be read any more: {system_reason(error)}")
        finally:
            reading.close()

    return Source(f"the file {path.name}", run)


def _was_replaced(path: Path, descriptor: int, read: int) -> bool:
    """Whether another file has the name by now, or this one was made shorter."""
    try:
        own, named = os.fstat(descriptor), path.stat()
    except OSError:
        return False
    return (own.st_ino, own.st_dev) != (named.st_ino, named.st_dev) or own.st_size < read


def udp(text: str) -> Source:
    """Datagrams, each of one or several lines. Raises UsageError: the port cannot be had."""
    server = _bound(text, "--udp", socket.SOCK_DGRAM)
    server.settimeout(_WAIT_SEC)

    def run(put: Put, tell: Tell, stop: threading.Event) -> None:
        with server:
            while not stop.is_set():
                with suppress(TimeoutError):
                    put(server.recv(_CHUNK))

    return Source("UDP " + _address(server), run)


def tcp(text: str) -> Source:
    """Lines of whoever connects. Raises UsageError: the port cannot be had."""
    server = _bound(text, "--tcp", socket.SOCK_STREAM)
    server.listen(8)
    server.setblocking(False)

    def run(put: Put, tell: Tell, stop: threading.Event) -> None:
        with server, selectors.DefaultSelector() as selector:
            selector.register(server, selectors.EVENT_READ)
            splitters: dict[socket.socket, LineSplitter] = {}
            while not stop.is_set():
                for key, _ in selector.select(_WAIT_SEC):
                    if key.fileobj is server:
                        try:
                            client, address = server.accept()
                        except OSError:  # who called has hung up already
                            continue
                        client.setblocking(False)
                        splitters[client] = LineSplitter()
                        selector.register(client, selectors.EVENT_READ)
                        tell(f"{address[0]} has connected")
                        continue
                    client = key.fileobj
                    assert isinstance(client, socket.socket)
                    if _receive(client, splitters[client], put):
                        continue
                    selector.unregister(client)
                    put(splitters.pop(client).end())
                    client.close()
                    tell("the connection has ended; another one may begin")
            for client in splitters:
                client.close()

    return Source("TCP " + _address(server), run)


def _receive(client: socket.socket, splitter: LineSplitter, put: Put) -> bool:
    """Read what a client sent; whether it is still there."""
    try:
        data = client.recv(_CHUNK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    put(b"\n".join(splitter.lines(data)))
    return bool(data)


def _bound(text: str, option: str, kind: socket.SocketKind) -> socket.socket:
    host, port = address_in(text, option)
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
    except OSError as error:
        server.close()
        raise UsageError(f"{option} {text}: {system_reason(error)}; name another port") from error
    return server


def _address(server: socket.socket) -> str:
    host, port = server.getsockname()[:2]
    return f"{host}:{port}"
