"""A server that the loop starts ends with it, and so does what the server starts."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

SERVER = """
import fcntl, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_DFL)
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=(file.fileno(),))
print("up", flush=True)
time.sleep(600)
"""
STARTER = f"""
import os, sys, time
from pathlib import Path
from tests.servers.tied import tied
with open(sys.argv[2], "wb") as told:
    with tied([sys.executable, "-c", {SERVER!r}, sys.argv[1]], told, os.environ, Path.cwd()):
        time.sleep(600)
"""


def until_held(lock: int, *, held: bool) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if held:
                return
        else:
            fcntl.flock(lock, fcntl.LOCK_UN)
            if not held:
                return
        time.sleep(0.05)
    raise AssertionError(f"the server does {'not ' * held}hold its file")


def test_a_server_and_what_it_started_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    starter = subprocess.Popen([sys.executable, "-c", STARTER, tmp_path / "lock", told])
    try:
        lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
        until_held(lock, held=True)
        while b"up" not in told.read_bytes():
            assert starter.poll() is None
            time.sleep(0.05)
    finally:
        starter.kill()
        starter.wait()
    until_held(lock, held=False)
    os.close(lock)
