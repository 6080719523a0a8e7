"""The export log of a large folder, as it is kept and as TinyDB would keep it.

`python -m tests.bench.export_log [COUNT]` prints the seconds to add an export of all threads to a log that has one
already, and to read a log of two; the best of several.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tinydb import TinyDB

from core.storage.export_log import add_to_log, read_log
from core.storage.export_log_file import Left
from core.storage.memory_file import AtomicStorage
from core.workspace import open_workspace

ROUNDS = 5


def main(count: int) -> None:
    """Print the figures for so many threads."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(folder, environ={})
        stems = [f"uci_har_session_{number:06d}_v4_0001" for number in range(count)]
        hashes = b"".join(hashlib.sha256(stem.encode()).digest() for stem in stems)
        lefts = (
            Left(profile, "an_export", stems, hashes, [4000] * count, [10**18] * count) for profile in "ab" * ROUNDS
        )
        path = Path(folder) / "tiny.json"

        def add_to_tiny(left: Left) -> None:
            with TinyDB(path, storage=AtomicStorage, writing=True) as database:
                threads = zip(left.stems, _hex(left.sha256s), left.sizes, left.mtimes_ns, strict=True)
                database.insert({"profile": left.profile, "export": left.export, "threads": list(threads)})

        every = list(lefts)
        _say("present, add", [_seconds(lambda left=left: add_to_log(workspace, left)) for left in every][1:])
        _say("present, read", [_seconds(lambda: read_log(workspace)) for _ in range(ROUNDS)])
        _say("TinyDB, add", [_seconds(lambda left=left: add_to_tiny(left)) for left in every[:2]][1:])
        _say("TinyDB, read", [_seconds(lambda: json.loads(path.read_bytes())) for _ in range(ROUNDS)])


def _hex(joined: bytes) -> list[str]:
    return [joined[start : start + 32].hex() for start in range(0, len(joined), 32)]


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _say(what: str, seconds: list[float]) -> None:
    print(f"{what:16} {min(seconds):7.3f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
