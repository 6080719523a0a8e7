"""Sources that speak a protocol: HTTP, a serial port, MQTT. The last two need an extra, and say so where it lacks.

HTTP is the standard library's own server: it listens on this computer unless a person says more, takes nothing but
POST with a length, and what browsers send from other sites (they say their `Origin`) it refuses.
"""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any, cast
from urllib.parse import SplitResult, unquote, urlsplit

from core.errors import UsageError, system_reason
from core.recording.lines import MAX_MESSAGE_BYTES
from core.recording.sources import LineSplitter, Put, Source, Tell, address_in

_TIMEOUT_SEC = 10.0
_BAUD = 115_200
_PASSWORD = "SENSORLOOM_MQTT_PASSWORD"
"""The environment variable with the broker's password: on a command line others could read it."""


class _Handler(BaseHTTPRequestHandler):
    """Takes what is posted, whatever its path."""

    timeout = _TIMEOUT_SEC

    def do_POST(self) -> None:
        """Hand the body over."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Origin"):
            self._answer(403, "a web page may not send here")
        elif not length.isdigit():
            self._answer(411, "say how long it is: Content-Length")
        elif int(length) > MAX_MESSAGE_BYTES:
            self._answer(413, f"at most {MAX_MESSAGE_BYTES} bytes at once")
        else:
            body = self.rfile.read(int(length))
            if len(body) < int(length):  # who hung up in the middle of a number sends it again
                self.close_connection = True
                return
            cast("_Server", self.server).put(body)
            self._answer(200, "ok")

    def do_GET(self) -> None:
        """Say what this is."""
        self._answer(405, "samples are sent here by POST")

    def _answer(self, code: int, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if code not in (200, 405):
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
        """Nothing: what comes is counted."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    put: Put = staticmethod(lambda _message: None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: who hangs up in the middle sends again."""


def http(text: str) -> Source:
    """Messages that are sent by HTTP POST, such as Sensor Logger's push. Raises UsageError: the port cannot be had."""
    host, port = address_in(text, "--http")
    try:
        server = _Server((host, port), _Handler)
    except OSError as error:
        raise UsageError(f"--http {text}: {system_reason(error)}; name another port") from error

    def run(put: Put, tell: Tell, stop: threading.Event) -> None:
        server.put = put
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        serving.start()
        stop.wait()
        server.shutdown()
        server.server_close()

    return Source(f"HTTP http://{host}:{server.server_port}/", run)


def serial(text: str) -> Source:
    """Lines of a serial port: `DEVICE` or `DEVICE@BAUD`. Raises UsageError: it cannot be opened."""
    try:
        pyserial: Any = import_module("serial")
    except ImportError as error:
        raise UsageError("--serial needs pyserial: pip install 'sensorloom[serial]'") from error
    device, _, baud = text.partition("@")
    if baud and not baud.isdigit():
        raise UsageError(f"--serial {text}: a device and its speed are needed, such as /dev/ttyACM0@{_BAUD}")
    try:
        port: Any = pyserial.Serial(device, int(baud or _BAUD), timeout=0.1)
    except (OSError, ValueError) as error:
        reason = system_reason(error) if isinstance(error, OSError) else str(error)
        raise UsageError(f"--serial {device}: {' '.join(reason.split())[:160]}") from error

    def run(put: Put, tell: Tell, stop: threading.Event) -> None:
        splitter = LineSplitter()
        try:
            while not stop.is_set():
                if data := port.read(port.in_waiting or 1):
                    put(b"\n".join(splitter.lines(data)))
        except OSError as error:
            tell(f"{device} cannot be read any more: {' '.join(str(error).split())[:160]}")
        finally:
            port.close()

    return Source(f"serial port {device}", run)


def mqtt(text: str) -> Source:
    """Messages of a topic: `mqtt://[USER@]HOST[:PORT]/TOPIC`, also `mqtts://`. Raises UsageError: the broker does not
    answer."""
    try:
        paho: Any = import_module("paho.mqtt.client")
    except ImportError as error:
        raise UsageError("--mqtt needs paho-mqtt: pip install 'sensorloom[mqtt]'") from error
    url, topic = _broker_and_topic(text)
    client: Any = paho.Client(paho.CallbackAPIVersion.VERSION2)
    if url.scheme == "mqtts":
        client.tls_set()
    if url.username:
        client.username_pw_set(unquote(url.username), os.environ.get(_PASSWORD))
    port = url.port or (8883 if url.scheme == "mqtts" else 1883)
    try:
        client.connect(url.hostname, port)
    except OSError as error:
        raise UsageError(f"--mqtt {url.hostname}:{port}: {system_reason(error)}") from error

    def run(put: Put, tell: Tell, stop: threading.Event) -> None:
        def connected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            if reason.is_failure:
                tell(f"the broker refuses: {reason}")
            else:
                client.subscribe(topic)

        def lost(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            if not stop.is_set():
                tell(f"the broker is gone ({reason}); it is tried again")

        client.on_connect, client.on_disconnect = connected, lost
        client.on_message = lambda _client, _data, message: put(message.payload)
        client.loop_start()
        stop.wait()
        client.disconnect()
        client.loop_stop()

    return Source(f"MQTT {url.hostname}:{port} {topic}", run)


def _broker_and_topic(text: str) -> tuple[SplitResult, str]:
    """Raises UsageError: it names no broker, or no topic. A topic may end in `#`, which stands for all below it."""
    url = urlsplit(text, allow_fragments=False)
    topic = unquote(url.path.removeprefix("/"))
    if url.scheme not in ("mqtt", "mqtts") or not url.hostname or not topic:
        raise UsageError(f"--mqtt {text}: a broker and a topic are needed, such as mqtt://localhost/sensors")
    return url, topic
