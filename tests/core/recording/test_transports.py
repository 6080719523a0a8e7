"""Each transport on this computer alone, with a second process that sends, and garbage in between."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from core.recording import network, sources
from core.recording.recorder import Recorder
from core.recording.session import Ended, Request, record
from core.recording.sources import Source
from core.workspace import Workspace

ROWS = 120
CELLS = [f"{number / 20:.2f},0.1,0.2,9.8" for number in range(ROWS)]
LINES = ["time,acc_x,acc_y,acc_z", "label: walking", *CELLS[:60], "\x00no row", *CELLS[60:]]
PAYLOAD = [
    {
        "name": "accelerometer",
        "time": 1698501144401773000 + number * 50_000_000,
        "values": {"x": 0.1, "y": 0.2, "z": 9.8},
    }
    for number in range(ROWS)
]
MESSAGE = {"messageId": 1, "payload": [{"name": "annotation", "time": 0, "values": {"text": "walking"}}, *PAYLOAD]}

SEND_UDP = """
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
lines = sys.stdin.read().split("\\n")
for at in range(0, len(lines), 10):
    server.sendto("\\n".join(lines[at:at + 10]).encode(), ("127.0.0.1", int(sys.argv[1])))
"""
SEND_TCP = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as server:
    server.sendall(sys.stdin.read().encode())
"""
SEND_HTTP = """
import http.client, sys
server = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
def send(body, **headers):
    server.request("POST", "/data", body, headers)
    answer = server.getresponse()
    answer.read()
    return answer.status
assert send("{", Origin="http://elsewhere.example") == 403
assert send("{no json") == 200
assert send(sys.stdin.read()) == 200
"""
SEND_FILE = """
import sys
with open(sys.argv[1], "a") as file:
    for line in sys.stdin:
        file.write(line)
        file.flush()
"""
SEND_SERIAL = "import sys; sys.stdout.write(sys.stdin.read())"
MQTT_BROKER = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
client, _ = server.accept()
def packet():
    kind, size, shift = client.recv(1)[0] >> 4, 0, 0
    while True:
        byte = client.recv(1)[0]
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    body = b""
    while len(body) < size:
        body += client.recv(size - len(body))
    return kind, body
assert packet()[0] == 1                                    # CONNECT
client.sendall(bytes((0x20, 2, 0, 0)))                     # CONNACK
kind, body = packet()
assert kind == 8 and b"phone/#" in body                    # SUBSCRIBE
client.sendall(bytes((0x90, 3)) + body[:2] + bytes((0,)))  # SUBACK
payload = sys.stdin.read().encode()
body = (7).to_bytes(2, "big") + b"phone/a" + payload
size, length = len(body), b""
while True:
    size, rest = divmod(size, 128)
    length += bytes((rest | (128 if size else 0),))
    if not size:
        break
client.sendall(bytes((0x30,)) + length + body)             # PUBLISH
packet()
"""


class UntilRows:
    """Watches until so many rows are there."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.sentences: list[str] = []

    def tell(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def show(self, recorder: Recorder, seconds: float) -> None:
        if any(sensor.rows >= ROWS for sensor in recorder.sensors):
            self.stop.set()

    def label_wanted(self, labels: tuple[str, ...]) -> str | None:
        return None


@contextmanager
def sender(script: str, argument: str, text: str) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-S", "-c", script, argument]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(text)
        process.stdin.close()
        yield process
        assert process.wait(60) == 0


def recorded(workspace: Workspace, source: Source) -> Ended:
    watch = UntilRows()
    return record(workspace, Request("mine", seconds=60), source, watch, watch.stop)


def is_whole(ended: Ended, **counts: int) -> None:
    assert ended.reason == "stopped" and ended.finished is not None, ended
    assert ended.finished.windows == {"walking": 1}
    assert ended.finished.rate_hz == pytest.approx(20, rel=0.01)
    assert {name.replace(" ", "_"): count for name, count in ended.finished.counts.items()}.items() >= counts.items()


@pytest.mark.parametrize(("opened", "script"), [(sources.udp, SEND_UDP), (sources.tcp, SEND_TCP)])
def test_udp_and_tcp(workspace: Workspace, opened: Callable[[str], Source], script: str):
    source = opened("0")
    host, _, port = source.name.rpartition(" ")[2].rpartition(":")
    assert host == "127.0.0.1"
    with sender(script, port, "\n".join(LINES) + "\n"):
        is_whole(recorded(workspace, source), lines_that_are_no_text=1)


def test_a_phone_pushes_by_http(workspace: Workspace):
    source = network.http("0")
    assert source.name.startswith("HTTP http://127.0.0.1:")
    with sender(SEND_HTTP, source.name.rstrip("/").rpartition(":")[2], json.dumps(MESSAGE)):
        is_whole(recorded(workspace, source), lines_that_are_no_whole_JSON=1)


def test_what_breaks_off_in_the_middle_of_a_number_is_not_recorded():
    came: queue.Queue[bytes] = queue.Queue()
    stop = threading.Event()
    source = network.http("0")
    thread = threading.Thread(target=source.run, args=(came.put, print, stop))
    thread.start()
    address = ("127.0.0.1", int(source.name.rstrip("/").rpartition(":")[2]))
    try:
        for body, length in ((b"0.5,1.2345,2.3", 30), (b"0.6,1,2\n", 8)):
            with socket.create_connection(address, 10) as client:
                client.sendall(b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (length, body))
                client.shutdown(socket.SHUT_WR)
                while client.recv(4096):
                    pass
        assert came.get(timeout=10) == b"0.6,1,2\n" and came.empty()
    finally:
        stop.set()
        thread.join()


def test_a_file_that_grows(workspace: Workspace, tmp_path: Path):
    path = tmp_path / "growing.csv"
    path.write_text("\n".join(LINES[:5]) + "\n")
    source = sources.growing_file(path)
    with sender(SEND_FILE, str(path), "\n".join(LINES[5:]) + "\n"):
        is_whole(recorded(workspace, source), lines_that_are_no_text=1)


def test_a_file_that_is_begun_anew_is_read_anew(tmp_path: Path):
    path = tmp_path / "growing.csv"
    path.write_text("a\nb\n")
    lines: list[bytes] = []
    sentences: list[str] = []
    stop = threading.Event()

    def put(message: bytes) -> None:
        lines.extend(message.split(b"\n"))
        if message == b"a\nb":
            path.write_text("c\n")
        elif message == b"c":
            stop.set()

    sources.growing_file(path).run(put, sentences.append, stop)
    assert lines[:3] == [b"a", b"b", b"c"] and sentences == ["growing.csv was begun anew"]


def test_a_serial_port(workspace: Workspace):
    pytest.importorskip("serial", reason="pyserial is not installed: sensorloom[serial]")
    import tty

    ours, theirs = os.openpty()
    tty.setraw(theirs)
    source = network.serial(os.ttyname(theirs))
    text = "\n".join(LINES) + "\n"
    with subprocess.Popen([sys.executable, "-S", "-c", SEND_SERIAL], stdin=subprocess.PIPE, stdout=ours) as process:
        assert process.stdin is not None
        process.stdin.write(text.encode())
        process.stdin.close()
        is_whole(recorded(workspace, source), lines_that_are_no_text=1)
    os.close(ours)
    os.close(theirs)


def test_an_mqtt_topic(workspace: Workspace):
    pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed: sensorloom[mqtt]")
    with sender(MQTT_BROKER, "", json.dumps(MESSAGE)) as broker:
        assert broker.stdout is not None
        port = broker.stdout.readline().strip()
        is_whole(recorded(workspace, network.mqtt(f"mqtt://127.0.0.1:{port}/phone/#")))


@pytest.mark.parametrize(
    ("opened", "text", "told"),
    [
        (sources.udp, "here", "a port is needed"),
        (sources.tcp, "127.0.0.1:99999", "a port is needed"),
        (sources.growing_file, Path("/nowhere/at/all"), "no such file"),
        (network.mqtt, "localhost", "a broker and a topic are needed"),
        (network.mqtt, "mqtt://127.0.0.1:1/x", "refused"),
        (network.serial, "/dev/nowhere", "no such file"),
    ],
)
def test_what_cannot_be_opened_begins_no_recording(opened: Callable[[Any], Source], text: Any, told: str):
    if opened in (network.mqtt, network.serial):
        pytest.importorskip("serial")
        pytest.importorskip("paho.mqtt.client")
    with pytest.raises(UsageError, match=f"(?i){told}"):
        opened(text)
